"""GaitSet: a set has no order; its size."""

import keras
import numpy as np
import pytest

from keras_gait.models import GaitSet

pytestmark = pytest.mark.backend

TINY = {"channels": (2, 3, 4), "embedding_size": 5, "bins": (4, 2, 1), "frame_shape": (16, 11, 1)}


def test_the_order_of_the_frames_does_not_matter():
    model = GaitSet(**TINY)
    frames = np.random.default_rng(0).integers(0, 256, (1, 6, 16, 11, 1), np.uint8)
    found = [model.encoder.predict_on_batch(x) for x in (frames, frames[:, [4, 2, 0, 5, 1, 3]])]
    np.testing.assert_allclose(*found, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_both_branches_have_every_strip():
    assert GaitSet(**TINY).output["embeddings"].shape == (None, 2 * (4 + 2 + 1), 5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
@pytest.mark.parametrize("channels", [(32, 64, 128), (64, 128, 256)])
def test_the_size_is_the_published_one(channels):
    model = GaitSet(channels=channels)
    a, b, c = channels
    convolutions = 25 * a + 9 * (a * a + 2 * (a * b + b * b + b * c + c * c))
    assert model.count_params() == convolutions + 62 * c * 256
    if channels == (32, 64, 128):
        assert round(model.count_params() / 1e6, 2) == 2.59


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": (32, 64)}, r"channels must have 3 entries. Received: channels=\(32, 64\)"),
        ({"channels": (32, 64, 0)}, r"channels must be whole numbers from 1"),
        ({"embedding_size": 0}, "embedding_size must be whole numbers from 1. Received: embedding_size=0"),
        ({"bins": ()}, "bins must be whole numbers from 1"),
        ({"bins": (5,)}, r"\[5\] leave a remainder"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        GaitSet(**TINY | options)
