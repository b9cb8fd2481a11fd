"""Held-out windows: no frame in common with those that train, whatever overlaps."""

import numpy as np
import pytest
from window_sets import cut, window_set

from keras_gait.data.skeletons import checks
from keras_gait.data.skeletons.held_out import behind_cut, frame_keys, held_out
from keras_gait.errors import GaitError


def frames_in(dataset, mask):
    windows = dataset._store.windows[mask]
    return {frame.tobytes() for window in windows for frame in window}


@pytest.mark.parametrize("length", [4, 6, 10])
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_overlapping_windows_share_no_frame(length, share):
    dataset = cut([(0, 150), (0, 90), (1, 200), (2, 120), (10, 97)], length)
    training, validation = held_out(dataset, share)
    assert not (training & validation).any()
    assert not frames_in(dataset, training) & frames_in(dataset, validation)
    for subject in dataset.subjects:  # everybody does both
        own = dataset.subject == subject
        assert (training & own).any()
        assert (validation & own).any()
    assert training.mean() > 0.9 * (1 - share)
    assert 0.5 * share < validation.mean() < 1.5 * share


def test_it_is_the_end_of_each_persons_frames_that_is_held_out():
    dataset = cut([(0, 40), (3, 20)], 4)
    training, validation = held_out(dataset, 0.25)
    numbers = dataset._store.windows[:, :, 0, 0]
    for subject, count in (("0", 40), ("3", 20)):
        own = dataset.subject == subject
        assert numbers[training & own].max() == count * 3 // 4 - 1
        assert numbers[validation & own].min() == count * 3 // 4
        assert numbers[validation & own].max() == count - 1


def test_small_numbers_one_can_count():
    frames = np.array([[1, 2], [2, 3], [3, 4], [9, 8], [1, 2], [4, 5]], np.uint64)
    persons = np.array([0, 0, 0, 1, 0, 0])
    behind = behind_cut(frames, persons, 0.4)  # of 1 2 3 4 5: 4 and 5; of 9 8: 8
    assert behind.astype(int).tolist() == [[0, 0], [0, 0], [0, 1], [0, 1], [0, 0], [1, 1]]


def test_frames_that_two_persons_have_in_common_are_not_held_out():
    windows = np.random.default_rng(0).normal(size=(20, 4, 5, 3))
    windows[17, 1] = windows[2, 3]  # a frame of the second person's end is one of the first's beginning
    dataset = window_set(windows, [0] * 10 + [1] * 10)
    training, validation = held_out(dataset, 0.3)
    assert np.flatnonzero(validation).tolist() == [7, 8, 9, 18, 19]
    assert training.sum() == 14
    assert not frames_in(dataset, training) & frames_in(dataset, validation)


def test_the_last_frames_of_a_recording_are_not_the_last_of_all():
    """Only later passes, with other starts, reach them, when all recordings were seen already."""
    recordings = [range(start, start + 20) for start in range(0, 180, 20)]  # of one person
    starts = [(recording, first) for first in range(6) for recording in recordings]
    numbers = np.array(
        [recording[i : i + 6] for recording, first in starts for i in range(first, 15, 3)]
    )  # 18 and 19 of a recording are in no window of the first pass
    dataset = window_set(np.tile(numbers[..., None, None], (1, 1, 2, 3)))
    training, validation = held_out(dataset, 0.25)
    np.testing.assert_array_equal(training, numbers.max(axis=1) < 135)
    np.testing.assert_array_equal(validation, numbers.min(axis=1) >= 135)


def test_a_person_of_few_frames_trains_whole_and_shares_none_with_those_held_out():
    windows = np.random.default_rng(0).normal(size=(21, 4, 5, 3))
    windows[20, 0] = windows[9, 2]  # the third person has one window, with a frame of the first one's end
    dataset = window_set(windows, [0] * 10 + [1] * 10 + [2])
    training, validation = held_out(dataset, 0.3)
    assert training[20]
    assert np.flatnonzero(validation).tolist() == [7, 8, 17, 18, 19]
    assert not frames_in(dataset, training) & frames_in(dataset, validation)


def test_repeated_frames_count_once():
    windows = np.zeros((10, 2, 3, 3))
    windows += np.repeat(np.arange(10), 2).reshape(10, 2, 1, 1) // 2  # ten windows of two equal frames: 0..4
    training, validation = held_out(window_set(windows), 0.2)
    assert training.astype(int).tolist() == [1] * 8 + [0] * 2
    assert validation.astype(int).tolist() == [0] * 8 + [1] * 2


def test_the_data_set_is_read_block_by_block(monkeypatch):
    dataset = cut([(0, 100), (1, 130)], 6)
    whole = held_out(dataset, 0.2)
    dataset._store.asked.clear()
    monkeypatch.setattr(checks, "BLOCK", 50)
    blocked = held_out(dataset, 0.2)
    np.testing.assert_array_equal(whole, blocked)
    assert max(map(len, dataset._store.asked)) == 50
    assert np.concatenate(dataset._store.asked).tolist() == list(range(len(dataset)))


def test_keys_tell_frames_apart_by_their_bytes():
    windows = np.random.default_rng(0).normal(size=(200, 4, 5, 3)).astype(np.float32)
    windows[7, 2] = windows[3, 1]
    keys = frame_keys(windows)
    assert (keys.shape, len(np.unique(keys))) == ((200, 4), 799)
    assert keys[7, 2] == keys[3, 1]
    moved = windows.copy()
    moved[0, 0] = moved[0, 0][::-1]  # the same numbers in another order
    moved[1, 0, 0, 0] = np.nextafter(moved[1, 0, 0, 0], np.float32(9))
    assert np.argwhere(frame_keys(moved) != keys).tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(GaitError, match=rf"between 0 and 1. Received: train.held_out {share}"):
        held_out(cut([(0, 40)], 4), share)


def test_nothing_left_is_said():
    dataset = cut([(0, 12)], 6)
    with pytest.raises(GaitError, match=r"^set: no window is left to hold out with train\.held_out 0\.1"):
        held_out(dataset, 0.1)
    with pytest.raises(GaitError, match=r"^set: no window is left to train on with train\.held_out 0\.9"):
        held_out(dataset, 0.9)
    dataset.info["modality"] = "pose"
    with pytest.raises(GaitError, match="modality pose, but skeletons"):
        held_out(dataset, 0.5)
