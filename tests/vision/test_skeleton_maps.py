"""Skeleton maps: what is drawn where, blank frames, options, and their settings' file."""

import cv2
import numpy as np
import pytest
import yaml
from conftest import ROOT
from test_poses import standing

from keras_gait.data.simulate import simulate_walk
from keras_gait.errors import GaitError
from keras_gait.vision.gaussians import Segments, brightest, level, make_segments, values
from keras_gait.vision.skeleton_maps import (
    SECTIONS,
    MapSettings,
    read_settings,
    segments,
    settings_from_yaml,
    skeleton_maps,
)

PUBLISHED = ROOT / "configs" / "skeletongait" / "pretreatment_heatmap.yaml"


def slowly(part, size, sigma):
    """`brightest` without any of its short cuts."""
    grid = np.arange(size)
    part = Segments(*(field[:, :, None, None] for field in part))
    return level(values(part, grid, grid[:, None], sigma).max(axis=0))


@pytest.mark.parametrize(("size", "sigma"), [(128, 8.0), (96, 8.0), (128, 2.0), (100, 0.6), (64, 30.0)])
def test_the_fast_way_draws_the_same_to_the_last_bit(size, sigma):
    rng = np.random.default_rng(0)
    pose = rng.normal(size / 2, size / 4, (20, 17, 3))
    pose[..., 2] = rng.uniform(0, 1.2, (20, 17))
    pose[rng.uniform(size=(20, 17)) < 0.1, 2] = 0
    pose[0, 3, :2] = pose[0, 1, :2] + 0.3  # a limb shorter than a pixel
    pose[1, :, 2] = 0
    pose[2, :, :2] += 3 * size  # outside
    pose[3, :, :2] = np.nan
    for part in segments(pose, MapSettings(heatmap_image_height=size, sigma=sigma)):
        fast, slow = brightest(part, size, sigma), slowly(part, size, sigma)
        assert slow.any()
        assert (fast == slow).all()


def test_the_fast_way_draws_walks_the_same_to_the_last_bit():
    walk = simulate_walk(1, "nm", 1, "054", 12).poses.astype(float)
    walk[..., :2] = walk[..., :2] * 1.5
    for part in segments(walk, MapSettings()):
        assert (brightest(part, 128, 8.0) == slowly(part, 128, 8.0)).all()


@pytest.mark.parametrize("score", [0.0, 0.002])
def test_nothing_or_too_little_to_see_is_a_blank_image(score):
    ends, scores = np.full((17, 3, 2), 40.0), np.full((17, 3), score)
    assert not brightest(make_segments(ends, ends, scores, scores, 128, 8.0, 1e-3), 128, 8.0).any()


def test_what_only_its_box_brings_near_the_image_is_blank():
    ends, scores = np.full((17, 3, 2), -23.0), np.full((17, 3), 0.2)
    part = make_segments(ends, ends, scores, scores, 128, 8.0, 1e-3)
    assert part.box.any()
    assert not brightest(part, 128, 8.0).any()


def test_limbs_that_leave_the_image_far_behind_are_as_exact():
    rng = np.random.default_rng(1)
    start = rng.uniform(0, 128, (17, 5, 2))
    end = start + rng.normal(0, 1, (17, 5, 2)) * 10.0 ** rng.uniform(0, 5, (17, 5, 1))
    scores = rng.uniform(0.3, 1, (17, 5))
    part = make_segments(start, end, scores, scores, 128, 8.0, 1e-3)
    assert (brightest(part, 128, 8.0) == slowly(part, 128, 8.0)).all()


def test_limbs_are_channel_0_and_connect_what_joints_leave_apart():
    maps = skeleton_maps(simulate_walk(1, "nm", 1, "090", 6).poses)
    assert maps.shape == (6, 64, 64, 2)
    assert maps.dtype == np.uint8
    bright = (maps > 150).sum(axis=(1, 2))
    assert (bright[:, 0] > 1.1 * bright[:, 1]).all()


@pytest.mark.parametrize(("joint", "rows"), [(0, slice(0, 32)), (16, slice(32, 64))])
def test_heads_are_up(joint, rows):
    pose = standing(4)
    pose[:, np.arange(17) != joint, 2] = 0
    maps = skeleton_maps(pose, MapSettings(sigma=2.0, align=False))
    assert maps[:, rows, :, 1].any(axis=(1, 2)).all()
    maps[:, rows] = 0
    assert not maps.any()


