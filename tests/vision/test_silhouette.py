"""Normalised silhouettes and gait energy images."""

import numpy as np

from keras_gait.vision.silhouette import (
    ccpg_silhouette,
    gait_energy_image,
    gaitset_silhouette,
    normalise_silhouette,
    opengait_silhouette,
)


def block(top, left, height, width):
    """A picture of 100 x 120 with one white rectangle."""
    picture = np.zeros((100, 120), np.uint8)
    picture[top : top + height, left : left + width] = 255
    return picture


def test_a_body_fills_all_rows_and_stands_in_the_middle():
    shape = normalise_silhouette(block(20, 70, 32, 10))
    assert shape.shape == (64, 44)
    assert shape.dtype == np.uint8
    columns = np.flatnonzero(shape.mean(axis=0) > 127)
    assert columns.tolist() == list(range(12, 32))
    assert (shape[:, 14:30] == 255).all()


def test_place_and_size_in_the_picture_do_not_matter():
    near, far = normalise_silhouette(block(0, 0, 96, 30)), normalise_silhouette(block(50, 100, 32, 10))
    assert np.mean(np.abs(near.astype(int) - far) > 64) < 0.02


def test_size_and_width_are_those_asked_for():
    assert normalise_silhouette(block(10, 10, 60, 20), size=32, width=32).shape == (32, 32)


def test_a_body_wider_than_the_result_is_cut_at_both_sides():
    shape = normalise_silhouette(block(10, 10, 32, 60), width=20)
    assert shape.shape == (64, 20)
    assert (shape == 255).all()


def test_the_centre_halves_the_area_so_an_arm_does_not_move_it():
    body = block(20, 50, 64, 12)
    arm = body.copy()
    arm[40:43, 62:80] = 255
    moved = np.abs(normalise_silhouette(body).astype(int) - normalise_silhouette(arm))[:20]
    assert np.mean(moved > 64) < 0.05


def test_too_few_pixels_are_nobody():
    assert normalise_silhouette(block(0, 0, 8, 5)) is None
    assert normalise_silhouette(block(0, 0, 41, 1)) is not None
    assert normalise_silhouette(np.zeros((10, 10), np.uint8)) is None


def test_opengait_s_frame_is_square_with_the_body_in_the_middle():
    shape = opengait_silhouette(block(20, 70, 32, 10))
    assert shape.shape == (64, 64)
    columns = np.flatnonzero(shape.mean(axis=0) > 127)
    assert columns.tolist() == list(range(22, 42))
    assert opengait_silhouette(block(20, 70, 32, 10), size=32).shape == (32, 32)


def test_opengait_drops_faint_frames_and_bodies_whose_middle_is_the_first_column():
    assert opengait_silhouette(block(10, 10, 3, 13)) is None  # 39 pixels, 9945
    assert opengait_silhouette(block(10, 10, 4, 10)) is not None  # 10200
    edge = np.zeros((64, 64), np.uint8)
    edge[:, 0] = 255
    assert opengait_silhouette(edge) is None
    assert ccpg_silhouette(edge)[:, 32].all()


def test_gaitset_keeps_a_body_whose_middle_is_the_first_column():
    edge = np.zeros((128, 64), np.uint8)
    edge[:, :2] = 255
    assert opengait_silhouette(edge) is None
    assert np.flatnonzero(gaitset_silhouette(edge).min(axis=0) > 200).tolist() == [32]
    body = block(20, 70, 32, 10)
    np.testing.assert_array_equal(gaitset_silhouette(body, 32), opengait_silhouette(body, 32))
    assert gaitset_silhouette(block(10, 10, 3, 13)) is None
    assert gaitset_silhouette(np.full((300, 2), 255, np.uint8)) is None


def test_ccpg_keeps_any_pixel_and_says_when_there_is_none():
    assert ccpg_silhouette(block(10, 10, 1, 1)).any()
    assert ccpg_silhouette(block(10, 10, 60, 20), height=32, width=22).shape == (32, 22)
    assert ccpg_silhouette(np.zeros((10, 10), np.uint8)) is None


def test_a_picture_too_narrow_to_be_scaled_is_dropped():
    line = np.full((300, 2), 255, np.uint8)
    assert opengait_silhouette(line) is None
    assert ccpg_silhouette(line) is None


def test_the_energy_image_is_the_mean_over_the_frames_with_a_body():
    thin, wide = block(20, 30, 64, 10), block(20, 30, 64, 20)
    energy = gait_energy_image([thin, np.zeros_like(thin), wide])
    assert energy.shape == (64, 44)
    assert energy.dtype == np.float32
    assert energy[:, 22].tolist() == [255.0] * 64
    assert energy[:, 14].tolist() == [127.5] * 64
    assert energy[:, 2].tolist() == [0.0] * 64


def test_the_energy_image_of_nobody_is_black():
    assert not gait_energy_image(np.zeros((3, 20, 20), np.uint8)).any()
