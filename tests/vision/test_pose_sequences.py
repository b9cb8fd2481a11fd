"""Pose sequences of one length: padding, the centre, joints that were not found."""

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.vision.pose_sequences import centre_start, fill_empty, pad_indices, padded_indices, prepare


def numbered(count, joints=17):
    """Poses whose every number is that of the frame, from 1 on."""
    return np.arange(1.0, count + 1)[:, None, None] * np.ones((1, joints, 3), np.float32)


def test_a_sequence_that_is_too_short_goes_on_backwards_at_both_ends():
    assert pad_indices(5, 9).tolist() == [2, 1, 0, 1, 2, 3, 4, 3, 2]
    assert pad_indices(2, 9).tolist() == [1, 0, 0, 1, 0, 0, 1, 1, 0]  # from 1, 0, 0, 1, 1, 0


def slices_of(frames, length):
    """PadSequence as the specification words it."""
    lacking = length + 1 - len(frames)
    before, after = -(-lacking // 2), lacking // 2 + 1
    while before > len(frames) or after > len(frames):
        frames = np.concatenate([frames[::-1], frames, frames[::-1]])
    return np.concatenate([frames[1:before][::-1], frames, frames[-1 - after : -1][::-1]])[:length]


@pytest.mark.parametrize("length", [1, 2, 3, 10, 25, 30, 60, 128])
def test_padding_follows_the_slices_of_the_specification_for_every_length(length):
    counts = np.arange(1, length + 1)
    together = padded_indices(counts, length)
    for count, row in zip(counts.tolist(), together, strict=True):
        expected = slices_of(np.arange(count), length)
        np.testing.assert_array_equal(row, expected)
        np.testing.assert_array_equal(pad_indices(count, length), expected)


def test_longer_sequences_stay_whole_under_padding():
    assert pad_indices(7, 4).tolist() == list(range(7))


@pytest.mark.parametrize(("count", "first"), [(60, 0), (61, 0), (62, 1), (77, 8), (100, 20)])
def test_the_centre_is_rounded_towards_the_start(count, first):
    assert centre_start(count, 60) == first == int(count / 2 - 60 / 2)


def test_joints_not_found_go_one_by_one_to_the_mean_of_all():
    """Three joints at x 0, 0 and 6: the first goes to 2, the second to the mean of 2, 0 and 6."""
    frame = np.array([[0, 3, 0.1], [0, 0, 0.2], [6, 9, 0.3]], np.float32)
    filled = fill_empty(np.stack([frame, np.ones_like(frame)]))
    np.testing.assert_allclose(filled[0], [[2, 4, 0], [8 / 3, 13 / 3, 0], [6, 9, 0.3]], rtol=1e-6)
    assert (filled[1] == 1).all()
    assert frame[0].tolist() == pytest.approx([0, 3, 0.1])


def test_a_batch_is_filled_as_its_sequences_are():
    poses = np.random.default_rng(0).uniform(1, 9, (3, 4, 17, 3)).astype(np.float32)
    poses[np.random.default_rng(1).random((3, 4, 17)) < 0.3] = 0
    np.testing.assert_array_equal(fill_empty(poses), [fill_empty(sequence) for sequence in poses])


def test_prepared_sequences_have_one_length_and_are_copies():
    for count in (4, 6, 9):
        given = numbered(count)
        ready = prepare(given, 6)
        assert ready.shape == (6, 17, 3)
        assert ready.dtype == np.float32
        ready[:] = 0
        assert given.all()
    assert prepare(numbered(9), 6)[:, 0, 0].tolist() == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("count", [1, 2, 40])
def test_sequences_are_filled_before_they_are_cut_or_padded(count):
    given = numbered(count, 18)
    given[:, 3] = 0
    ready = prepare(given, 30, fill=True)
    assert (ready[:, 3, 2] == 0).all()
    np.testing.assert_allclose(ready[:, 3, 0], ready[:, 0, 0] * 17 / 18, rtol=1e-6)
    np.testing.assert_array_equal(prepare(given, 30)[:, 3], 0)


def test_sequences_without_frames_or_with_nan_are_refused():
    with pytest.raises(GaitError, match="no frames; leave it out"):
        prepare(numbered(0), 60)
    broken = numbered(3)
    broken[2, 5, 1] = np.nan
    with pytest.raises(GaitError, match="NaN or infinite at frame 2, joint 5; write 0, 0, 0"):
        prepare(broken, 60)
