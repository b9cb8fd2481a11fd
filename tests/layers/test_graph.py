"""Graph convolution: the formula, which hops count, what is refused."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import GraphConvolution
from keras_gait.vision.joint_graphs import find_graph


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@pytest.mark.backend
@pytest.mark.parametrize(("joints", "count", "hops"), [("coco", 17, 3), ("oumvlp", 18, 4)])
def test_every_joint_sums_its_neighbours_by_their_distance(joints, count, hops):
    layer = GraphConvolution(5, joints, hops, bias_initializer="random_normal")
    maps = noise(2, 3, count, 4)
    layer.build(maps.shape)
    layer.edge.assign(noise(4, count, count))
    found = ops.convert_to_numpy(layer(maps))
    kernel, bias, edge = map(ops.convert_to_numpy, (layer.kernel, layer.bias, layer.edge))
    mapped = (maps @ kernel[0, 0] + bias).reshape(2, 3, count, hops, 5)
    weights = find_graph(joints).adjacency()[:hops] * edge[:hops]
    np.testing.assert_allclose(found, np.einsum("btvkc,kvw->btwc", mapped, weights), atol=1e-5)


def test_three_hops_do_not_see_what_is_three_bones_away():
    layer = GraphConvolution(1, "coco", 3, kernel_initializer="ones")
    maps = np.zeros((1, 1, 17, 1), "float32")
    maps[0, 0, 15] = 1.0  # left ankle - knee - hip - then right hip and left shoulder
    reached = np.flatnonzero(ops.convert_to_numpy(layer(maps))[0, 0, :, 0])
    assert reached.tolist() == [11, 13, 15]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hops": 5}, "hops must be 1 to 4. Received: hops=5"),
        ({"joints": "kinect"}, "kinect"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GraphConvolution(4, **options)


def test_other_joints_are_refused():
    with pytest.raises(ValueError, match=r"\(batch, frames, 17, channels\).*Received: shape \(1, 2, 18, 3\)"):
        GraphConvolution(4)(np.zeros((1, 2, 18, 3), "float32"))


def test_it_comes_back_from_its_configuration():
    layer = GraphConvolution(4, "oumvlp", 4, "he_normal", "ones", name="main_stream-0-scn-conv-gcn")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
