"""Convolutions that do not see over the edge of a strip."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import StripConv2D, StripConv3D, TemporalConvolution

pytestmark = pytest.mark.backend


def test_a_strip_sees_zeros_where_its_neighbour_is():
    layer = StripConv2D(1, 3, strips=2)
    layer.build((None, 4, 1, 1))
    layer.kernel.assign(np.ones((3, 3, 1, 1)))
    maps = np.array([1.0, 10, 100, 1000], "float32").reshape(1, 4, 1, 1)
    assert ops.convert_to_numpy(layer(maps)).ravel().tolist() == [11, 11, 1100, 1100]


def test_strips_of_a_clip_are_what_each_gives_alone():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(2, 4, 6, 3, 2)).astype("float32")
    present = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], "float32")
    layer = StripConv3D(5, strips=3)
    found = ops.convert_to_numpy(layer(maps, present))
    alone = TemporalConvolution(5, (3, 3, 3))
    alone.build((None, None, 2, 3, 2), (None, None))
    alone.kernel.assign(layer.kernel)
    strips = [ops.convert_to_numpy(alone(maps[:, :, row : row + 2], present)) for row in (0, 2, 4)]
    np.testing.assert_allclose(found, np.concatenate(strips, axis=2), atol=1e-5)


def test_absent_frames_are_zeros_to_their_neighbours():
    layer = StripConv3D(1, strips=1)
    layer.build((None, None, 2, 1, 1), (None, None))
    layer.kernel.assign(np.ones((3, 3, 3, 1, 1)))
    maps = np.array([1, 1, 10, 10, 100, 100], "float32").reshape(1, 3, 2, 1, 1)
    found = ops.convert_to_numpy(layer(maps, np.array([[1, 1, 0]], "float32")))
    assert found[0, :2, 0, 0, 0].tolist() == [22, 22]


@pytest.mark.parametrize("layer", [StripConv2D(1, 3, strips=3), StripConv3D(1, strips=3)])
def test_strips_that_do_not_divide_the_height_are_refused(layer):
    shapes = [(None, 4, 2, 1)] if isinstance(layer, StripConv2D) else [(None, None, 4, 2, 1), (None, None)]
    with pytest.raises(ValueError, match=r"strips must divide .* strips=3, height=4"):
        layer.build(*shapes)


def test_settings_survive_the_config():
    config = StripConv2D(2, 3, strips=4).get_config()
    assert StripConv2D.from_config(config).strips == 4
    again = StripConv3D.from_config(StripConv3D(2, strips=4, kernel_size=(1, 3, 3)).get_config())
    assert (again.filters, again.strips, again.kernel_size) == (2, 4, (1, 3, 3))
