"""Augmented views: what each step does, how often, to which frames, and what settings are refused."""

import re

import cv2
import numpy as np
import pytest

from keras_gait.data.view_augmentation import ViewAugmentation, change_grey, draw_rectangles, smooth, stretch
from keras_gait.errors import GaitError

OFF = {"flip": 0.0}
ALL = {"flip": 0.5, "crop": 0.5, "jitter": 0.5, "blur": 0.5}


@pytest.fixture
def clips():
    """Eight clips of five frames 16x12, no two frames alike and none its own mirror image."""
    return np.random.default_rng(5).integers(0, 256, (8, 5, 16, 12, 1), np.uint8)


def view(clips, seed=0, **settings):
    return ViewAugmentation(**settings)(clips, np.random.default_rng(seed))


def test_with_all_steps_off_a_view_is_a_copy(clips):
    found = view(clips, **OFF)
    np.testing.assert_array_equal(found, clips)
    assert not np.shares_memory(found, clips)


def test_all_frames_of_a_clip_are_mirrored_or_none(clips):
    many = np.tile(clips, (50, 1, 1, 1, 1))
    found = view(many)
    mirrored = (found == many[:, :, :, ::-1]).all(axis=(2, 3, 4))
    plain = (found == many).all(axis=(2, 3, 4))
    assert (mirrored ^ plain).all()
    assert (mirrored.all(axis=1) | plain.all(axis=1)).all()
    assert 160 < mirrored.all(axis=1).sum() < 240


def test_frames_of_a_clip_are_mirrored_one_by_one_as_published(clips):
    found = view(np.tile(clips, (10, 1, 1, 1, 1)), draw="frame")
    mirrored = (found == np.tile(clips, (10, 1, 1, 1, 1))[:, :, :, ::-1]).all(axis=(2, 3, 4))
    assert 0.4 < mirrored.mean() < 0.6
    assert (mirrored.any(axis=1) & ~mirrored.all(axis=1)).mean() > 0.8


@pytest.mark.parametrize("step", ["crop", "jitter", "blur"])
@pytest.mark.parametrize("draw", ["clip", "frame"])
def test_a_step_changes_as_many_as_its_probability_says(clips, step, draw):
    many = np.tile(clips, (40, 1, 1, 1, 1))
    found = view(many, **OFF, **{step: 0.25}, crop_scale=(0.1, 0.5), blur_sigma=(1.0, 2.0), draw=draw)
    changed = (found != many).any(axis=(2, 3, 4))
    assert 0.18 < changed.mean() < 0.32
    together = changed.all(axis=1) | ~changed.any(axis=1)
    assert together.all() == (draw == "clip")


def test_equal_frames_of_a_clip_stay_equal_through_all_steps(clips):
    found = view(np.repeat(clips[:, :1], 5, axis=1), **(ALL | {"crop": 1.0}))
    assert (found == found[:, :1]).all()
    assert found.dtype == np.uint8
    assert (found != clips[:, :1]).any()


def test_frames_do_not_hang_on_how_many_a_clip_has():
    """More than an OpenCV image has channels."""
    frame = np.random.default_rng(0).integers(0, 256, (1, 1, 16, 12, 1), np.uint8)
    settings = {"crop": 1.0, "jitter": 1.0, "blur": 1.0}
    found = view(np.repeat(frame, 300, axis=1), **settings)
    np.testing.assert_array_equal(found, np.repeat(view(frame, **settings), 300, axis=1))


def test_the_same_draws_make_the_same_view_and_others_another(clips):
    np.testing.assert_array_equal(view(clips, 7, **ALL), view(clips, 7, **ALL))
    assert (view(clips, 7, **ALL) != view(clips, 8, **ALL)).any()


def test_a_rectangle_is_stretched_over_the_frame_bilinearly():
    image = np.zeros((4, 4, 2), np.uint8)
    image[1:3, 1:3, 0] = [[0, 40], [80, 120]]
    image[0] = 255  # outside, and so nowhere to be seen
    found = stretch(image, 1, 1, 2, 2)
    assert found[:, :, 0].tolist() == [
        [0, 10, 30, 40],
        [20, 30, 50, 60],
        [60, 70, 90, 100],
        [80, 90, 110, 120],
    ]
    assert not found[:, :, 1].any()


def test_rectangles_have_the_areas_and_ratios_asked_for_and_lie_inside():
    rng = np.random.default_rng(0)
    top, left, tall, wide = draw_rectangles(5000, 64, 64, (0.08, 1.0), (0.75, 4 / 3), rng).T
    assert (np.minimum(top, left) >= 0).all()
    assert (np.maximum(top + tall, left + wide) <= 64).all()
    assert 0.07 < (tall * wide / 64**2).min() < 0.1
    assert 0.95 < (tall * wide / 64**2).max() <= 1
    assert 0.7 < (wide / tall).min() < 0.78
    assert 1.28 < (wide / tall).max() < 1.42
    assert np.abs(np.log(wide / tall).mean()) < 0.02
    assert (top + tall == 64).any()
    assert (top == 0).any()


