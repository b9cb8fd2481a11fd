"""Separate linear maps and classifiers of the parts."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PartsClassifier, PartsLinear

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


@pytest.mark.parametrize("layer", [PartsLinear(4, "l2"), PartsClassifier(4, "shared")])
def test_settings_survive_the_config(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