def test_frames_that_cannot_be_drawn_are_blank():
    pose = standing(8)
    pose[2, :, 2] = 0  # no joint seen
    pose[5, :, 1] = 70  # flat
    blank = ~skeleton_maps(pose).any(axis=(1, 2, 3))
    assert np.flatnonzero(blank).tolist() == [2, 5]


def test_cut_together_limbs_and_joints_keep_one_scale():
    pose = standing(4)
    pose[:, [13, 14], 2] = 0  # without knees there are ankles and no legs
    apart, together = (skeleton_maps(pose, MapSettings(sigma=2.0, together=flag)) for flag in (False, True))
    lowest = [63 - maps.any(axis=2)[:, ::-1].argmax(axis=1) for maps in (apart, together)]
    assert (lowest[0] == 63).all()
    assert (lowest[1][:, 1] == 63).all()
    assert (lowest[1][:, 0] < 56).all()


def test_the_published_file_gives_the_defaults():
    assert settings_from_yaml(PUBLISHED) == MapSettings()
    content = yaml.safe_load(PUBLISHED.read_text())
    assert {name: set(keys) for name, keys in content.items()} == {
        name: set(keys) for name, keys in SECTIONS.items()
    }


def test_one_key_stands_for_another():
    content = yaml.safe_load(PUBLISHED.read_text())
    content["norm_args"]["heatmap_image_height"] = 96
    content["heatmap_generator_args"]["sigma"] = 4
    assert read_settings(content, "x.yaml") == MapSettings(heatmap_image_height=96, sigma=4.0)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("norm_args", "sigma", 3, "unknown norm_args.sigma in .*; the nearest known one is"),
        ("norm_arg", "sigma", 3, "unknown section 'norm_arg' in .*'norm_args'"),
        ("padkeypoints_args", "pad_method", "mean", "padkeypoints_args.pad_method in .*knn, simple.*'mean'"),
        ("padkeypoints_args", "use_conf", False, "padkeypoints_args.use_conf in .* must be True"),
        ("norm_args", "pose_format", "openpose", "openpose-18"),
        ("heatmap_generator_args", "sigma", "big", "heatmap_generator_args.sigma in .*type float.*'big'"),
        ("heatmap_generator_args", "sigma", 0, "sigma must be 0.1 to 100.0"),
        ("heatmap_generator_args", "img_h", 64, "must be the same as norm_args.heatmap_image_height"),
        ("heatmap_generator_args", "with_kp", True, "with_kp in .* must be null"),
        ("align_args", "align", "yes please", "align_args.align in .*type bool"),
        ("align_args", "final_img_size", "${a.b}", r"final_img_size in .* points to \$\{a.b\}"),
        ("align_args", "offset", "${align_args.offset}", "which has no value"),
        ("align_args", "offset", -1, "offset must be 0 to 1024"),
    ],
)
def test_a_wrong_setting_is_refused_with_file_and_key(tmp_path, section, key, value, message):
    content = yaml.safe_load(PUBLISHED.read_text())
    content.setdefault(section, {})[key] = value
    path = tmp_path / "maps.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(GaitError, match=message) as caught:
        settings_from_yaml(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [("a: [", "is not a readable YAML"), ("- 1", "holds no settings"), ("norm_args: 3", "keys of its own")],
)
def test_a_file_without_settings_is_refused(tmp_path, content, message):
    path = tmp_path / "maps.yaml"
    path.write_text(content)
    with pytest.raises(GaitError, match=message):
        settings_from_yaml(path)
    with pytest.raises(GaitError, match="no settings of skeleton maps at"):
        settings_from_yaml(tmp_path / "none.yaml")


def test_threads_draw_what_one_draws():
    pose = simulate_walk(1, "nm", 1, "090", frames=70).poses
    before = cv2.getNumThreads()
    drawn = []
    for threads in (1, 3):
        cv2.setNumThreads(threads)
        drawn.append(skeleton_maps(pose))
    cv2.setNumThreads(before)
    assert len(drawn[0]) == 70
    np.testing.assert_array_equal(*drawn)
