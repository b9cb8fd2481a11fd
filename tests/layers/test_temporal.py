"""Convolution and maximum over time, with clips of different length in one batch."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import TemporalConvolution, TemporalMaxPooling

pytestmark = pytest.mark.backend

CLIP = np.random.default_rng(0).normal(size=(1, 4, 6, 5, 3)).astype("float32")


def ones(frames):
    return np.ones((1, frames), "float32")


def run(layer, *inputs):
    return ops.convert_to_numpy(layer(*inputs))


def directly(clip, kernel, stride):
    """The convolution's definition, one output value after the other."""
    margin = [size // 2 for size in kernel.shape[:3]]
    padded = np.pad(clip, [(m, m) for m in margin] + [(0, 0)])
    frames, height, width = clip.shape[:3]
    rows, columns = range(0, height, stride), range(0, width, stride)
    result = np.zeros((frames, len(rows), len(columns), kernel.shape[4]))
    for t, i, j in np.ndindex(result.shape[:3]):
        y, x = rows[i], columns[j]
        cell = padded[t : t + kernel.shape[0], y : y + kernel.shape[1], x : x + kernel.shape[2]]
        result[t, i, j] = np.tensordot(cell, kernel, 4)
    return result


@pytest.mark.parametrize(("size", "stride"), [((3, 1, 1), 1), ((3, 3, 3), 1), ((3, 3, 3), 2)])
def test_a_convolution_is_its_definition(size, stride):
    layer = TemporalConvolution(2, size, stride)
    found = run(layer, CLIP, ones(4))
    assert found.shape == layer.compute_output_shape(CLIP.shape, (1, 4))
    np.testing.assert_allclose(
        found[0], directly(CLIP[0], ops.convert_to_numpy(layer.kernel), stride), atol=1e-5
    )


def test_folded_frames_come_back_folded():
    layer = TemporalConvolution(2)
    unfolded = run(layer, CLIP, ones(4))
    np.testing.assert_array_equal(run(layer, CLIP[0], ones(4)), unfolded[0])


@pytest.mark.parametrize("size", [(3, 1, 1), (3, 3, 3)])
def test_absent_frames_are_the_zeros_beyond_the_end(size):
    layer = TemporalConvolution(2, size)
    alone = run(layer, CLIP, ones(4))
    padded = np.concatenate([CLIP, np.full((1, 3, 6, 5, 3), 9, "float32")], axis=1)
    found = run(layer, padded, np.array([[1, 1, 1, 1, 0, 0, 0]], "float32"))
    np.testing.assert_allclose(found[:, :4], alone, atol=1e-6)


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size=\(2, 1, 1\)"):
        TemporalConvolution(2, (2, 1, 1))


def test_the_maximum_leaves_out_absent_frames():
    clips = np.array([[[-1.0], [-3.0], [7.0]], [[-1.0], [-3.0], [7.0]]], "float32")
    present = np.array([[1, 1, 0], [1, 1, 1]], "float32")
    assert run(TemporalMaxPooling(), clips, present).tolist() == [[-1], [7]]


def test_a_clip_without_frames_gives_zeros():
    assert run(TemporalMaxPooling(), CLIP, np.zeros((1, 4), "float32")).max() == 0


def test_settings_survive_the_config():
    layer = TemporalConvolution(2, (3, 3, 3), 2)
    assert TemporalConvolution.from_config(layer.get_config()).get_config() == layer.get_config()
