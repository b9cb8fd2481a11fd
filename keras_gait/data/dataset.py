"""Data sets on disk: an index of sequences, and files of records from which single ones are read.

    NAME/dataset.json                        what the set holds, as a whole
    NAME/sequences.csv                       one row a sequence (`COLUMNS`)
    NAME/sequences-00000-of-00016.tfrecord   one ``tf.train.Example`` a sequence

In the index, ``offset`` is where the record starts in its shard (its length header) and ``bytes`` is
the length of its payload, the serialised Example. The frames are the feature ``frames``: one bytes
value with all of them (encoding ``raw``) or one PNG a frame (``png``).
"""

import hashlib
import os
from functools import cached_property
from pathlib import Path

import numpy as np

from keras_gait.data import tfrecord
from keras_gait.errors import GaitError

FORMAT_VERSION = 1
COLUMNS = ("shard", "offset", "bytes", "subject", "condition", "view", "video", "frames")
_HEAD_READ = 2048  # bytes that hold a record's head and all its features but the frames


class GaitDataset:
    """Sequences of frames with their labels; an immutable view on files.

    Attributes: ``path``, ``name``, ``info`` (the dict of ``dataset.json``), ``frame_shape`` (H, W, C, or
    joints, C for poses), ``dtype``, ``channels`` (the names of the C channels; empty where the set does not
    tell them),
    ``fingerprint`` (hex, of the index, of what the frames are made from and of the selection); per sequence
    ``subject``, ``condition``, ``view``, ``video`` (NumPy strings) and ``frames`` (int32).

    Args:
        path: the data set's folder.
        info: dict with at least ``frame_shape`` and ``dtype``.
        index: dict with the columns ``subject``, ``condition``, ``view``, ``video``, ``frames``.
        store: object with ``read(row, start, count)``; ``row`` counts in the order of ``index``.
        fingerprint: hex digest of the index and of what tells this set's frames from another's.
        rows: the store's row of each sequence. planes: which of the stored channels are read; None: all.
    """

    def __init__(self, path, info, index, store, fingerprint, rows=None, planes=None):
        self.path = Path(path)
        self.name = self.path.name
        self.info = info
        self.frame_shape = tuple(info["frame_shape"])
        self.dtype = np.dtype(info["dtype"])
        self.fingerprint = fingerprint
        self.subject, self.condition, self.view, self.video = (
            np.asarray(index[key], dtype=str) for key in ("subject", "condition", "view", "video")
        )
        self.frames = np.asarray(index["frames"], np.int32)
        self.channels = tuple(info.get("channels", ()))
        if planes is not None:
            self.channels = tuple(self.channels[plane] for plane in planes)
            self.frame_shape = (*self.frame_shape[:-1], len(planes))
        self._store = store
        self._rows = np.arange(len(self.frames)) if rows is None else rows
        self._planes = planes

    def __len__(self):
        return len(self.frames)

    def __repr__(self):
        return f"GaitDataset({str(self.path)!r}: {len(self)} sequences of {len(self.subjects)} subjects)"

    @cached_property
    def subjects(self):
        """Sorted unique subjects, by number where all are numbers."""
        unique = sorted(set(self.subject.tolist()))
        if all(name.isdecimal() for name in unique):
            unique.sort(key=int)
        return np.array(unique, dtype=self.subject.dtype)

    @cached_property
    def labels(self):
        """Index of each sequence's subject in ``subjects``, int32 ``(n,)``."""
        place = {name: label for label, name in enumerate(self.subjects.tolist())}
        return np.array([place[name] for name in self.subject.tolist()], np.int32)

    @cached_property
    def types(self):
        """Condition and video of each sequence as one word, OpenGait's type: "nm-01", "00", "U0_D0"."""
        pairs = zip(self.condition.tolist(), self.video.tolist(), strict=True)
        return np.array(["-".join(filter(None, pair)) for pair in pairs], dtype=str)

    def select(self, which):
        """The data set of these sequences only (a mask or indices), on the same files."""
        which = np.asarray(which)
        if which.dtype == bool and len(which) != len(self):
            raise ValueError(f"A mask needs one value a sequence. Received: {len(which)} for {len(self)}.")
        which = np.flatnonzero(which) if which.dtype == bool else which.astype(int)
        index = {
            key: getattr(self, key)[which] for key in ("subject", "condition", "view", "video", "frames")
        }
        rows = self._rows[which]
        digest = hashlib.sha256(self.fingerprint.encode() + rows.astype("<i8").tobytes()).hexdigest()
        return GaitDataset(self.path, self.info, index, self._store, digest, rows, self._planes)

    def take_channels(self, names):
        """The data set with these channels only, in this order, on the same files.

        Raises GaitError where one of the ``names`` is not among ``channels``.
        """
        names = tuple(names)
        if not names or set(names) - set(self.channels) or len(set(names)) < len(names):
            raise GaitError(
                f"{self.path} has the channels {', '.join(self.channels) or 'without names'}; asked for: "
                f"{', '.join(names) or 'none'}. Choose among them by data.channels, or give another data set."
            )
        if names == self.channels:
            return self
        stored = tuple(self.info["channels"])
        planes = tuple(stored.index(name) for name in names)
        index = {key: getattr(self, key) for key in ("subject", "condition", "view", "video", "frames")}
        digest = hashlib.sha256(f"{self.fingerprint} {planes}".encode()).hexdigest()
        return GaitDataset(self.path, self.info, index, self._store, digest, self._rows, planes)

    def read(self, i, start=0, count=None):
        """``count`` frames of sequence ``i`` from ``start`` on (default: all): ``(count, *frame_shape)``.

        Safe to call from several threads. Raises GaitError where the record is cut off or its structure is
        damaged; the pixels of encoding ``raw`` are not checked.
        """
        frames = int(self.frames[i])
        count = frames - start if count is None else count
        if start < 0 or count < 0 or start + count > frames:
            raise ValueError(f"Sequence {i} has {frames} frames. Received: start={start}, count={count}.")
        stored = self._store.read(int(self._rows[i]), start, count)
        return stored if self._planes is None else np.ascontiguousarray(stored[..., list(self._planes)])

    def read_many(self, which):
        """Whole sequences of equally many frames at once, ``(n, frames, *frame_shape)``, in this order.

        Raises as `read` does.
        """
        which = np.asarray(which, int)
        lengths = np.unique(self.frames[which]).tolist()
        if len(lengths) != 1:
            raise ValueError(f"Sequences of one length are read at once. Received: lengths {lengths}.")
        rows = self._rows[which]
        if hasattr(self._store, "read_many"):
            stored = self._store.read_many(rows, lengths[0])
        else:
            stored = np.stack([self._store.read(int(row), 0, lengths[0]) for row in rows])
        return stored if self._planes is None else np.ascontiguousarray(stored[..., list(self._planes)])


