"""Augmentation of whole sequences: what each warp does, and that all frames and channels share one draw."""

import cv2
import numpy as np
import pytest

from keras_gait.data.warps import (
    SequenceAugmentation,
    affine,
    centre_columns,
    draw_corners,
    draw_rectangle,
    draw_triangles,
    erase,
    flip,
    perspective,
    rotate,
    silhouette_width,
)
from keras_gait.errors import GaitError

RNG = np.random.default_rng(0)


def walk(frames=5, height=64, width=64, channels=2, dtype=np.uint8):
    """Smooth frames, each and each channel unlike the others."""
    noise = RNG.integers(0, 256, (frames, height // 8, width // 4, channels), np.uint8)
    return np.stack([_large(f, height, width, channels) for f in noise]).astype(dtype)


def _large(frame, height, width, channels):
    return cv2.resize(frame, (width, height)).reshape(height, width, channels)


@pytest.mark.parametrize(
    ("height", "width", "cut"), [(64, 64, 44), (64, 44, 44), (128, 128, 88), (128, 88, 88)]
)
def test_the_window_is_44_columns_for_64_rows_and_88_stay_88(height, width, cut):
    assert silhouette_width(height, width) == cut


def test_the_middle_columns_are_kept():
    frames = np.broadcast_to(np.arange(64)[:, None], (1, 2, 64, 1))
    assert centre_columns(frames, 44)[0, 0, :, 0].tolist() == list(range(10, 54))
    assert centre_columns(frames, 64).shape == frames.shape


def test_a_flip_exchanges_left_and_right_of_every_frame():
    frames = walk()
    np.testing.assert_array_equal(flip(frames)[:, :, 0], frames[:, :, 63])


def test_the_full_frame_as_quadrilateral_changes_nothing():
    frames = walk()
    np.testing.assert_array_equal(perspective(frames, (0, 64, 0, 64)), frames)


def test_a_narrow_top_is_stretched_to_the_full_width():
    frames = np.zeros((3, 64, 64, 1), np.uint8)
    frames[:, :8, 8:56] = 200
    stretched = perspective(frames, (8, 56, 0, 64))
    assert (stretched[:, 0, 2:62] == 200).all()
    assert stretched[:, 40:].max() == 0


def test_no_angle_changes_nothing_and_a_quarter_turn_goes_against_the_clock():
    frames = walk(channels=3)
    np.testing.assert_array_equal(rotate(frames, 0.0), frames)
    dot = np.zeros((1, 65, 65, 1), np.float32)
    dot[0, 10, 32] = 1.0  # above the middle
    assert rotate(dot, 90.0, published_centre=False)[0, 32, 10, 0] == pytest.approx(1.0, abs=1e-3)


def test_the_published_centre_has_x_and_y_exchanged_and_the_option_the_middle():
    exchanged, middle = (22, 32), (32, 22)  # (row, column) of a 64x44 frame
    assert _moved(exchanged, True) < 0.1 < 1.0 < _moved(middle, True)
    assert _moved(middle, False) < 0.2 < 1.0 < _moved(exchanged, False)


def _moved(place, published):
    """How far a turn by 10 degrees takes a dot of a 64x44 frame, in pixels."""
    frames = np.zeros((1, 64, 44, 1), np.float32)
    frames[0, place[0], place[1]] = 1.0
    turned = rotate(frames, 10.0, published)[0, :, :, 0]
    rows, columns = np.mgrid[:64, :44]
    row, column = (turned * rows).sum() / turned.sum(), (turned * columns).sum() / turned.sum()
    return np.hypot(row - place[0], column - place[1])


def test_an_affine_map_takes_its_points_along():
    frames = walk()
    corners = np.float32([[0, 0], [64, 0], [0, 64]])
    shifted = affine(frames, corners, corners + 3)
    np.testing.assert_array_equal(shifted[:, 3:, 3:], frames[:, :-3, :-3])
    assert shifted[:, :3].max() == 0


def test_erasing_blackens_a_rectangle_and_leaves_the_original():
    frames = np.full((2, 8, 8, 2), 9, np.uint8)
    erased = erase(frames, 1, 2, 3, 4)
    assert (erased[:, 1:4, 2:6] == 0).all()
    assert (erased == 0).sum() == 2 * 3 * 4 * 2
    assert frames.min() == 9


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_frames_warped_together_are_as_warped_alone(dtype, channels):
    frames = walk(200, channels=channels, dtype=dtype)  # more channels than an OpenCV image may have
    together = rotate(frames, 7.0)
    assert together.dtype == dtype
    for i in (0, 50, 199):
        matrix = cv2.getRotationMatrix2D((32, 32), 7.0, 1.0)
        alone = cv2.warpAffine(frames[i], matrix, (64, 64)).reshape(64, 64, channels)
        # OpenCV rounds coordinates to 1/32 pixel where an image has other channels than 1, 3 or 4
        assert np.abs(together[i].astype(float) - alone).max() < 8


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [64, 128])
def test_a_warp_of_one_frame_is_that_of_many(channels, size):
    frame = (RNG.random((1, size, size, channels)) > 0.5).astype(np.float32)  # hard edges
    many = np.tile(frame, (5, 1, 1, 1))
    np.testing.assert_array_equal(rotate(frame, 7.3), rotate(many, 7.3)[:1])
    corners = (3, size - 7, 8, size - 2)
    np.testing.assert_array_equal(perspective(frame, corners), perspective(many, corners)[:1])


def test_offsets_of_the_quadrilateral_lie_in_the_outer_columns():
    drawn = np.array([draw_corners(64, RNG) for _ in range(300)])
    assert (drawn.min(axis=0) == [0, 54, 0, 54]).all()
    assert (drawn.max(axis=0) == [9, 63, 9, 63]).all()


def test_points_of_the_affine_map_move_by_10_pixels_in_64_rows_at_most():
    corners, moved = draw_triangles(64, 44, RNG)
    assert corners.tolist() == [[0, 0], [44, 0], [0, 64]]
    assert 0 < np.abs(moved - corners).max() <= 10


def test_erased_rectangles_have_the_published_areas_and_fit():
    drawn = np.array([draw_rectangle(64, 44, RNG) for _ in range(500)])
    top, left, height, width = drawn.T
    areas = height * width / (64 * 44)
    assert areas.min() > 0.04
    assert areas.max() < 0.21
    assert (top + height <= 64).all()
    assert (left + width <= 44).all()


def test_no_rectangle_fits_into_a_single_row():
    assert draw_rectangle(1, 100, RNG) == (0, 0, 0, 0)


SURE = {"perspective": 1.0, "affine": 1.0, "flip": 1.0, "rotate": 1.0, "erasing": 1.0}


def test_every_frame_and_channel_of_a_sequence_shares_the_draw():
    frame = walk(1, channels=1)
    same = np.tile(frame, (6, 1, 1, 3))
    augmented = SequenceAugmentation(44, **SURE)(same, np.random.default_rng(3))
    assert augmented.shape == (6, 64, 44, 3)
    assert (augmented == augmented[:1, :, :, :1]).all()
    assert (augmented != centre_columns(same, 44)).any()


@pytest.mark.parametrize("name", SURE)
def test_each_step_is_done_with_its_probability(name):
    augment = SequenceAugmentation(44, **{name: 0.3})
    frames = walk(1, channels=1)
    plain = centre_columns(frames, 44)
    changed = [(augment(frames, np.random.default_rng(i)) != plain).any() for i in range(200)]
    assert 0.2 < np.mean(changed) < 0.4


def test_without_probabilities_frames_are_only_cut():
    frames = walk()
    np.testing.assert_array_equal(SequenceAugmentation(44)(frames, RNG), frames[:, :, 10:54])


def test_perspective_has_no_room_in_frames_narrower_than_44():
    SequenceAugmentation(44, perspective=0.2).check(44)
    SequenceAugmentation(22).check(22)
    with pytest.raises(GaitError, match=r"44 or more columns wide\. Received: 43"):
        SequenceAugmentation(43, perspective=0.2).check(43)


@pytest.mark.parametrize("chance", [20.0, -0.1, float("nan")])
@pytest.mark.parametrize("name", SURE)
def test_what_is_no_probability_is_refused(name, chance):
    with pytest.raises(GaitError, match=rf"augmentation\.{name} must be a probability from 0 to 1"):
        SequenceAugmentation(44, **{name: chance}).check(64)
