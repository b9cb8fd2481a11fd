"""GaitGL: both nets, both ends, short clips."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import StripConv3D
from keras_gait.models import GaitGL

pytestmark = pytest.mark.backend

TINY = {"channels": (2, 3, 4), "frame_shape": (64, 6, 1)}


def embed(model, frames):
    return model.encoder.predict_on_batch(frames)


def test_a_short_clip_is_repeated():
    model = GaitGL(**TINY)
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 64, 6, 1), np.uint8)
    np.testing.assert_allclose(embed(model, frames[:, [0, 1, 0, 1]]), embed(model, frames), atol=1e-6)
    np.testing.assert_allclose(embed(model, frames[:, [0, 0, 0]]), embed(model, frames[:, :1]), atol=1e-6)


def test_frames_beyond_the_last_block_of_three_do_not_make_a_block():
    model = GaitGL(**TINY)
    assert model.get_layer("LTA-0-conv3d").output.shape[1] is None
    frames = np.random.default_rng(0).integers(0, 256, (1, 8, 64, 6, 1), np.uint8)
    changed = frames.copy()
    changed[:, 7] = 0  # seen by no frame of the blocks 0-2 and 3-5
    np.testing.assert_array_equal(embed(model, changed), embed(model, frames))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
@pytest.mark.parametrize(("channels", "strips", "count"), [((2, 3, 4), 8, 3), ((2, 3, 4, 5), 2, 6)])
def test_four_widths_make_the_deeper_net(channels, strips, count):
    model = GaitGL(channels=channels, frame_shape=(64, 6, 1))
    local = [layer for layer in model.layers if isinstance(layer, StripConv3D)]
    assert [layer.strips for layer in local] == [strips] * count
    assert model.output["embeddings"].shape == (None, 64, channels[-1])


def test_necks_leave_the_embedding_before_them():
    model = GaitGL(nclasses=3, bn_necks=True, **TINY)
    names = [layer.name for layer in model.layers]
    assert "BNNecks" in names
    assert "Bn" not in names
    assert "Head1" not in names
    logits = ops.convert_to_numpy(model(np.full((1, 3, 64, 6, 1), 200, "uint8"))["logits"])
    assert np.abs(logits).max() <= 1 + 1e-6


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_the_size_is_the_published_one():
    assert round(sum(int(np.prod(w.shape)) for w in GaitGL(nclasses=74).weights) / 1e6, 2) == 3.10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": (32, 64)}, r"channels must have 3 or 4 entries. Received: channels=\(32, 64\)"),
        ({"channels": (32, 64, -1)}, "channels must be whole numbers from 1"),
        ({"frame_shape": (96, 44, 1)}, "height must be a multiple of 64"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        GaitGL(**TINY | options)
