"""Batches of consecutive skeleton windows: which windows, what is asked of them, and in which order."""

from pathlib import Path

import numpy as np
import pytest
from window_sets import cut, window_set

from keras_gait.data.opening import open_dataset
from keras_gait.data.sampling import ConsecutiveSampler
from keras_gait.data.skeleton_batches import SkeletonBatches
from keras_gait.data.skeletons.held_out import held_out
from keras_gait.data.skeletons.recordings import recording_of
from keras_gait.data.skeletons.sets import in_file_order
from keras_gait.data.writer import Sequence, write_dataset
from keras_gait.errors import GaitError

F, J, N = 4, 5, 11


@pytest.fixture
def dataset():
    """Eleven windows; a value tells window, frame, joint and axis."""
    values = np.arange(N * F * J * 3, dtype=np.float32).reshape(N, F, J, 3)
    return window_set(values, subjects=[0] * 6 + [1] * 5)


def batches(dataset, task="rev_rec", axis=0, batch_size=4, published=False, **settings):
    sampler = ConsecutiveSampler(len(dataset), batch_size, published)
    return SkeletonBatches(dataset, axis, task, sampler, recording_of(dataset), **settings)


def all_of(batches):
    made = [batches[n] for n in range(batches.sampler.steps_per_epoch)]
    pairs = [np.concatenate([pair[side] for pair, _, _ in made]) for side in (0, 1)]
    return *pairs, np.concatenate([recordings for _, recordings, _ in made])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_windows_come_in_file_order_with_one_axis_and_their_recordings(dataset, axis):
    inputs, targets, recordings = all_of(batches(dataset, axis=axis))
    np.testing.assert_array_equal(inputs, dataset._store.windows[..., axis])
    np.testing.assert_array_equal(targets, inputs)  # reversed by the model
    assert (inputs.dtype, recordings.dtype) == (np.float32, np.int32)
    assert recordings.tolist() == [0] * 6 + [1] * 5


@pytest.mark.parametrize(("pairs", "at_border"), [("published", 6), ("recordings", 5)])
def test_what_follows_is_predicted(dataset, pairs, at_border):
    inputs, targets, _ = all_of(batches(dataset, "prediction", axis=1, pairs=pairs))
    windows = dataset._store.windows[..., 1]
    np.testing.assert_array_equal(inputs, windows)
    expected = [1, 2, 3, 4, 5, at_border, 7, 8, 9, 10, 10]
    np.testing.assert_array_equal(targets, windows[expected])


def test_a_batch_that_predicts_reads_each_window_once(dataset):
    made = batches(dataset, "prediction")
    dataset._store.asked.clear()
    made[1]
    assert dataset._store.asked == [[4, 5, 6, 7, 8]]


def test_frames_to_sort_are_in_one_random_order_for_each_window_and_axis(dataset):
    inputs, targets, _ = all_of(batches(dataset, "sorting", axis=2, seed=3))
    np.testing.assert_array_equal(targets, dataset._store.windows[..., 2])
    orders = [[int(np.flatnonzero((frame == t).all(-1))[0]) for frame in i] for i, t in pair(inputs, targets)]
    assert all(sorted(order) == list(range(F)) for order in orders)
    assert len(set(map(tuple, orders))) > 3
    again, *_ = all_of(batches(dataset, "sorting", axis=2, batch_size=3, seed=3))
    np.testing.assert_array_equal(again, inputs)
    other_axis, *_ = all_of(batches(dataset, "sorting", axis=1, seed=3))
    assert (np.argsort(other_axis[:, :, 0]) != np.argsort(inputs[:, :, 0])).any()
    other_seed, *_ = all_of(batches(dataset, "sorting", axis=2, seed=4))
    assert (other_seed != inputs).any()


def pair(inputs, targets):
    return zip(inputs, targets, strict=True)


@pytest.mark.parametrize("task", ["rev_rec", "prediction", "sorting"])
def test_the_next_epoch_is_the_same(dataset, task):
    made = batches(dataset, task)
    steps = made.sampler.steps_per_epoch
    for n in range(steps):
        (inputs, targets), _, _ = made[n + 7 * steps]
        np.testing.assert_array_equal(inputs, made[n][0][0])
        np.testing.assert_array_equal(targets, made[n][0][1])


@pytest.mark.parametrize("task", ["rev_rec", "prediction", "sorting"])
def test_the_stream_names_inputs_and_outputs_and_keeps_the_order(dataset, task):
    made = batches(dataset, task, published=True)
    stream = made.to_tf_data(first=1)
    inputs, wanted = stream.element_spec
    assert {name: spec.shape.as_list() for name, spec in inputs.items()} == {
        "skeletons": [None, F, J],
        "targets": [None, F, J],
    }
    assert set(wanted) == {"errors", "projection"}
    for n, (inputs, wanted) in zip(range(1, 8), stream, strict=False):
        (skeletons, targets), recordings, _ = made[n]
        assert len(skeletons) == 4
        np.testing.assert_array_equal(inputs["skeletons"], skeletons)
        np.testing.assert_array_equal(inputs["targets"], targets)
        np.testing.assert_array_equal(wanted["projection"], recordings)


