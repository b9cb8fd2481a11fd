"""GaitPart: its backbone is read from codes; order matters; its size."""

import keras
import numpy as np
import pytest

from keras_gait.layers import StripConv2D
from keras_gait.models import GaitPart
from keras_gait.models.gaitpart import OUMVLP

pytestmark = pytest.mark.backend

TINY = {
    "backbone_layers": ("BC-2", "M", "FC-4-1", "M", "FC-8-2"),
    "embedding_size": 5,
    "bins": (4,),
    "frame_shape": (16, 11, 1),
}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_the_codes_make_the_backbone():
    model = GaitPart(**TINY)
    names = [layer.name for layer in model.layers if layer.name.endswith("-conv") and "feature" in layer.name]
    assert names == [f"Backbone-forward_block-feature-{i}-conv" for i in (0, 3, 6)]
    first, second, third = map(model.get_layer, names)
    assert tuple(first.kernel.shape) == (5, 5, 1, 2)
    assert tuple(second.kernel.shape) == (3, 3, 2, 4)
    assert not isinstance(first, StripConv2D)
    assert (second.strips, third.strips) == (2, 4)


def test_the_order_of_the_frames_matters():
    model = GaitPart(**TINY)
    frames = np.random.default_rng(0).integers(0, 256, (1, 6, 16, 11, 1), np.uint8)
    one, other = (model.encoder.predict_on_batch(x) for x in (frames, frames[:, [4, 2, 0, 5, 1, 3]]))
    assert np.abs(one - other).max() > 1e-2 * np.abs(one).max()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_the_size_is_the_published_one():
    assert round(GaitPart().count_params() / 1e6, 2) == 1.20


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_the_larger_net_of_oumvlp_is_a_matter_of_codes():
    model = GaitPart(backbone_layers=OUMVLP, embedding_size=256)
    assert model.output["embeddings"].shape == (None, 16, 256)


@pytest.mark.parametrize("code", ["BC", "FC-64", "FC-64-x", "bc-32", "BC-0", 32])
def test_an_unknown_code_is_refused(code):
    with pytest.raises(ValueError, match=f"backbone_layers must be codes .* Received: '?{code}'?"):
        GaitPart(**TINY | {"backbone_layers": ("BC-2", code)})


def test_strips_must_divide_the_map():
    with pytest.raises(ValueError, match=r"strips must divide .* strips=32, height=16"):
        GaitPart(**TINY | {"backbone_layers": ("BC-2", "FC-4-5")})