class RecordStore:
    """Reads frames out of TFRecord shards by offset.

    A raw sequence costs two reads: the record's head, and exactly the wanted frames into their array.
    """

    def __init__(self, folder, shape, dtype, encoding, index):
        self.folder = Path(folder)
        self.shape, self.dtype, self.encoding = tuple(shape), np.dtype(dtype), encoding
        self.index = index
        self.frame_bytes = int(np.prod(self.shape)) * self.dtype.itemsize

    def read(self, row, start, count):
        shard, offset = self.index["shard"][row], int(self.index["offset"][row])
        try:
            descriptor = os.open(self.folder / shard, os.O_RDONLY)
        except OSError as error:
            raise self._damaged(row, f"cannot be opened ({error.strerror})") from error
        try:
            wanted = int(self.index["bytes"][row])
            head_only = self.encoding == "raw"
            size = tfrecord.HEAD_BYTES + (min(_HEAD_READ, wanted) if head_only else wanted)
            record = os.pread(descriptor, size, offset)
            if tfrecord.record_length(record) != wanted:
                raise self._damaged(row, "has no record of the expected length there")
            if len(record) < size:
                raise self._damaged(row, "ends in the middle of the record")
            payload = memoryview(record)[tfrecord.HEAD_BYTES :]
            try:
                values = tfrecord.find_values(payload, b"frames", wanted)
            except (ValueError, IndexError) as error:
                raise self._damaged(row, f"holds no frames there ({error})") from error
            if head_only:
                return self._read_raw(row, descriptor, offset + tfrecord.HEAD_BYTES, values, start, count)
            return self._decode(row, payload, values, start, count)
        except OSError as error:
            raise self._damaged(row, f"cannot be read there ({error.strerror})") from error
        finally:
            os.close(descriptor)

    def read_many(self, rows, count):
        """Whole records of ``count`` frames each, in the order of ``rows``: ``(n, count, *shape)``.

        Those that lie side by side in a shard cost one read together.
        """
        frames = np.empty((len(rows), count, *self.shape), self.dtype)
        for places in side_by_side(self.index, self._shard_numbers, rows):
            block = self._read_side_by_side(rows[places], count) if self.encoding == "raw" else None
            if block is None:  # what is damaged is told for the record that is
                block = np.stack([self.read(int(row), 0, count) for row in rows[places]])
            frames[places] = block
        return frames

    @cached_property
    def _shard_numbers(self):
        return np.unique(self.index["shard"], return_inverse=True)[1]

    def _read_side_by_side(self, rows, count):
        """Frames of raw records that follow each other, or None where they are not all as expected."""
        start, wanted = int(self.index["offset"][rows[0]]), int(self.index["bytes"][rows[0]])
        records = np.empty((len(rows), wanted + tfrecord.FRAMING_BYTES), np.uint8)
        try:
            with open(self.folder / self.index["shard"][rows[0]], "rb", buffering=0) as file:
                complete = os.preadv(file.fileno(), [records.data], start) == records.nbytes
        except OSError:
            return None
        first = wanted - count * self.frame_bytes  # the frames come last
        if not complete or not tfrecord.same_structure(records, b"frames", first, wanted):
            return None
        values = records[:, tfrecord.HEAD_BYTES :][:, first:wanted]
        return np.ascontiguousarray(values).view(self.dtype).reshape(-1, count, *self.shape)

    def _read_raw(self, row, descriptor, base, values, start, count):
        first, end = values[0]
        if len(values) != 1 or end - first != int(self.index["frames"][row]) * self.frame_bytes:
            raise self._damaged(row, f"holds {end - first} bytes of frames, the index says otherwise")
        frames = np.empty((count, *self.shape), self.dtype)
        if (
            count
            and os.preadv(descriptor, [frames.data], base + first + start * self.frame_bytes) != frames.nbytes
        ):
            raise self._damaged(row, "ends in the middle of the record")
        return frames

    def _decode(self, row, payload, values, start, count):
        if len(values) != int(self.index["frames"][row]):
            raise self._damaged(row, f"holds {len(values)} frames, the index says otherwise")
        frames = np.empty((count, *self.shape), self.dtype)
        for place, (first, end) in enumerate(values[start : start + count]):
            frame = decode_png(payload[first:end], self.shape[-1])
            if frame is None or frame.shape != self.shape:
                raise self._damaged(row, f"holds a damaged PNG (frame {start + place})")
            frames[place] = frame
        return frames

    def _damaged(self, row, what):
        column = {key: self.index[key][row] for key in COLUMNS}
        names = [column[key] for key in ("subject", "condition", "view", "video") if column[key]]
        shard = self.folder / column["shard"]
        return GaitError(
            f"{shard}, offset {column['offset']}, sequence {'/'.join(map(str, names))}: the file {what}. "
            f"It is truncated or damaged: copy it again, or delete {self.folder} and make the data set again."
        )


