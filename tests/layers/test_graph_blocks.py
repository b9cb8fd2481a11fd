"""Modules of the graph networks: padding, every second frame, where they start, names of structures."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers.graph_blocks import bottleneck_module, pointwise, temporal
from keras_gait.layers.resgcn import STRUCTURES, read_network, resgcn, structure_name


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def built(function, shape, *arguments, **options):
    maps = keras.Input(shape)
    return keras.Model(maps, function(maps, *arguments, **options))


@pytest.mark.backend
@pytest.mark.parametrize("frames", [1, 4, 5])
def test_nine_frames_around_every_second_one_with_zeros_beyond_the_ends(frames):
    model = built(temporal, (None, 2, 1), 1, "conv", 2, "ones")
    maps = noise(1, frames, 2, 1)
    padded = np.pad(maps, [(0, 0), (4, 4), (0, 0), (0, 0)])
    expected = np.stack([padded[:, t : t + 9].sum(axis=1) for t in range(0, frames, 2)], axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(model(maps)), expected, atol=1e-5)


@pytest.mark.backend
def test_a_pointwise_convolution_with_a_stride_takes_every_second_frame():
    model = built(pointwise, (None, 2, 1), 1, "conv", 2, "ones")
    maps = noise(1, 5, 2, 1)
    np.testing.assert_allclose(ops.convert_to_numpy(model(maps)), maps[:, ::2], atol=1e-6)


def test_a_plain_bottleneck_starts_as_its_shortcut_and_one_with_attention_does_not():
    maps = noise(1, 4, 17, 8)
    plain = built(bottleneck_module, (None, 17, 8), 8, "coco", "m", reduction=2)
    np.testing.assert_array_equal(plain(maps), np.maximum(maps, 0))
    attended = built(bottleneck_module, (None, 17, 8), 8, "coco", "m", start_as_shortcut=False)
    assert np.abs(attended(maps) - np.maximum(maps, 0)).max() > 1e-3


def test_kernels_start_with_two_over_the_fan_out():
    model = built(temporal, (None, 17, 32), 32, "conv")
    kernel = ops.convert_to_numpy(model.get_layer("conv").kernel)
    assert kernel.std() == pytest.approx((2 / (9 * 32)) ** 0.5, rel=0.03)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("resgcn-n39-r8", (None, "n", (1, 2, 2, 2), 8)),
        ("resgcn-b29", (None, "b", (1, 3, 6, 4), 1)),
        ("psa-resgcn-n75-r4", ("psa", "n", (1, 3, 6, 4), 4)),
        ("resgcn-n3.2.1.1-r8", (None, "n", (3, 2, 1, 1), 8)),
    ],
)
def test_a_name_tells_attention_block_counts_and_reduction(name, told):
    assert read_network(name) == told


@pytest.mark.parametrize(
    "name",
    [
        *("resgcn", "resgcn-", "resgcn-n31-r8", "resgcn-n39-r3", "resgcn-n39-8", "resgcn-n39-r8-r8"),
        *("xa-resgcn-n39", "pa-pa-resgcn-n39", "resnet-n39", "st-gcn", "", "resgcn-n0.1.1.1", None),
    ],
)
def test_another_name_is_refused_with_those_that_are_possible(name):
    with pytest.raises(ValueError, match=r"pa\|ca.*b15\|.*n75>\[-<r1\|r2\|r4\|r8>\].*Received: network="):
        read_network(name)


def test_structures_have_names_with_or_without_a_published_one():
    assert {structure_name(name[0], counts) for name, counts in STRUCTURES.items()} == set(STRUCTURES)
    assert structure_name("n", (3, 2, 1, 1)) == "n3.2.1.1"


def test_only_plain_modules_of_an_attentive_network_start_as_their_shortcut():
    branches = keras.Input((None, 17, 1, 3))
    model = keras.Model(branches, resgcn(branches, "fa-resgcn-n21-r8", "coco"))
    start = {
        name: float(ops.max(model.get_layer(f"{name}-scn-bn_up").gamma))
        for name in ("input_branches-0-layers-1", "main_stream-0", "main_stream-1")
    }
    assert start == {"input_branches-0-layers-1": 0.0, "main_stream-0": 1.0, "main_stream-1": 1.0}
