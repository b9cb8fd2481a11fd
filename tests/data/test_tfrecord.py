"""Checksums and records, held against published check values and a bytewise computation."""

import numpy as np
import pytest

from keras_gait.data import tfrecord


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"123456789", 0xE3069283),  # the check value of CRC-32C
        (bytes(32), 0x8A9136AA),  # RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_the_checksum_has_its_published_check_values(data, expected):
    assert tfrecord.crc32c(data) == expected


@pytest.mark.parametrize("size", [4, 63, 64, 1023, 1024, 1025, 5000, 70_001, 1 << 18])
def test_lanes_give_what_one_byte_after_the_other_gives(size):
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    assert tfrecord.crc32c(data) == crc ^ 0xFFFFFFFF


def test_the_frames_are_found_behind_the_other_features_even_in_a_cut_off_record():
    values = [b"abc", b"", b"x" * 300]
    payload = tfrecord.encode_example({"subject": [b"007"], "shape": [3, 200], "frames": values})
    places = tfrecord.find_values(payload, b"frames", len(payload))
    assert [payload[start:end] for start, end in places] == values
    one = tfrecord.encode_example({"subject": [b"007"], "frames": [b"x" * 300]})
    assert tfrecord.find_values(one[:60], b"frames", len(one)) == [(len(one) - 300, len(one))]


def test_an_example_without_the_feature_is_an_error():
    payload = tfrecord.encode_example({"subject": [b"007"]})
    with pytest.raises(ValueError, match="no feature 'frames'"):
        tfrecord.find_values(payload, b"frames", len(payload))


def test_a_record_head_with_a_wrong_checksum_has_no_length():
    record = tfrecord.frame_record(b"payload")
    assert tfrecord.record_length(record) == 7
    assert tfrecord.record_length(b"\x08" + record[1:]) is None
    assert tfrecord.record_length(record[:11]) is None
