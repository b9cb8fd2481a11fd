"""Attention on joints: weights of parts, the statistics that parts share, joints that parts share."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PartWeights
from keras_gait.layers.graph_attention import ATTENTIONS
from keras_gait.vision.joint_graphs import find_graph

PARTS = find_graph("coco").parts


def attended(kind, parts=PARTS, channels=8):
    maps = keras.Input((None, 17, channels))
    return keras.Model(maps, ATTENTIONS[kind](maps, parts, "att"))


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def test_a_joint_has_the_softmax_of_the_first_part_that_holds_it():
    scores = np.log(np.array([1, 3, 2, 2], "float32"))[None, None, None]  # two channels of two parts
    weights = ops.convert_to_numpy(PartWeights(((0, 2), (1, 2)))(scores))
    np.testing.assert_allclose(weights[0, 0], [[0.25, 0.5], [0.75, 0.5], [0.25, 0.5]], atol=1e-6)


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_weights_of_zero_leave_the_map(kind):
    model = attended(kind)
    model.get_layer("att-bn").gamma.assign(np.zeros(8))
    maps = noise(2, 1, 17, 8)  # one frame
    np.testing.assert_allclose(model(maps), np.maximum(maps, 0), atol=1e-6)


@pytest.mark.backend
def test_one_sample_alone_has_the_weights_that_it_has_in_a_batch():
    maps = noise(3, 5, 17, 8)
    for kind in ("fa", "ja"):
        model = attended(kind)
        together, alone = model.predict_on_batch(maps), model.predict_on_batch(maps[:1])
        np.testing.assert_allclose(alone, together[:1], atol=1e-5)


@pytest.mark.backend
def test_the_normalisation_that_parts_share_learns_from_one_part_after_the_other():
    model = attended("psa")
    shared = model.get_layer("att-part_pool-1")
    maps = noise(2, 3, 17, 8)
    convolved = ops.convert_to_numpy(model.get_layer("att-part_pool-0")(maps))
    expected = np.zeros(2)
    for part in PARTS:
        expected = 0.9 * expected + 0.1 * convolved[:, :, part].mean(axis=(0, 1, 2))
    model(maps, training=True)
    np.testing.assert_allclose(ops.convert_to_numpy(shared.moving_mean), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_a_saved_one_comes_back_and_learns_the_same(kind, tmp_path):
    model = attended(kind)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    maps = noise(2, 3, 17, 8)
    np.testing.assert_array_equal(again(maps, training=True), model(maps, training=True))
    for one, other in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_attention_over_joints_needs_every_joint_in_one_part():
    with pytest.raises(ValueError, match=r"\(ja\) needs each of the 17 joints in one part.*hold 21"):
        attended("ja", (*PARTS[:-1], (*PARTS[-1], 5, 6, 11, 12)))
