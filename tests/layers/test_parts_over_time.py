"""Parts over time: their own convolutions, means and maxima of the frames around, absent frames apart."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PartsConvolution, WindowPooling

pytestmark = pytest.mark.backend

ALL = np.ones((1, 4), "float32")
THREE = np.array([[1, 1, 1, 0]], "float32")  # the fourth frame only fills up
RAMP = np.array([1.0, 2, 3, 100], "float32").reshape(1, 1, 4, 1)  # (parts, batch, frames, channels)


def test_every_part_has_its_own_taps():
    layer = PartsConvolution(1, 3)
    layer.build((2, None, None, 1), (None, None))
    layer.kernel.assign(np.array([[1, 0, 0], [0, 0, 10]]).reshape(2, 3, 1, 1))  # the frame before; after
    found = ops.convert_to_numpy(layer(np.repeat(RAMP, 2, axis=0), ALL))[:, 0, :, 0]
    assert found[0].tolist() == [0, 1, 2, 3]
    assert found[1].tolist() == [20, 30, 1000, 0]


def test_channels_are_mixed_within_a_part_only():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 2, 5, 4)).astype("float32")
    layer = PartsConvolution(6, 1)
    found = ops.convert_to_numpy(layer(x, np.ones((2, 5), "float32")))
    kernel = ops.convert_to_numpy(layer.kernel)
    for part in range(3):
        np.testing.assert_allclose(found[part], x[part] @ kernel[part, 0], atol=1e-5)


def test_every_filter_of_every_part_has_its_own_bias():
    layer = PartsConvolution(2, 1, use_bias=True)
    layer.build((3, None, None, 1), (None, None))
    layer.kernel.assign(np.zeros((3, 1, 1, 2)))
    layer.bias.assign(np.arange(6.0).reshape(3, 2))
    found = ops.convert_to_numpy(layer(np.ones((3, 1, 4, 1), "float32"), ALL))
    assert found[:, 0, 2].tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(("kind", "limit"), [("glorot_uniform", (6 / 250) ** 0.5), ("fan_in_uniform", 0.1)])
def test_a_part_starts_as_if_it_were_alone(kind, limit):
    layer = PartsConvolution(30, 5, use_bias=True, kernel_initializer=kind)
    layer.build((7, None, None, 20), (None, None))
    kernel, bias = layer.get_weights()
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert 0.09 < np.abs(bias).max() <= 0.1
    assert np.abs(kernel[0] - kernel[1]).max() > limit


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="Received: kernel_initializer='he'"):
        PartsConvolution(2, 3, kernel_initializer="he")


def test_an_absent_frame_is_a_zero_to_its_neighbours():
    layer = PartsConvolution(1, 3)
    layer.build((1, None, None, 1), (None, None))
    layer.kernel.assign(np.ones((1, 3, 1, 1)))
    assert ops.convert_to_numpy(layer(RAMP, THREE)).ravel()[:3].tolist() == [3, 6, 5]


def test_windows_count_zeros_in_the_mean_and_nothing_in_the_maximum():
    below = RAMP - 10  # -9, -8, -7: a zero would be the maximum
    found = ops.convert_to_numpy(WindowPooling(3)(below, THREE)).ravel()
    assert found.tolist() == pytest.approx([-17 / 3 - 8, -24 / 3 - 7, -15 / 3 - 7, 0])


def test_a_window_of_five_reaches_two_frames_far():
    found = ops.convert_to_numpy(WindowPooling(5)(RAMP, ALL)).ravel()
    assert found.tolist() == pytest.approx([6 / 5 + 3, 106 / 5 + 100, 106 / 5 + 100, 105 / 5 + 100])


def test_half_precision_gives_no_infinity():
    found = WindowPooling(5, dtype="float16")(RAMP, np.array([[1, 0, 0, 0]], "float32"))
    assert ops.convert_to_numpy(found).ravel().tolist() == pytest.approx([1.2, 0, 0, 0], rel=1e-3)


@pytest.mark.parametrize("make", [lambda: PartsConvolution(2, 2), lambda: WindowPooling(4)])
def test_an_even_window_is_refused(make):
    with pytest.raises(ValueError, match="must be odd"):
        make()


def test_settings_survive_the_config():
    config = PartsConvolution(2, 3, use_bias=True, kernel_initializer="fan_in_uniform").get_config()
    assert PartsConvolution.from_config(config).get_config() == config
    assert (config["filters"], config["kernel_size"], config["use_bias"]) == (2, 3, True)
    assert WindowPooling.from_config(WindowPooling(5).get_config()).size == 5
