"""GaitBase: its blocks, its size, its options."""

import keras
import numpy as np
import pytest

from keras_gait.models import GaitBase

pytestmark = pytest.mark.backend

TINY = {"channels": (2, 3, 4, 5), "embedding_size": 5, "bins": (4,), "frame_shape": (32, 12, 1)}


def height_before_pooling(model):
    return model.get_layer("batch_to_frames").input[0].shape[1]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_the_strides_and_the_maximum_halve_the_map():
    assert height_before_pooling(GaitBase(**TINY)) == 8
    assert height_before_pooling(GaitBase(maxpool=True, **TINY)) == 4
    assert height_before_pooling(GaitBase(strides=(1, 1, 2, 1), **TINY)) == 16


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_bottlenecks_end_four_times_as_wide():
    model = GaitBase(block="Bottleneck", **TINY)
    assert tuple(model.get_layer("FCs").kernel.shape) == (4, 20, 5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_stages_may_have_more_blocks():
    names = [layer.name for layer in GaitBase(**TINY | {"layers": (1, 2, 1, 1)}).layers]
    assert "Backbone-forward_block-layer2-1-conv2" in names
    assert "Backbone-forward_block-layer2-1-downsample-0" not in names


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
def test_the_size_is_the_published_one():
    weights = GaitBase(nclasses=74).trainable_weights
    assert round(sum(int(np.prod(w.shape)) for w in weights) / 1e6, 2) == 7.31


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": "basic"}, r"block must be one of \['BasicBlock', 'Bottleneck'\]. Received: block='basic'"),
        ({"channels": (2, 3, 4)}, "channels must have 4 entries"),
        ({"layers": (1, 1, 1)}, "layers must have 4 entries"),
        ({"strides": (1, 2, 2, 0)}, "strides must be whole numbers from 1"),
        ({"embedding_size": 1.5}, "embedding_size must be whole numbers from 1"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        GaitBase(**TINY | options)
