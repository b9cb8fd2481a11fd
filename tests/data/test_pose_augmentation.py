"""Augmentation of pose batches: each draw's distribution, by its moments, and what it leaves alone."""

import numpy as np
import pytest

from keras_gait.data.pose_augmentation import PoseAugmentation, mirror
from keras_gait.errors import GaitError
from keras_gait.vision.joint_graphs import GRAPHS

FLIP = GRAPHS["coco"].flip_index
NOTHING = {"flip_lr": 0.0, "joint_noise": 0.0, "point_noise": 0.0, "random_move": 0.0}


@pytest.fixture
def poses():
    """400 sequences of 8 frames, confidences from 0.3 to 0.7."""
    rng = np.random.default_rng(3)
    batch = rng.uniform(50, 200, (400, 8, 17, 3)).astype(np.float32)
    batch[..., 2] = rng.uniform(0.3, 0.7, batch.shape[:3])
    return batch


@pytest.fixture
def offsets(poses):
    """``offsets(point_noise=0.1)`` -> what the augmentation adds to the poses, ``(400, 8, 17, 3)``."""

    def offsets(**settings):
        augment = PoseAugmentation(FLIP, **NOTHING | settings)
        return augment(poses, np.random.default_rng(0)) - poses

    return offsets


def check_uniform(values, spread):
    """Ends, mean, variance and fourth moment of a uniform distribution between -spread and spread."""
    values = np.ravel(values).astype(np.float64) / spread
    assert np.abs(values).max() <= 1 + 1e-3  # float32 at some hundred pixels
    assert np.abs(values).max() > 0.98
    close = 5 / np.sqrt(len(values))
    for power, moment in ((1, 0), (2, 1 / 3), (3, 0), (4, 1 / 5)):
        assert np.mean(values**power) == pytest.approx(moment, abs=close)


def check_normal(values, spread):
    values = np.ravel(values).astype(np.float64) / spread
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        close = 5 * np.sqrt(variance / len(values))
        assert np.mean(values**power) == pytest.approx(moment, abs=close)


def test_without_chance_nothing_changes_but_it_is_a_copy(poses):
    given = poses.copy()
    found = PoseAugmentation(FLIP, **NOTHING)(poses, np.random.default_rng(0))
    np.testing.assert_array_equal(found, given)
    found[:] = 0
    np.testing.assert_array_equal(poses, given)


def test_given_poses_are_never_written_to(poses):
    poses.setflags(write=False)
    found = PoseAugmentation(FLIP, mirror=0.5)(poses, np.random.default_rng(0))
    assert found.shape == poses.shape
    assert found.dtype == np.float32


def test_joint_noise_is_one_offset_a_joint_for_all_frames(offsets):
    added = offsets(joint_noise=0.5)
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1], added.shape), atol=1e-4)
    assert (added[..., 2] == 0).all()
    check_uniform(added[:, 0, :, :2], 0.5)
    x, y = added[:, 0, :, 0], added[:, 0, :, 1]
    assert abs(np.corrcoef(x.ravel(), y.ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) < 0.2


def test_point_noise_is_on_every_number(offsets):
    added = offsets(point_noise=0.2)
    check_uniform(added, 0.2)
    neighbours = np.corrcoef(added[:, :-1].ravel(), added[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.02


def test_confidences_stay_between_0_and_1(poses):
    poses[..., 2] = np.where(poses[..., 0] < 100, 0.0, 1.0)
    confidence = PoseAugmentation(FLIP, point_noise=0.5)(poses, np.random.default_rng(0))[..., 2]
    assert (confidence.min(), confidence.max()) == (0, 1)
    assert 0.4 < np.mean((confidence == 0) | (confidence == 1)) < 0.6


def test_a_sequence_moves_as_a_whole_by_its_own_way_in_x_and_y(offsets):
    added = offsets(random_move=(3, 1))
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1], added.shape), atol=1e-4)
    assert (added[..., 2] == 0).all()
    check_uniform(added[:, 0, 0, 0], 3)
    check_uniform(added[:, 0, 0, 1], 1)


def test_one_number_moves_both_ways(offsets):
    added = offsets(random_move=2)[:, 0, 0]
    check_uniform(added[:, 0], 2)
    check_uniform(added[:, 1], 2)


def test_sides_are_exchanged_in_half_of_the_sequences_without_mirroring(poses):
    found = PoseAugmentation(FLIP, **NOTHING | {"flip_lr": 0.5})(poses, np.random.default_rng(0))
    exchanged = (found != poses).any(axis=(1, 2, 3))
    assert 160 < exchanged.sum() < 240  # 4 standard deviations
    np.testing.assert_array_equal(found[exchanged], poses[exchanged][:, :, list(FLIP)])


def test_the_mirror_keeps_each_frames_mean_place(poses):
    mirrored = mirror(poses)
    np.testing.assert_allclose(mirrored[..., 0].mean(-1), poses[..., 0].mean(-1), rtol=1e-5)
    apart = poses[..., 0] - poses[..., :1, 0]
    np.testing.assert_allclose(mirrored[..., 0] - mirrored[..., :1, 0], -apart, atol=1e-3)
    np.testing.assert_array_equal(mirrored[..., 1:], poses[..., 1:])
    found = PoseAugmentation(FLIP, **NOTHING, mirror=0.5)(poses, np.random.default_rng(0))
    changed = (found != poses).any(axis=(1, 2, 3))
    assert 160 < changed.sum() < 240
    np.testing.assert_array_equal(found[changed], mirrored[changed])


def test_the_first_gaitgraphs_noise_is_normal_and_leaves_confidences_beyond_1(offsets):
    check_normal(offsets(point_noise=0.5, noise="normal"), 0.5)
    joints = offsets(joint_noise=0.25, noise="normal")
    check_normal(joints[:, 0, :, :2], 0.25)
    assert (joints[..., 2] == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flip_lr": 1.5}, "augmentation.flip_lr must be a probability from 0 to 1. Received: 1.5"),
        ({"mirror": -0.1}, "augmentation.mirror must be a probability"),
        ({"joint_noise": -1.0}, "augmentation.joint_noise must be a spread, 0 or more. Received: -1.0"),
        ({"point_noise": float("nan")}, "augmentation.point_noise must be a spread"),
        ({"random_move": (1, 2, 3)}, r"random_move must be a number of pixels or two .*\(1, 2, 3\)"),
        ({"noise": "pink"}, "augmentation.noise must be uniform or normal. Received: pink"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(GaitError, match=message):
        PoseAugmentation(FLIP, **settings)