def test_where_no_rectangle_fits_the_largest_in_the_middle_is_taken():
    found = draw_rectangles(3, 64, 44, (1.0, 1.0), (0.75, 4 / 3), np.random.default_rng(0))
    assert found.tolist() == [[2, 0, 59, 44]] * 3


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "settings",
    [
        {"crop_scale": (0.001, 0.001)},
        {"crop_ratio": (100, 100)},
        {"crop_ratio": (0.01, 0.01)},
        {"blur_sigma": (0.01, 0.01)},
        {"blur_sigma": (100, 100)},
        {"strength": 100},
    ],
)
def test_the_utmost_settings_still_make_views(clips, settings):
    found = view(clips, crop=1.0, jitter=1.0, blur=1.0, **settings)
    assert (found.shape, found.dtype) == (clips.shape, np.uint8)
    height, width = 16, 12
    scale, ratio = (settings.get(name, (0.5, 1)) for name in ("crop_scale", "crop_ratio"))
    top, left, tall, wide = draw_rectangles(50, height, width, scale, ratio, np.random.default_rng(0)).T
    assert (np.minimum(tall, wide) >= 1).all()
    assert (np.minimum(top, left) >= 0).all()
    assert ((top + tall <= height) & (left + wide <= width)).all()
    if "crop_scale" in settings:
        assert (tall * wide == 1).all()


def test_brightness_and_then_contrast_change_grey_about_each_frames_mean():
    image = np.zeros((2, 2, 2), np.uint8)
    image[:, 0] = [100, 200]
    found = change_grey(image, 1.5, 0.5)
    # brighter: 150 and 255 beside 0; means 75 and 127.5; half as far from them
    assert found[0].tolist() == [[112, 191], [38, 64]]


def test_a_factor_of_one_changes_no_grey(clips):
    np.testing.assert_array_equal(view(clips, **OFF, jitter=1.0, strength=0.0), clips)
    assert (view(clips, **OFF, jitter=1.0, strength=0.5) != clips).any()


def test_blur_is_a_gaussian_of_nine_taps_reflected_at_the_borders(clips):
    sigma, image = 1.5, np.moveaxis(clips[0, ..., 0], 0, -1)
    taps = np.exp(-(np.arange(-4, 5) ** 2) / (2 * sigma**2))
    taps /= taps.sum()
    found = smooth(image, *taps.astype(np.float32))
    padded = np.pad(image.astype(float), ((4, 4), (4, 4), (0, 0)), mode="reflect")
    rows = sum(tap * padded[i : i + 16] for i, tap in enumerate(taps))
    expected = sum(tap * rows[:, i : i + 12] for i, tap in enumerate(taps))
    np.testing.assert_allclose(found, expected, atol=0.51)
    drawn = view(clips[:1], **OFF, blur=1.0, blur_sigma=(sigma, sigma))
    np.testing.assert_array_equal(drawn[0, ..., 0], np.moveaxis(found, -1, 0))


def test_a_mirrored_view_is_the_mirror_image_of_the_same_view(clips):
    """Crop, jitter and blur are drawn alike; the flip comes after them or before, that is the same."""
    others = {"crop": 1.0, "jitter": 1.0, "blur": 1.0}
    plain, mirrored = view(clips, flip=0.0, **others), view(clips, flip=1.0, **others)
    np.testing.assert_array_equal(mirrored, np.stack([[cv2.flip(f, 1)[..., None] for f in c] for c in plain]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flip": 1.5}, "augmentation.flip must be a probability from 0 to 1. Received: 1.5"),
        ({"crop": -0.1}, "augmentation.crop must be a probability"),
        ({"blur": float("nan")}, "augmentation.blur must be a probability"),
        (
            {"crop_scale": (0.5, 1.5)},
            "augmentation.crop_scale must be two numbers from 0.001 to 1, the lesser first. Received: (0.5",
        ),
        ({"crop_scale": (0.1, 0.5, 0.9)}, "augmentation.crop_scale must be two numbers"),
        ({"crop_scale": ("a", "b")}, "augmentation.crop_scale must be two numbers"),
        ({"crop_ratio": (2, 1)}, "augmentation.crop_ratio must be two numbers from 0.01 to 100"),
        ({"crop_ratio": (1, np.inf)}, "augmentation.crop_ratio must be two numbers"),
        ({"blur_sigma": (0, 1)}, "augmentation.blur_sigma must be two numbers from 0.01 to 100"),
        ({"blur_sigma": (1, np.inf)}, "augmentation.blur_sigma must be two numbers"),
        ({"strength": -1}, "augmentation.strength must be a number from 0 to 100. Received: -1"),
        ({"strength": 1e308}, "augmentation.strength must be a number from 0 to 100"),
        ({"draw": "batch"}, "augmentation.draw must be clip or frame. Received: batch"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(GaitError, match=re.escape(message)):
        ViewAugmentation(**settings)