def load(source):
    return np.load(source), []


def test_a_set_on_disk_gives_what_it_was_written_from(tmp_path):
    memory = cut([(2, 30), (10, 40)], F, J)  # on disk, 10 goes before 2
    sequences = []
    for i, window in enumerate(memory._store.windows):
        np.save(tmp_path / f"{i}.npy", window)
        source = str(tmp_path / f"{i}.npy")
        sequences.append(Sequence(str(memory.subject[i]), "", "", str(memory.video[i]), source))
    settings = {"modality": "skeleton", "source": "own", "split": "train", "dtype": "float32"}
    write_dataset(tmp_path / "set", sequences, load, frame_shape=(J, 3), channels=("x", "y", "z"), **settings)
    disk = in_file_order(open_dataset(Path(tmp_path, "set")))
    for ours, written in zip(held_out(disk, 0.25), held_out(memory, 0.25), strict=True):
        np.testing.assert_array_equal(ours, written)
        assert ours.any()
        for task in ("rev_rec", "prediction", "sorting"):
            pair = (
                all_of(batches(each.select(ours), task, axis=1, batch_size=16)) for each in (disk, memory)
            )
            for found, expected in zip(*pair, strict=True):
                np.testing.assert_array_equal(found, expected)


def test_the_first_windows_alone_may_train_and_still_predict_the_next(dataset):
    sampler = ConsecutiveSampler(4, 4, published=True)
    made = SkeletonBatches(dataset, 0, "prediction", sampler, recording_of(dataset))
    (inputs, targets), _, _ = made[1]
    np.testing.assert_array_equal(inputs, dataset._store.windows[:4, ..., 0])
    np.testing.assert_array_equal(targets, dataset._store.windows[1:5, ..., 0])


def test_a_coordinate_that_is_no_number_is_named(dataset):
    dataset._store.windows[7, 2, 3, 1] = np.nan
    message = r"^set: window 1/0000007 is NaN or infinite at frame 2, joint 3"
    with pytest.raises(GaitError, match=message):
        all_of(batches(dataset))
    made = batches(dataset)
    with pytest.raises(GaitError, match=message), made.own_errors():
        list(made.to_tf_data())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "reverse"}, "a pretext task is one of rev_rec, prediction, sorting. Received: 'reverse'"),
        ({"axis": 3}, "an axis is 0, 1 or 2, for x, y and z. Received: 3"),
        ({"axis": "x"}, "an axis is 0, 1 or 2, for x, y and z. Received: 'x'"),
        ({"pairs": "persons"}, "pairs of windows are published or recordings. Received: 'persons'"),
    ],
)
def test_unknown_words_are_refused(dataset, settings, message):
    with pytest.raises(GaitError, match=message):
        batches(dataset, **settings)


def test_what_is_no_set_of_windows_is_refused(dataset):
    dataset.info["modality"] = "pose"
    with pytest.raises(GaitError, match=r"set holds frames of 5x3 of modality pose, but skeletons"):
        batches(dataset)
    dataset.info["modality"] = "skeleton"
    with pytest.raises(GaitError, match=r"frames of 5x2 of modality skeleton"):
        batches(dataset.take_channels(("x", "z")))
    dataset.frames[3] = 5
    with pytest.raises(GaitError, match="windows of 4, 5 frames, but all must be of one length"):
        batches(dataset)
    with pytest.raises(GaitError, match="holds no window"):
        SkeletonBatches(dataset.select([]), 0, "rev_rec", None, np.zeros(0))


def test_the_sampler_keeps_every_sequence_but_where_published():
    sizes = {}
    for total in (8, 9, 10, 12):
        for published in (False, True):
            sampler = ConsecutiveSampler(total, 4, published)
            made = [sampler.sequences(n) for n in range(sampler.steps_per_epoch)]
            sizes[total, published] = [len(rows) for rows in made]
            np.testing.assert_array_equal(np.concatenate(made), np.arange(sum(map(len, made))))
            np.testing.assert_array_equal(sampler.sequences(sampler.steps_per_epoch), made[0])
    assert sizes == {
        (8, False): [4, 4],
        (8, True): [4, 4],
        (9, False): [4, 5],  # a single one has no neighbour
        (9, True): [4, 4],
        (10, False): [4, 4, 2],
        (10, True): [4, 4],
        (12, False): [4, 4, 4],
        (12, True): [4, 4, 4],
    }
    assert ConsecutiveSampler(3, 128).sequences(5).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((1, 4), "the data has 1 sequences, but 2 are needed"),
        ((127, 128, True), "the data has 127 sequences, but 128 are needed"),
        ((9, 1), "needs two or more, which are compared. Received: sampler.batch_size 1"),
    ],
)
def test_a_sampler_without_a_batch_is_refused(settings, message):
    with pytest.raises(GaitError, match=message):
        ConsecutiveSampler(*settings)
