"""Separate linear maps and classifiers of the parts."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PartsClassifier, PartsLinear, SeparateGlorot, UnitLength, bn_neck

pytestmark = pytest.mark.backend

PARTS = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]], "float32")  # (1, 3 parts, 2 channels)


def test_every_part_has_its_own_map():
    layer = PartsLinear(2)
    layer.build(PARTS.shape)
    layer.kernel.assign(np.stack([np.eye(2) * factor for factor in (1, 10, 100)]))
    assert ops.convert_to_numpy(layer(PARTS)).tolist() == [[[1, 2], [30, 40], [500, 600]]]


def test_the_start_is_glorot_uniform_over_the_whole_kernel():
    layer = PartsLinear(20)
    layer.build((None, 31, 30))
    kernel = ops.convert_to_numpy(layer.kernel)
    limit = (6 / (31 * (30 + 20))) ** 0.5
    assert 0.95 * limit < np.abs(kernel).max() <= limit


def test_unit_columns_do_not_feel_the_kernels_scale():
    layer = PartsLinear(2, unit_columns=True)
    layer.build(PARTS.shape)
    layer.kernel.assign(np.broadcast_to(np.array([[3.0, 0.0], [4.0, 7.0]]), (3, 2, 2)))
    expected = PARTS @ np.array([[0.6, 0.0], [0.8, 1.0]])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(PARTS)), expected, rtol=1e-6)


def test_opengaits_start_is_xavier_of_the_whole_stack():
    kernel = ops.convert_to_numpy(SeparateGlorot()((16, 30, 20), "float32"))
    limit = (6 / (30 * 20 + 16 * 20)) ** 0.5
    assert 0.95 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < 0.02 * limit


def test_vectors_of_unit_length_and_a_zero_vector():
    found = ops.convert_to_numpy(UnitLength()(np.array([[3.0, 4.0], [0.0, 0.0]], "float32")))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0]], rtol=1e-6)


def neck(classes=5, **options):
    parts = keras.Input((3, 2))
    return keras.Model(parts, [x for x in bn_neck(parts, classes, **options) if x is not None])


def test_a_necks_logits_are_cosines():
    features, logits = (ops.convert_to_numpy(x) for x in neck()(PARTS * 100))
    np.testing.assert_allclose(np.linalg.norm(features, axis=-1), 1, rtol=1e-5)
    assert logits.shape == (1, 3, 5)
    assert np.abs(logits).max() <= 1.0001


def test_a_neck_without_norm_is_normalisation_and_a_plain_product():
    model = neck(norm=False)
    features, logits = (ops.convert_to_numpy(x) for x in model(PARTS * 100))
    assert np.abs(features).max() > 100
    kernel = ops.convert_to_numpy(model.get_layer("BNNecks").kernel)
    np.testing.assert_allclose(logits, np.einsum("bpc,pck->bpk", features, kernel), rtol=1e-4, atol=1e-3)


def test_a_neck_without_classes_gives_features_alone():
    assert len(neck(classes=0).outputs) == 1


def logits(kind, kernel, bias):
    layer = PartsClassifier(1, kind)
    layer.build(PARTS.shape)
    layer.kernel.assign(np.reshape(kernel, layer.kernel.shape))
    layer.bias.assign(np.reshape(bias, layer.bias.shape))
    result = ops.convert_to_numpy(layer(PARTS))
    assert result.shape == layer.compute_output_shape(PARTS.shape)
    return result[0, :, 0].tolist()


def test_a_split_classifier_weighs_every_part_by_itself():
    assert logits("split", [1, 0, 0, 1, 1, 1], [0, 0, 100]) == [1, 4, 111]


def test_a_shared_classifier_weighs_all_parts_alike():
    assert logits("shared", [1, 10], [100]) == [121, 143, 165]


def test_a_joint_classifier_takes_part_after_part():
    assert logits("joint", [1, 0, 0, 0, 0, 10], [100]) == [161]


@pytest.mark.parametrize(("kind", "fan_in"), [("split", 8), ("shared", 8), ("joint", 80)])
def test_every_classifier_starts_within_its_own_limit(kind, fan_in):
    layer = PartsClassifier(100, kind)
    layer.build((None, 10, 8))
    limit = (6 / (fan_in + 100)) ** 0.5
    assert 0.95 * limit < np.abs(ops.convert_to_numpy(layer.kernel)).max() <= limit
    assert not ops.convert_to_numpy(layer.bias).any()


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="'each'"):
        PartsClassifier(3, "each")


@pytest.mark.parametrize(
    "layer",
    [
        PartsLinear(4, "l2"),
        PartsLinear(4, kernel_initializer=SeparateGlorot(1), unit_columns=True),
        PartsClassifier(4, "shared"),
        SeparateGlorot(3),
    ],
)
def test_settings_survive_the_config(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
