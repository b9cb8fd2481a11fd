"""Pretext tasks, recordings, normalisation and published rows, by numbers one can check in one's head."""

import numpy as np
import pytest
from window_sets import window_set

from keras_gait.data.skeletons import checks
from keras_gait.data.skeletons.normalisation import axis_range, by_range, minus_joint, ranges
from keras_gait.data.skeletons.pretext import following, frame_orders, pretext
from keras_gait.data.skeletons.published import biwi_training_rows, published_rows
from keras_gait.data.skeletons.recordings import recording_of
from keras_gait.errors import GaitError

WINDOWS = np.arange(3 * 2 * 4, dtype=np.float32).reshape(3, 2, 4)


def test_each_task_has_its_inputs_and_targets():
    inputs, targets = pretext("rev_rec", WINDOWS)
    assert inputs is WINDOWS
    assert targets is WINDOWS
    inputs, targets = pretext("prediction", WINDOWS, nexts=WINDOWS[[1, 2, 2]])
    assert inputs is WINDOWS
    assert targets[:, 0, 0].tolist() == [8, 16, 16]
    inputs, targets = pretext("sorting", WINDOWS, orders=np.array([[0, 1], [1, 0], [1, 0]]))
    assert inputs[:, :, 0].tolist() == [[0, 4], [12, 8], [20, 16]]
    assert targets is WINDOWS
    with pytest.raises(GaitError, match="Received: 'rev_rec_plus'"):
        pretext("rev_rec_plus", WINDOWS)


def test_the_last_window_follows_itself_and_with_recordings_each_last_one():
    recordings = [0, 0, 0, 1, 2, 2]
    assert following(recordings).tolist() == [1, 2, 3, 4, 5, 5]
    assert following(recordings, "recordings").tolist() == [1, 2, 2, 3, 5, 5]
    assert following([4]).tolist() == [0]
    assert following([]).tolist() == []


def test_orders_of_frames_are_all_equally_likely():
    orders = frame_orders(6000, 3, seed=1, axis=0)
    found, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(found) == 6
    assert counts.min() > 880  # 1000 each
    assert (frame_orders(6000, 3, seed=1, axis=2) != orders).any()
    assert np.sort(frame_orders(5, 300, 0, 0))[:, -1].tolist() == [299] * 5  # beyond a byte


def test_a_recording_ends_where_person_or_view_changes_or_a_row_is_left_out():
    windows = np.zeros((9, 2, 3, 3))
    subjects, videos = [0, 0, 1, 1, 1, 0, 0, 0, 0], [0, 1, 2, 3, 5, 6, 7, 8, 9]
    views = [""] * 7 + ["1"] * 2
    dataset = window_set(windows, subjects, videos, view=views)
    assert recording_of(dataset).tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 4]
    conditions = ["A"] * 4 + ["B"] * 5
    dataset = window_set(windows, None, [0, 1, 2, 3, 0, 1, 2, 3, 4], condition=conditions)
    assert recording_of(dataset).tolist() == [0] * 4 + [1] * 5
    assert recording_of(dataset).dtype == np.int32
    assert recording_of(dataset.select([])).tolist() == []


def test_rows_without_numbers_are_refused():
    dataset = window_set(np.zeros((2, 2, 3, 3)))
    dataset.video = np.array(["0000001", "nm-01"])
    with pytest.raises(GaitError, match=r"row numbers, which tell their order\. Found: 'nm-01'"):
        recording_of(dataset)


def test_the_range_is_of_all_windows_and_read_block_by_block(monkeypatch):
    windows = np.random.default_rng(0).normal(size=(25, 3, 4, 3)).astype(np.float32)
    dataset = window_set(windows)
    monkeypatch.setattr(checks, "BLOCK", 10)
    low, high = ranges(dataset)
    np.testing.assert_array_equal(low, windows.min(axis=0))
    np.testing.assert_array_equal(high, windows.max(axis=0))
    assert list(map(len, dataset._store.asked)) == [10, 10, 5]
    for axis in range(3):
        low, high = axis_range(dataset, axis)
        assert (low.shape, low.dtype) == ((3, 4), np.float32)
        np.testing.assert_array_equal(low, windows.min(axis=0)[..., axis])
        np.testing.assert_array_equal(high, windows.max(axis=0)[..., axis])
    with pytest.raises(GaitError, match="an axis is 0, 1 or 2"):
        axis_range(dataset, -1)
    dataset._store.windows[12, 1, 2, 0] = np.inf
    with pytest.raises(GaitError, match="window 0/0000012 is NaN or infinite at frame 1, joint 2"):
        ranges(dataset)
    dataset.info["modality"] = "flow"
    with pytest.raises(GaitError, match="modality flow, but skeletons"):
        ranges(dataset)


def test_normalised_coordinates():
    assert minus_joint(WINDOWS)[1, 0].tolist() == [0, 1, 2, 3]
    assert by_range(WINDOWS, WINDOWS.min(axis=0), WINDOWS.max(axis=0))[:, 1, 2].tolist() == pytest.approx(
        [0, 8 / 17, 16 / 17]
    )


def test_published_rows_are_whole_batches_of_each_person():
    subjects = [10] * 5 + [2] * 3 + [10] * 2 + [7] * 4
    assert published_rows(subjects, 4, training=True).tolist() == [
        *(5, 6, 7, 5),  # person 2, filled up with the first
        *(10, 11, 12, 13),
        *(0, 1, 2, 3),  # person 10, but for what fills no batch
    ]
    assert published_rows(subjects, 4, training=False).tolist() == [5, 6, 7, 10, 11, 12, 13, 0, 1, 2, 3]
    names = list(map(str, subjects))
    np.testing.assert_array_equal(published_rows(names, 4, True), published_rows(subjects, 4, True))
    assert published_rows(["b", "a"], 1, training=True).tolist() == [1, 0]
    assert published_rows([], 4, training=True).tolist() == []


def test_two_thirds_of_biwi_train_encoders():
    assert [len(biwi_training_rows(count)) for count in (9, 10, 11, 6840)] == [6, 6, 7, 4560]
    assert biwi_training_rows(4).tolist() == [0, 1]
