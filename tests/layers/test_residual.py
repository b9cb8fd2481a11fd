"""Residual blocks: their names, their shapes, and what a shortcut does."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import (
    FramesPresent,
    FramesToBatch,
    basic_block,
    basic_block_3d,
    basic_block_p3d,
    bottleneck,
)

pytestmark = pytest.mark.backend

CLIPS = np.random.default_rng(0).uniform(0, 1, (2, 3, 8, 6, 4)).astype("float32")


def model(block, filters, stride):
    clips = keras.Input((None, 8, 6, 4))
    present = FramesPresent()(clips)
    return keras.Model(clips, block(FramesToBatch()(clips), present, filters, "block", stride))


def weights(model):
    return sorted(layer.name.removeprefix("block-") for layer in model.layers if layer.weights)


CASES = {
    basic_block: ["bn1", "bn2", "conv1", "conv2"],
    basic_block_3d: ["bn1", "bn2", "conv1", "conv2"],
    basic_block_p3d: [
        "conv1-forward_block-0",
        "conv1-forward_block-1",
        "conv2-forward_block-0",
        "conv2-forward_block-1",
        "sbn",
        "shortcut3d",
    ],
}


@pytest.mark.parametrize("block", CASES)
def test_layers_bear_the_published_names_and_a_shortcut_only_where_shapes_change(block):
    assert weights(model(block, 4, 1)) == CASES[block]
    projected = sorted([*CASES[block], "downsample-0", "downsample-1"])
    assert weights(model(block, 5, 1)) == projected
    assert weights(model(block, 4, 2)) == projected


@pytest.mark.parametrize("block", [*CASES, bottleneck])
def test_a_stride_of_2_halves_rows_and_columns(block):
    channels = 20 if block is bottleneck else 5
    found = model(block, 5, 2)(CLIPS)
    assert tuple(found.shape) == (6, 4, 3, channels)
    assert ops.convert_to_numpy(found).min() == 0


def test_a_block_whose_last_scale_is_0_gives_its_input():
    same = model(basic_block, 4, 1)
    same.get_layer("block-bn2").gamma.assign(np.zeros(4))
    np.testing.assert_allclose(ops.convert_to_numpy(same(CLIPS)), CLIPS.reshape(6, 8, 6, 4), atol=1e-6)
