"""TFRecord files of ``tf.train.Example`` records, written and read without importing TensorFlow.

A record is ``length (uint64) | crc of length (uint32) | payload | crc of payload (uint32)``, little
endian; the crc is a masked CRC-32C (https://www.tensorflow.org/tutorials/load_data/tfrecord). The
payload is the protocol-buffer encoding of an ``Example``: a map from name to a list of bytes or int64.
Doing both here lets a reader fetch thirty frames out of a long record, and spares every worker
process TensorFlow's start. TensorFlow reads these files as any other TFRecord file.
"""

import struct
from functools import cache, lru_cache

import numpy as np

HEAD = struct.Struct("<QI")
HEAD_BYTES = 12
FRAMING_BYTES = HEAD_BYTES + 4  # of a record, around its payload
_LANE = 256  # bytes of one lane of the parallel crc of long data
_REACH = 1024  # the same where the effect of each byte is looked up by its place in the lane
_LONG = 1 << 18  # bytes from which on that takes longer


@cache
def _tables():
    """CRC-32C tables for one and for two bytes at a time, uint32 ``(256,)`` and ``(65536,)``."""
    one = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        one = np.where(one & 1, (one >> 1) ^ np.uint32(0x82F63B78), one >> 1).astype(np.uint32)
    words = np.arange(65536)
    first = one[words & 255]
    two = (first >> 8) ^ one[(first ^ (words >> 8)) & 255]
    return one, two.astype(np.uint32)


@cache
def _byte_table():
    return _tables()[0].tolist()


def _advance(states, words):
    """CRC states ``(lanes,)`` after the two-byte columns of ``words`` ``(steps, lanes)``."""
    two = _tables()[1]
    for column in words:
        states = two[(states ^ column) & np.uint32(0xFFFF)] ^ (states >> np.uint32(16))
    return states


@cache
def _place_tables():
    """What a byte does to a lane's state, place by place: uint32 ``(_REACH * 256,)``, and the places."""
    one, places = _tables()[0], np.empty((_REACH, 256), np.uint32)
    places[-1] = one
    for place in range(_REACH - 1, 0, -1):
        places[place - 1] = (places[place] >> np.uint32(8)) ^ one[places[place] & 255]
    return places.ravel(), np.arange(_REACH) * 256


