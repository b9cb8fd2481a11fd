"""Pixels to numbers, clips to frames and back, and which frames are there."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import BatchToFrames, CentreColumns, FramesPresent, FramesToBatch, PixelScaling

pytestmark = pytest.mark.backend


def test_pixels_are_scaled_to_minus_one_to_one_and_clipped():
    pixels = np.array([-9, 0, 127.5, 255, 300], "float32").reshape(1, 5, 1, 1, 1)
    assert ops.convert_to_numpy(PixelScaling()(pixels)).ravel().tolist() == [-1, -1, 0, 1, 1]


def test_bytes_and_floats_give_the_same():
    pixels = np.arange(256).reshape(1, 1, 16, 16, 1)
    layer = PixelScaling()
    from_bytes, from_floats = (
        ops.convert_to_numpy(layer(pixels.astype(kind))) for kind in ("uint8", "float32")
    )
    np.testing.assert_array_equal(from_bytes, from_floats)


def test_a_frame_that_is_the_mean_becomes_zero():
    layer = PixelScaling(subtract_mean=True)
    layer.build((None, None, 1, 2, 1))
    layer.mean.assign(np.array([51.0, 204.0], "float32").reshape(1, 2, 1))
    frames = np.array([[51, 204], [0, 255]], "uint8").reshape(1, 2, 1, 2, 1)
    scaled = ops.convert_to_numpy(layer(frames)).reshape(2, 2)
    np.testing.assert_allclose(scaled, [[0, 0], [-0.4, 0.4]], atol=1e-6)  # 51 / 255 of a range of 2
    assert layer.trainable_weights == []


def test_frames_fold_into_the_batch_in_order_and_come_back():
    clips = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype("float32")
    folded = FramesToBatch()(clips)
    assert ops.convert_to_numpy(folded).tolist() == clips.reshape(6, 4).tolist()
    assert ops.convert_to_numpy(BatchToFrames()(folded, clips)).tolist() == clips.tolist()


def test_shapes_are_known_before_any_data():
    assert FramesToBatch().compute_output_shape((2, 3, 8, 8, 1)) == (6, 8, 8, 1)
    assert FramesToBatch().compute_output_shape((None, 3, 8, 8, 1)) == (None, 8, 8, 1)
    assert BatchToFrames().compute_output_shape((None, 4, 4, 7), (None, 3, 8, 8, 1)) == (None, 3, 4, 4, 7)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_a_black_frame_is_there_and_a_negative_one_is_not(kind):
    clips = np.zeros((2, 3, 4, 4, 1), kind)
    clips[0, 1] = 200
    expected = np.ones((2, 3))
    if kind == "float32":
        clips[1, 2] = -1
        expected[1, 2] = 0
    assert ops.convert_to_numpy(FramesPresent()(clips)).tolist() == expected.tolist()


@pytest.mark.parametrize(("columns", "first"), [(64, 10), (44, 0)])
def test_the_centre_columns_stay_scaled_to_one(columns, first):
    clips = np.broadcast_to(np.arange(columns, dtype="float32")[:, None] * 2.55, (1, 2, 3, columns, 1))
    found = ops.convert_to_numpy(CentreColumns(44)(clips))
    assert found.shape == (1, 2, 3, 44, 1)
    np.testing.assert_allclose(found[0, 1, 2, :, 0], (first + np.arange(44)) / 100, rtol=1e-5)


def test_frames_narrower_than_that_are_refused():
    with pytest.raises(ValueError, match=r"at least 44 columns wide\. Received: 40"):
        CentreColumns(44)(np.zeros((1, 2, 3, 40, 1), "float32"))
