"""Strips of a feature map."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import GeMStripPooling, StripPooling

pytestmark = pytest.mark.backend


def run(layer, maps):
    found = ops.convert_to_numpy(layer(maps))
    assert found.shape == layer.compute_output_shape(maps.shape)
    return found


def test_strips_keep_their_order_and_place():
    maps = np.zeros((1, 4, 3, 2), "float32")
    maps[0, 3] = 5.0  # only the lowest row is lit
    assert run(StripPooling((1, 4)), maps)[0, :, 0].tolist() == [5 / 4 + 5, 0, 0, 0, 10]


def test_an_uneven_split_is_refused_by_name():
    with pytest.raises(ValueError, match=r"\[3\] leave a remainder"):
        StripPooling((2, 3))(np.zeros((1, 4, 4, 1), "float32"))


def test_the_generalised_mean_of_exponent_1_is_the_mean():
    maps = np.arange(12, dtype="float32").reshape(1, 4, 3, 1) + 1
    np.testing.assert_allclose(run(GeMStripPooling((4,), p=1.0), maps)[0, :, 0], [2, 5, 8, 11], rtol=1e-5)


def test_a_high_exponent_nears_the_maximum_and_values_below_0_count_as_nothing():
    maps = np.array([-5.0, 1.0, 2.0], "float32").reshape(1, 1, 3, 1)
    found = run(GeMStripPooling((1,), p=6.5), maps).item()
    assert found == pytest.approx(((1 + 2**6.5) / 3) ** (1 / 6.5), rel=1e-4)


@pytest.mark.parametrize("layer", [StripPooling((2, 1)), GeMStripPooling((2,), p=3.0)])
def test_settings_survive_the_config(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
