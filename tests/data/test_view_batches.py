"""Batches of views: one window read once, two views of it, by the batch's number."""

import numpy as np
import pytest

from keras_gait.data.dataset import GaitDataset
from keras_gait.data.sampling import ClipSampling, PKSampler, ShuffledSampler
from keras_gait.data.view_augmentation import ViewAugmentation
from keras_gait.data.view_batches import ViewBatches
from keras_gait.errors import GaitError

PLAIN = ViewAugmentation(flip=0.0)


class Store:
    """The corner holds the sequence's number and the frame's."""

    def __init__(self):
        self.asked = []

    def read(self, row, start, count):
        self.asked.append((row, start, count))
        frames = np.zeros((count, 8, 6, 1), np.uint8)
        frames[:, 0, 0, 0], frames[:, 0, 1, 0] = row, np.arange(start, start + count)
        return frames


@pytest.fixture
def dataset():
    """Eight sequences of four subjects, 12 frames each, the last one 3."""
    index = {"condition": ["nm"] * 8, "video": ["01", "02"] * 4, "view": ["090"] * 8}
    index |= {"subject": np.repeat(["001", "002", "003", "004"], 2), "frames": [12] * 7 + [3]}
    return GaitDataset("set", {"frame_shape": (8, 6, 1), "dtype": "uint8"}, index, Store(), "digest")


def batches(dataset, augment=PLAIN, **settings):
    sampler = PKSampler(dataset.labels, 4, 2, seed=3)
    clips = ClipSampling(5, repeat=True)
    return ViewBatches(dataset, dataset.labels, sampler, clips, augment, **settings)


def test_both_views_show_the_same_consecutive_frames(dataset):
    (first, second), labels, targets = batches(dataset)[0]
    assert (first.shape, first.dtype, labels.dtype) == ((8, 5, 8, 6, 1), np.uint8, np.int32)
    assert targets is None
    np.testing.assert_array_equal(first, second)
    numbers = first[:, :, 0, 1, 0].astype(int)
    long = first[:, 0, 0, 0, 0] < 7
    assert (np.diff(numbers[long]) == 1).all()
    np.testing.assert_array_equal(first[:, 0, 0, 0, 0] // 2, labels)
    assert len(dataset._store.asked) == 8  # once for both


def test_short_sequences_are_looped_where_that_is_asked_for(dataset):
    short = dataset.select([6, 7])
    sampler = ShuffledSampler(short.labels, 2, seed=0)
    (first, _), *_ = ViewBatches(short, short.labels, sampler, ClipSampling(5, repeat=True), PLAIN)[0]
    numbers = first[first[:, 0, 0, 0, 0] == 7][0, :, 0, 1, 0].astype(int)
    assert (np.diff(numbers) % 3 == 1).all()


def test_the_views_are_augmented_by_draws_of_their_own(dataset):
    stream = batches(dataset, ViewAugmentation(flip=0.5))
    mirrored = np.concatenate(
        [[view[:, 0, 0, :2, 0].sum(axis=1) == 0 for view in stream[n][0]] for n in range(20)], 1
    )
    assert 0.35 < mirrored[0].mean() < 0.65
    assert 0.3 < (mirrored[0] != mirrored[1]).mean() < 0.7


def test_a_batch_is_drawn_by_its_number_alone(dataset):
    augment = ViewAugmentation(flip=0.5, crop=0.5, jitter=0.5, blur=0.5)
    (first, second), *_ = batches(dataset, augment)[7]
    for wanted, _ in batches(dataset, augment).to_tf_data(first=7).take(1):
        np.testing.assert_array_equal(wanted["view_1"], first)
        np.testing.assert_array_equal(wanted["view_2"], second)
    (other, _), *_ = batches(dataset, augment)[8]
    assert (other != first).any()


def test_a_stream_has_two_inputs_and_labels_by_name(dataset):
    spec = batches(dataset).to_tf_data().element_spec
    assert {name: (each.shape.as_list(), each.dtype.name) for name, each in spec[0].items()} == {
        "view_1": ([None, None, 8, 6, 1], "uint8"),
        "view_2": ([None, None, 8, 6, 1], "uint8"),
    }
    assert list(spec[1]) == ["labels"]


def test_one_view_is_a_models_only_input(dataset):
    single = batches(dataset, views=1, label_outputs=("embeddings",))
    clips, labels, _ = single[0]
    np.testing.assert_array_equal(clips, batches(dataset)[0][0][0])
    for streamed, wanted in single.to_tf_data().take(1):
        np.testing.assert_array_equal(streamed, clips)
        np.testing.assert_array_equal(wanted["embeddings"], labels)


@pytest.mark.parametrize(
    ("info", "held"),
    [
        (
            {"frame_shape": (8, 6, 3), "dtype": "uint8", "channels": ["limb", "joint", "silhouette"]},
            "limb, joint",
        ),
        ({"frame_shape": (17, 3), "dtype": "float32"}, "3 of float32"),
    ],
)
def test_what_is_no_silhouette_is_refused(info, held):
    index = {key: ["001"] for key in ("subject", "condition", "video", "view")} | {"frames": [12]}
    with pytest.raises(GaitError, match=f"set: views are made of silhouettes, .* its channels are {held}"):
        ViewBatches(GaitDataset("set", info, index, Store(), "digest"), np.zeros(1), None, None, PLAIN)