@cache
def _zeros_operator(size):
    """What ``size`` zero bytes (a multiple of ``_LANE``) do to each state bit: uint32 ``(32,)``."""
    if size == _LANE:
        bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
        return _advance(bits, np.zeros((_LANE // 2, 32), np.uint32))
    return _apply(_zeros_operator(size // 2), _zeros_operator(size // 2))


def _apply(operator, states):
    """The linear ``operator`` on every state of ``states`` ``(n,)``."""
    bits = states[:, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
    return np.bitwise_xor.reduce(bits * operator, axis=1)


def crc32c(data):
    """CRC-32C of bytes. Data is cut into lanes, whose states are then joined pairwise."""
    if len(data) < 64:
        crc, table = 0xFFFFFFFF, _byte_table()
        for byte in bytes(data):
            crc = table[(crc ^ byte) & 255] ^ (crc >> 8)
        return crc ^ 0xFFFFFFFF
    # The start value is the same as inverting the first four bytes; zeros before them then change nothing.
    size = _LANE if len(data) >= _LONG else _REACH
    padding = -len(data) % size
    buffer = np.zeros(padding + len(data), np.uint8)
    buffer[padding:] = np.frombuffer(data, np.uint8)
    buffer[padding : padding + 4] ^= 255
    if size == _LANE:
        words = np.ascontiguousarray(buffer.view("<u2").reshape(-1, _LANE // 2).T).astype(np.uint32)
        states = _advance(np.zeros(words.shape[1], np.uint32), words)
    else:
        table, places = _place_tables()
        states = np.bitwise_xor.reduce(table[buffer.reshape(-1, _REACH) + places], axis=1)
    while len(states) > 1:
        if len(states) % 2:
            states = np.concatenate([np.zeros(1, np.uint32), states])
        states = _apply(_zeros_operator(size), states[0::2]) ^ states[1::2]
        size *= 2
    return int(states[0]) ^ 0xFFFFFFFF


def masked_crc(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@lru_cache(maxsize=4096)
def _varint(value):
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _field(number, content):
    """One length-delimited protocol-buffer field."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def encode_example(features):
    """``{name: list of bytes or list of int >= 0}`` -> the bytes of an ``Example``, in this order."""
    entries = []
    for name, values in features.items():
        if isinstance(values[0], int):
            feature = _field(3, _field(1, b"".join(map(_varint, values))))
        else:
            feature = _field(1, b"".join(_field(1, value) for value in values))
        entries.append(_field(1, _field(1, name.encode()) + _field(2, feature)))
    return _field(1, b"".join(entries))


def frame_record(payload):
    """A record as it lies in the file: the payload with its length and checksums."""
    length = struct.pack("<Q", len(payload))
    return b"".join(
        (length, struct.pack("<I", masked_crc(length)), payload, struct.pack("<I", masked_crc(payload)))
    )


def record_length(head):
    """The payload length that a record's first 12 bytes state, or None where they are no record's head."""
    if len(head) < HEAD_BYTES:
        return None
    length, crc = HEAD.unpack_from(head)
    return length if masked_crc(head[:8]) == crc else None


def _read_varint(data, position):
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7


def _read_field(data, position):
    """``(number, start, end)`` of the length-delimited field at ``position``; may end beyond ``data``."""
    key, position = _read_varint(data, position)
    if key & 7 != 2:
        raise ValueError(f"wire type {key & 7} where 2 was expected")
    length, position = _read_varint(data, position)
    return key >> 3, position, position + length


def find_values(payload, name, limit):
    """Where the bytes values of feature ``name`` lie in an ``Example``: a list of ``(start, end)``.

    ``payload`` may be cut off behind the head of the wanted value (``limit`` is the full length): the
    features before it must be inside. Raises ValueError or IndexError where this is no such example.
    """
    _, position, end = _read_field(payload, 0)
    if end != limit:
        raise ValueError("the record is longer than its example")
    while position < end:
        _, position, entry_end = _read_field(payload, position)
        _, start, stop = _read_field(payload, position)
        if bytes(payload[start:stop]) == name:
            _, start, _ = _read_field(payload, stop)  # the Feature
            kind, position, stop = _read_field(payload, start)  # its BytesList
            if kind != 1:
                raise ValueError("not a list of bytes")
            values = []
            while position < stop:
                _, value, position = _read_field(payload, position)
                values.append((value, position))
            if position != entry_end:
                raise ValueError("the list of frames does not end where its entry ends")
            return values
        position = entry_end
    raise ValueError(f"no feature {name.decode()!r}")


def same_structure(records, name, first, wanted):
    """Whether records ``(n, bytes)`` uint8 of one payload size are all examples that end in one value.

    That is the feature ``name``, a single bytes value from ``first`` of the payload to its end, ``wanted``.
    The values of the features before it may differ.
    """
    head = bytes(records[0, : HEAD_BYTES + first])
    if record_length(head) != wanted:
        return False
    payload = memoryview(head)[HEAD_BYTES:]
    try:
        if find_values(payload, name, wanted) != [(first, wanted)]:
            return False
    except (ValueError, IndexError):
        return False
    same = np.ones(len(head), bool)
    _, position, _ = _read_field(payload, 0)
    while True:
        _, position, entry_end = _read_field(payload, position)
        _, start, stop = _read_field(payload, position)
        if bytes(payload[start:stop]) == name:
            return bool((records[:, : len(head)] == records[0, : len(head)])[:, same].all())
        _, value, _ = _read_field(payload, stop)
        same[HEAD_BYTES + value : HEAD_BYTES + entry_end] = False
        position = entry_end