def side_by_side(index, shards, rows):
    """Runs of records of one size that follow each other in their shard: a list of places in ``rows``.

    ``shards`` is the number of each record's shard.
    """
    offsets, sizes = index["offset"][rows], index["bytes"][rows]
    order = np.lexsort((offsets, shards[rows]))
    shards, offsets, sizes = shards[rows][order], offsets[order], sizes[order]
    follows = (np.diff(offsets) == sizes[:-1] + tfrecord.FRAMING_BYTES) & (np.diff(sizes) == 0)
    return np.split(order, np.flatnonzero(~follows | (np.diff(shards) != 0)) + 1)


def encode_png(frame):
    """One uint8 frame ``(H, W, C)`` -> PNG bytes: R, G, B, or else the channels side by side in grey."""
    import cv2

    height, _, channels = frame.shape
    if channels == 3:
        image = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    else:
        image = frame.transpose(0, 2, 1).reshape(height, -1)
    return cv2.imencode(".png", image)[1].tobytes()


def decode_png(data, channels):
    """What `encode_png` wrote -> uint8 ``(H, W, channels)``; None where it is no such PNG."""
    import cv2

    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if len(data) else None
    if image is None or (channels == 3) != (image.ndim == 3 and image.shape[-1] == 3):
        return None
    if channels == 3:
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if image.ndim != 2 or image.shape[1] % channels:
        return None
    return image.reshape(len(image), channels, -1).transpose(0, 2, 1)


def read_index(path):
    """``sequences.csv`` -> dict of columns, NumPy arrays: counts as integers, the others as objects."""
    numbers = ("offset", "bytes", "frames")
    kinds = [(key, "i8" if key in numbers else "O") for key in COLUMNS]
    try:
        with open(path, encoding="utf-8") as file:
            header = file.readline().strip()
            if header != ",".join(COLUMNS):
                raise GaitError(f"{path}: the first line should be {','.join(COLUMNS)}. Found: {header!r}.")
            rows = np.loadtxt(
                file, kinds, delimiter=",", quotechar='"', comments=None, ndmin=1, encoding="utf-8"
            )
    except GaitError:
        raise
    except ValueError as error:  # no UTF-8, or no table
        raise GaitError(
            f"{path} is damaged ({' '.join(str(error).split())}): copy the data set again."
        ) from error
    for key in numbers:
        for shard in rows["shard"][rows[key] < 0][:1]:
            raise GaitError(f"{path} is damaged (a negative {key} in {shard}): copy the data set again.")
    return {key: rows[key] for key in COLUMNS}
