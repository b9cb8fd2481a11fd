"""The training stream: batches by number, read ahead without losing their order."""

from itertools import islice

import numpy as np
import pytest

from keras_gait.data.dataset import GaitDataset
from keras_gait.data.pipeline import ClipBatches, pad
from keras_gait.data.sampling import ClipSampling, FrameSampling, PKSampler
from keras_gait.errors import GaitError

SUBJECTS = np.repeat(["a", "b", "c"], 2)


class Store:
    """Frames whose first pixel is the sequence's number and whose second is the frame's."""

    broken = False

    def read(self, row, start, count):
        if self.broken:
            raise GaitError("shard 3 is damaged")
        frames = np.zeros((count, 2, 64, 1), np.uint8)
        frames[:, 0, 0], frames[:, 0, 1] = row, np.arange(start, start + count)[:, None]
        return frames


@pytest.fixture
def dataset():
    index = {key: [""] * 6 for key in ("condition", "view", "video")}
    index |= {"subject": SUBJECTS, "frames": [20, 21, 22, 23, 24, 25]}
    info = {"frame_shape": (2, 64, 1), "dtype": "uint8"}
    return GaitDataset("set", info, index, Store(), "digest")


@pytest.fixture
def make(dataset):
    def make(classes=3, clips=None, **settings):
        sampler = PKSampler(dataset.labels, p=2, k=2, seed=1)
        return ClipBatches(dataset, dataset.labels, classes, sampler, clips or ClipSampling(16), **settings)

    return make


def test_a_batch_holds_clips_labels_and_one_hot_targets(make, dataset):
    clips, labels, targets = make()[0]
    assert (clips.shape, clips.dtype) == ((4, 16, 2, 64, 1), np.uint8)
    sequences = clips[:, 0, 0, 0, 0]
    np.testing.assert_array_equal(labels, dataset.labels[sequences])
    np.testing.assert_array_equal(targets, np.eye(3)[labels])
    assert np.diff(clips[:, :, 0, 1, 0].astype(int)).tolist() == [[1] * 15] * 4


def test_shuffled_frames_come_out_of_one_read(make):
    clips, _, _ = make(clips=ClipSampling(16, shuffled=True))[0]
    numbers = clips[:, :, 0, 1, 0]
    assert (np.diff(numbers.astype(int)) < 0).any()
    assert all(len(set(row.tolist())) == 16 for row in numbers)


def test_all_clips_of_a_batch_have_one_length_and_batches_differ(make):
    batches = make(clips=ClipSampling(20, varying_length=True))
    lengths = {batches[n][0].shape[1] for n in range(20)}
    assert lengths == {16, 17, 18, 19}


def test_without_classes_there_are_no_targets_and_nothing_is_mixed(make):
    clips, _, targets = make(classes=0, mixing={"mixup_rate": 1.0})[0]
    assert targets is None
    assert clips.dtype == np.uint8


def test_mixing_leaves_the_labels_of_the_triplets_alone(make):
    plain, mixed = make()[5], make(mixing={"mixup_rate": 1.0, "cutmix_rate": 0.0})[5]
    np.testing.assert_array_equal(plain[1], mixed[1])
    assert (mixed[2] != plain[2]).any()
    assert mixed[0].dtype == np.float32


def test_the_transform_runs_before_the_mixing(make):
    batches = make(transform=lambda clips: clips * 0 + 9, mixing={"mixup_rate": 1.0})
    np.testing.assert_allclose(batches[0][0], 9)


@pytest.mark.parametrize("mixing", [None, {"mixup_rate": 0.5}])
def test_the_stream_gives_the_batches_in_order_from_any_number(make, mixing):
    batches = make(mixing=mixing)
    stream = islice(batches.to_tf_data(first=3, parallel=4).as_numpy_iterator(), 5)
    for number, (clips, wanted) in enumerate(stream, start=3):
        expected = batches[number]
        np.testing.assert_array_equal(clips, expected[0])
        np.testing.assert_array_equal(wanted["embeddings"], expected[1])
        np.testing.assert_array_equal(wanted["logits"], expected[2])
    assert number == 7


def test_the_stream_knows_its_types_without_reading(make, dataset):
    dataset._store.broken = True
    for classes, mixing, kind in ((3, None, "uint8"), (3, {}, "float32"), (0, {}, "uint8")):
        clips, _ = make(classes, mixing=mixing).to_tf_data().element_spec
        assert clips.shape.as_list() == [None, None, 2, 64, 1]
        assert clips.dtype.name == kind


def test_the_stream_without_classes_has_labels_only(make):
    _, wanted = next(make(classes=0).to_tf_data().as_numpy_iterator())
    assert set(wanted) == {"embeddings"}


def test_what_goes_wrong_while_reading_ahead_is_kept(make, dataset):
    import tensorflow as tf

    batches = make()
    stream = batches.to_tf_data()
    dataset._store.broken = True
    with pytest.raises(tf.errors.OpError):
        next(iter(stream))
    assert str(batches.failure) == "shard 3 is damaged"


def test_clips_of_different_length_are_filled_up_with_frames_of_minus_one():
    batch = pad([np.full((2, 3, 3, 1), 7, np.uint8), np.full((4, 3, 3, 1), 255, np.uint8)])
    assert (batch.shape, batch.dtype) == ((2, 4, 3, 3, 1), np.int16)
    assert batch[0, :, 0, 0, 0].tolist() == [7, 7, -1, -1]
    assert batch[1].min() == 255


def test_unfixed_clips_make_padded_batches(make):
    batches = make(clips=FrameSampling(limits=(5, 9)))
    lengths = (batches[0][0][:, :, 0, 0, 0] >= 0).sum(axis=1)
    assert len(set(lengths.tolist())) > 1
    clips, _ = next(batches.to_tf_data().as_numpy_iterator())
    assert clips.dtype == np.int16
    np.testing.assert_array_equal(clips, batches[0][0])


def test_each_sequence_is_augmented_by_itself_and_may_change_its_shape(make):
    seen = []

    def augment(frames, rng):
        seen.append(rng.random())
        return frames[:, :, 10:54]

    batches = make(augment=augment, frame_shape=(2, 44, 1))
    clips, wanted = next(batches.to_tf_data().as_numpy_iterator())
    assert clips.shape == (4, 16, 2, 44, 1)
    assert set(wanted) == {"embeddings", "logits"}
    assert len(set(seen[:4])) == 4


def test_the_labels_go_to_every_output_without_classes(make):
    outputs = ("embeddings", "features")
    _, wanted = next(make(label_outputs=outputs).to_tf_data().as_numpy_iterator())
    assert set(wanted) == {"embeddings", "features", "logits"}
    np.testing.assert_array_equal(wanted["features"], wanted["embeddings"])
