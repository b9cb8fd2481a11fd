"""Pyramids of strips over space and over space-time."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import HorizontalPyramid, TemporalHorizontalPyramid

pytestmark = pytest.mark.backend


def run(layer, maps):
    """The layer on ``maps`` with all kernel weights one."""
    layer.build(maps.shape)
    for kernel in layer.kernels:
        kernel.assign(np.ones(kernel.shape, "float32"))
    return ops.convert_to_numpy(layer(maps))


def test_strips_sum_their_rows_and_the_full_width():
    maps = np.ones((1, 2, 4, 3, 1), "float32")
    parts = run(HorizontalPyramid(bins=(1, 2, 4), activation=None, reduction="mean"), maps)
    assert parts[0, :, 0].tolist() == [3, 3, 3, 3, 6, 6, 12]


def test_strips_run_bin_by_bin_from_top_to_bottom():
    maps = np.zeros((1, 2, 4, 3, 2), "float32")
    maps[:, :, 3] = 1.0  # only the lowest row is lit
    parts = run(HorizontalPyramid(bins=(1, 2), activation=None, reduction="mean"), maps)
    assert parts[0, :, 1].tolist() == [0, 0, 0, 3, 0, 3]


@pytest.mark.parametrize(("reduction", "expected"), [("mean", 1.0), ("both", 1.0 + 4.0)])
def test_frames_are_pooled_by_the_mean_or_by_mean_plus_maximum(reduction, expected):
    maps = np.zeros((1, 4, 1, 1, 1), "float32")
    maps[0, 2] = 4.0
    assert run(HorizontalPyramid(bins=(1,), activation=None, reduction=reduction), maps).item() == expected


def test_rows_beyond_the_last_whole_strip_are_lost():
    maps = np.zeros((1, 1, 5, 1, 1), "float32")
    maps[0, 0, 4] = 1.0
    assert not run(HorizontalPyramid(bins=(2,), activation=None), maps).any()


def test_blocks_of_time_are_weighed_then_pooled_by_mean_plus_maximum():
    maps = np.zeros((1, 4, 2, 3, 1), "float32")
    maps[:, 2:] = 1.0  # the second of two blocks of two frames
    parts = run(TemporalHorizontalPyramid(bins=(2,), activation=None), maps)
    assert parts.tolist() == [[[12 / 2 + 12]]]  # 2 frames x 2 rows x 3 columns


def test_frames_beyond_the_last_whole_block_are_lost():
    maps = np.zeros((1, 5, 2, 1, 1), "float32")
    maps[:, 4] = 1.0
    assert not run(TemporalHorizontalPyramid(bins=(2,), activation=None), maps).any()


def test_every_weight_of_a_block_has_its_own_place():
    layer = TemporalHorizontalPyramid(bins=(2,), activation=None)
    layer.build((1, 2, 2, 2, 1))
    layer.kernels[0].assign(np.arange(8, dtype="float32").reshape(2, 2, 2, 1, 1))
    maps = np.zeros((1, 2, 2, 2, 1), "float32")
    maps[0, 1, 0, 1] = 1.0  # frame 1, row 0, column 1: weight 4 + 0 + 1
    assert ops.convert_to_numpy(layer(maps)).item() == 5 + 5


@pytest.mark.parametrize("layer", [HorizontalPyramid, TemporalHorizontalPyramid])
def test_sixteen_rows_and_frames_give_31_parts(layer):
    layer = layer()
    maps = np.ones((2, 16, 16, 2, 3), "float32")
    assert tuple(layer(maps).shape) == layer.compute_output_shape(maps.shape) == (2, 31, 3)


@pytest.mark.parametrize("layer", [HorizontalPyramid, TemporalHorizontalPyramid])
def test_the_activation_is_swish_unless_told(layer):
    maps = np.ones((1, 1, 1, 1, 1), "float32")
    pooled = 1.0 if layer is TemporalHorizontalPyramid else 2.0  # mean plus maximum come after, or before
    swish = pooled / (1 + np.exp(-pooled))
    expected = swish * (2.0 if layer is TemporalHorizontalPyramid else 1.0)
    assert run(layer(bins=(1,)), maps).item() == pytest.approx(expected, rel=1e-5)


def test_strips_higher_than_the_map_are_refused_by_name():
    with pytest.raises(ValueError, match=r"height=12; \[16\] are higher"):
        HorizontalPyramid().build((1, 16, 12, 16, 3))


def test_too_short_a_clip_is_refused_at_build_and_at_call():
    layer = TemporalHorizontalPyramid(bins=(1, 4))
    with pytest.raises(ValueError, match=r"needs 4 frames.*frames=3"):
        layer.build((1, 3, 4, 2, 1))
    layer = TemporalHorizontalPyramid(bins=(1, 4))
    layer.build((None, None, 4, 2, 1))
    with pytest.raises(ValueError, match=r"needs 4 frames.*frames=3"):
        layer(np.ones((1, 3, 4, 2, 1), "float32"))


def test_another_reduction_is_refused():
    with pytest.raises(ValueError, match="'max'"):
        HorizontalPyramid(reduction="max")
