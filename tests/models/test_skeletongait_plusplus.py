"""SkeletonGait++: its two branches and what joins them."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PairFusion
from keras_gait.models import SkeletonGaitPlusPlus
from keras_gait.models.skeletongait_plusplus import attention_fusion

pytestmark = pytest.mark.backend

MAPS = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")


def test_equal_scores_give_the_mean_and_a_high_one_its_branch():
    def fused(first, second):
        scores = np.concatenate([np.full_like(MAPS, first), np.full_like(MAPS, second)], axis=-1)
        return ops.convert_to_numpy(PairFusion()(scores, MAPS, 3 * MAPS))

    np.testing.assert_allclose(fused(1.0, 1.0), 2 * MAPS, rtol=1e-5)
    np.testing.assert_allclose(fused(90.0, 0.0), MAPS, rtol=1e-5)
    np.testing.assert_allclose(fused(0.0, 90.0), 3 * MAPS, rtol=1e-5)


def test_the_fusion_squeezes_by_16():
    branch, present = keras.Input((8, 8, 64)), keras.Input((None,))
    model = keras.Model([branch, present], attention_fusion(branch, branch, present))
    assert tuple(model.get_layer("fusion-conv-forward_block-3").kernel.shape) == (3, 3, 4, 4)
    assert model.output.shape == branch.shape


@pytest.mark.parametrize(("channel", "branch"), [(0, "map"), (1, "map"), (2, "sil")])
def test_every_channel_feeds_its_own_branch(channel, branch):
    model = SkeletonGaitPlusPlus(C=1, frame_shape=(16, 16, 3))
    names = [f"{name}_layer1-forward_block-0-relu" for name in ("map", "sil")]
    branches = keras.Model(model.input, [model.get_layer(name).output for name in names])
    frames = np.zeros((1, 1, 16, 16, 3), "float32")
    lit = frames.copy()
    lit[..., channel] = 255
    changed = [
        not np.array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))
        for one, other in zip(branches(frames), branches(lit), strict=True)
    ]
    assert changed == [branch == "map", branch == "sil"]


def test_a_fraction_makes_a_narrow_network_with_a_fusion_of_its_own():
    model = SkeletonGaitPlusPlus(C=0.25, frame_shape=(16, 16, 3))
    assert model.output["embeddings"].shape == (None, 16, 32)
    assert model.get_layer("fusion-conv-forward_block-3").kernel.shape[-1] == 1


def test_frames_may_be_48_columns_wide():
    assert SkeletonGaitPlusPlus(C=1, frame_shape=(64, 48, 3)).output["embeddings"].shape == (None, 16, 128)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"C": 0}, r"32 \* C must be a whole number of channels. Received: C=0"),
        ({"C": 0.3}, r"32 \* C must be a whole number of channels. Received: C=0.3"),
        ({"blocks": (1, 1, 1)}, "blocks must have 4 entries"),
        (
            {"frame_shape": (64, 44, 2)},
            r"3 channels: limb map, joint map, silhouette. Received: .*\(64, 44, 2\)",
        ),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        SkeletonGaitPlusPlus(**options)
