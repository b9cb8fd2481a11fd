"""Short clips are repeated, and blocks of three frames count when they are whole."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import BlockConvolution, BlocksPresent, FramesPresent, RepeatShortClips

pytestmark = pytest.mark.backend


def clips(*lengths):
    """Frames of one pixel, numbered from 1; -1 fills up."""
    frames = np.full((len(lengths), max(lengths)), -1, "float32")
    for clip, length in zip(frames, lengths, strict=True):
        clip[:length] = np.arange(1, length + 1)
    return frames[..., None, None, None]


def repeated(x):
    return ops.convert_to_numpy(RepeatShortClips()(x, FramesPresent()(x)))[..., 0, 0, 0].tolist()


def test_one_frame_becomes_three_and_two_become_four():
    assert repeated(clips(1)) == [[1, 1, 1, -1]]
    assert repeated(clips(2)) == [[1, 2, 1, 2]]


def test_clips_of_three_frames_and_more_stay_as_they_are():
    assert repeated(clips(3)) == [[1, 2, 3, -1]]
    assert repeated(clips(5)) == clips(5)[..., 0, 0, 0].tolist()


def test_short_clips_are_repeated_among_longer_ones():
    assert repeated(clips(5, 1, 2)) == [[1, 2, 3, 4, 5], [1, 1, 1, -1, -1], [1, 2, 1, 2, -1]]


def test_a_block_is_a_weighted_sum_of_its_frames():
    layer = BlockConvolution(1)
    layer.build((None, None, 1, 1, 1))
    layer.kernel.assign(np.array([1, 10, 100]).reshape(3, 1, 1, 1, 1))
    found = ops.convert_to_numpy(layer(clips(8)))
    assert found[..., 0, 0, 0].tolist() == [[321, 654]]


def test_channels_of_a_pixel_are_mixed_and_pixels_are_not():
    x = np.random.default_rng(0).normal(size=(2, 6, 4, 3, 2)).astype("float32")
    layer = BlockConvolution(5)
    found = ops.convert_to_numpy(layer(x))
    kernel = ops.convert_to_numpy(layer.kernel)[:, 0, 0]
    expected = np.einsum("nbthwc,tcf->nbhwf", x.reshape(2, 2, 3, 4, 3, 2), kernel)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_block_with_an_absent_frame_does_not_count():
    present = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]], "float32")
    assert ops.convert_to_numpy(BlocksPresent()(present)).tolist() == [[1, 1], [1, 0]]


def test_settings_survive_the_config():
    again = BlockConvolution.from_config(BlockConvolution(2, size=4).get_config())
    assert (again.filters, again.size) == (2, 4)
    assert BlocksPresent.from_config(BlocksPresent(4).get_config()).size == 4
