"""Batches of pose sequences: frames, labels, views, and what is wrong with which sequence."""

import numpy as np
import pytest

from keras_gait.data.dataset import GaitDataset
from keras_gait.data.pose_augmentation import PoseAugmentation
from keras_gait.data.pose_batches import BLOCK, PoseBatches
from keras_gait.data.sampling import PKSampler, PoseSampling, ShuffledSampler
from keras_gait.errors import GaitError
from keras_gait.vision.joint_graphs import GRAPHS
from keras_gait.vision.pose_sequences import prepare

COUNTS = [5, 10, 11, 30, 1, 9, 12]


class Store:
    """x is the sequence's number, y the frame's; the confidence is 1."""

    def __init__(self):
        self.asked = []

    def read(self, row, start, count):
        self.asked.append((row, start, count))
        poses = np.ones((count, 17, 3), np.float32)
        poses[..., 0], poses[..., 1] = row, np.arange(start, start + count)[:, None]
        return poses


@pytest.fixture
def make():
    """``make(COUNTS)`` -> a data set of sequences so long; its store is ``dataset._store``."""

    def make(counts=COUNTS):
        number = len(counts)
        index = {"condition": ["nm"] * number, "view": ["090"] * number, "video": ["01"] * number}
        index |= {"subject": [f"{i:03d}" for i in range(number)], "frames": counts}
        return GaitDataset("set", {"frame_shape": (17, 3), "dtype": "float32"}, index, Store(), "digest")

    return make


def batches(dataset, batch_size=7, clips=None, **settings):
    sampler = ShuffledSampler(dataset.labels, batch_size, seed=1)
    return PoseBatches(dataset, dataset.labels, sampler, clips or PoseSampling(10, 0.0), **settings)


def test_a_batch_holds_poses_of_one_length_with_their_labels(make):
    poses, labels, targets = batches(make())[0]
    assert (poses.shape, poses.dtype, labels.dtype) == ((7, 10, 17, 3), np.float32, np.int32)
    assert targets is None
    np.testing.assert_array_equal(poses[:, :, 0, 0], np.repeat(labels[:, None], 10, axis=1))
    assert sorted(labels.tolist()) == list(range(7))
    padded = prepare(Store().read(0, 0, 5), 10)
    np.testing.assert_array_equal(poses[labels == 0][0], padded)


def test_only_the_frames_that_are_wanted_are_read_once(make):
    dataset = make()
    poses, labels, _ = batches(dataset, clips=PoseSampling(10, 0.5))[0]
    assert sorted(row for row, _, _ in dataset._store.asked) == list(range(7))
    for row, start, count in dataset._store.asked:
        assert count == min(COUNTS[row], 10)
        assert poses[labels == row][0, :, 0, 1].min() == start


def test_large_batches_are_made_block_by_block_in_their_order(make):
    dataset = make(list(range(1, 3 * BLOCK)))
    poses, labels, _ = batches(dataset, 3 * BLOCK)[0]
    np.testing.assert_array_equal(poses[:, 0, 0, 0], labels)


def test_two_views_of_each_sequence_have_draws_of_their_own(make):
    augment = PoseAugmentation(GRAPHS["coco"].flip_index)
    poses, labels, _ = batches(make(), views=2, clips=PoseSampling(10), augment=augment)[0]
    assert poses.shape == (14, 10, 17, 3)
    np.testing.assert_array_equal(labels[:7], labels[7:])
    assert len({view.tobytes() for view in poses}) == 14


def test_a_batch_is_the_same_whenever_it_is_asked_for(make):
    augment = PoseAugmentation(GRAPHS["coco"].flip_index)
    one, other = (batches(make(), 3, PoseSampling(10), augment=augment) for _ in range(2))
    forwards = [one[number][0] for number in range(6)]
    for number in reversed(range(6)):
        np.testing.assert_array_equal(other[number][0], forwards[number])
    assert (forwards[0] != forwards[3]).any()


def test_the_stream_keeps_the_order_and_the_small_last_batch(make):
    made = batches(make(), 4, label_outputs=("embeddings", "other"))
    for number, (poses, wanted) in zip(range(2, 6), made.to_tf_data(first=2), strict=False):
        expected, labels, _ = made[number]
        assert len(expected) == (4 if number % 2 == 0 else 3)
        np.testing.assert_array_equal(poses, expected)
        assert set(wanted) == {"embeddings", "other"}
        np.testing.assert_array_equal(wanted["other"], labels)


def test_subjects_times_sequences_may_be_drawn(make):
    dataset = make()
    sampler = PKSampler(dataset.labels, 2, 3, seed=0)
    _, labels, _ = PoseBatches(dataset, dataset.labels, sampler, PoseSampling(10))[0]
    assert (labels.reshape(2, 3) == labels.reshape(2, 3)[:, :1]).all()


def test_a_pose_that_is_no_number_is_named_with_its_sequence(make, monkeypatch):
    dataset = make()
    good = dataset._store.read

    def read(row, start, count):
        poses = good(row, start, count)
        if row == 3:
            poses[(np.arange(start, start + count) == 15), 4, 1] = np.nan
        return poses

    monkeypatch.setattr(dataset._store, "read", read)
    made = batches(dataset)
    message = r"^set: sequence 003/nm/090/01 is NaN or infinite at frame 15, joint 4; write 0, 0, 0"
    with pytest.raises(GaitError, match=message):
        [made[number] for number in range(50)]
    with pytest.raises(GaitError, match=message), made.own_errors():
        list(made.to_tf_data())


def test_a_sequence_without_frames_is_named(make):
    with pytest.raises(GaitError, match=r"^set: sequence 002/nm/090/01 has no frames; leave it out$"):
        batches(make([5, 5, 0, 5]))[0]


@pytest.mark.parametrize("parallel", [1, 4])
def test_reading_side_by_side_changes_no_batch(make, parallel):
    augment = PoseAugmentation(GRAPHS["coco"].flip_index)
    made = batches(make(), 3, PoseSampling(10), augment=augment)
    expected = [made[number] for number in range(2 * made.sampler.steps_per_epoch)]
    for (poses, wanted), (own, labels, _) in zip(made.to_tf_data(parallel=parallel), expected, strict=False):
        np.testing.assert_array_equal(poses, own)
        np.testing.assert_array_equal(wanted["embeddings"], labels)
    assert (expected[0][1] != expected[3][1]).any()  # the next epoch has another order
