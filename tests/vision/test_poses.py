"""Poses made ready for drawing: joint order, missing joints, scale and place, what is refused."""

import numpy as np
import pytest
from sklearn.impute import KNNImputer

from keras_gait.errors import GaitError
from keras_gait.vision.poses import check_pose, fill_missing, normalise, to_coco17


def standing(frames=6, seed=0):
    """A pose sequence of a person 100 pixels high that moves a little, all joints seen."""
    rng = np.random.default_rng(seed)
    pose = np.empty((frames, 17, 3))
    pose[..., 0] = 200 + rng.normal(0, 8, (frames, 17))
    pose[..., 1] = np.linspace(100, 200, 17) + rng.normal(0, 1, (frames, 17))
    pose[..., 2] = rng.uniform(0.5, 1, (frames, 17))
    return pose


def test_openpose_joints_get_their_coco_places():
    pose = np.zeros((1, 18, 3))
    pose[0, 1], pose[0, 2], pose[0, 13] = 7, 5, 9  # neck, right shoulder, left ankle
    coco = to_coco17(pose)
    assert coco.shape == (1, 17, 3)
    assert coco[0, 6, 0] == 5
    assert coco[0, 15, 0] == 9
    assert not (coco == 7).any()


@pytest.mark.parametrize("frames", [3, 4, 5, 6, 40])
def test_filling_in_is_that_of_scikit_learn(frames):
    pose = standing(frames)
    pose[0, 3, :2] = pose[1, 5, :2] = 0
    pose[frames // 2, 7:, :2] = 0
    pose[0, 9, 1] = 0
    if frames > 3:
        pose[2, :, :2] = 0  # nothing in common with any frame
        pose[2, 4, :2] = 210, 120
    places = pose[..., :2].reshape(frames, -1)
    imputer = KNNImputer(missing_values=0.0, n_neighbors=4, weights="distance")
    filled = fill_missing(pose)
    np.testing.assert_allclose(
        filled[..., :2].reshape(frames, -1), imputer.fit_transform(places), rtol=0, atol=1e-6
    )
    assert (filled[..., 2] == pose[..., 2]).all()


def test_of_frames_at_the_same_place_only_these_count():
    pose = standing(5)
    pose[1] = pose[0]
    pose[0, 3, :2] = 0
    assert fill_missing(pose)[0, 3, :2].tolist() == pose[1, 3, :2].tolist()


@pytest.mark.parametrize("method", ["knn", "simple"])
def test_as_published_a_joint_that_is_never_seen_stops_all_filling_in(method):
    pose = standing()
    pose[:, 0, :2] = 0
    pose[2, 9, :2] = 0
    assert (fill_missing(pose, method) == pose).all()


@pytest.mark.parametrize("method", ["knn", "simple"])
def test_on_request_whole_joints_are_missing_and_one_never_seen_stops_nothing(method):
    pose = standing()
    pose[:, 0] = 0
    pose[2, 9] = 0
    pose[3, 5, 2] = 0  # placed, but with score 0
    pose[4, 6, 0] = 0  # at the picture's very edge, seen
    filled = fill_missing(pose, method, missing="joint")
    seen = np.delete(pose[:, 9, :2], 2, axis=0)
    assert (seen.min(axis=0) < filled[2, 9, :2]).all()
    assert (filled[2, 9, :2] < seen.max(axis=0)).all()
    assert (filled[3, 5, :2] != pose[3, 5, :2]).all()
    assert (filled[:, 0] == 0).all()
    assert filled[4, 6, 0] == 0
    if method == "simple":
        np.testing.assert_allclose(filled[2, 9, :2], seen.mean(axis=0))


def test_hips_go_to_the_middle_and_the_body_fills_two_thirds():
    pose = normalise(standing(), 128)
    np.testing.assert_allclose(pose[:, [11, 12], :2].mean(axis=1), 64)
    np.testing.assert_allclose(np.ptp(pose[..., 1], axis=1), 85)


def test_joints_at_the_origin_wreck_the_scale_as_published_but_not_on_request():
    pose = standing()
    whole = normalise(pose, 128)
    pose[:, 1] = 0
    assert (np.ptp(normalise(pose, 128)[:, 2:, 1], axis=1) < 60).all()
    spared = normalise(pose, 128, seen_only=True)
    np.testing.assert_allclose(spared[:, 2:], whole[:, 2:])


def test_a_frame_without_height_has_no_place():
    pose = standing()
    pose[1, :, 1] = 50
    out = normalise(pose, 128)
    assert np.isnan(out[1, :, :2]).all()
    assert np.isfinite(np.delete(out, 1, axis=0)).all()


def spoiled(change):
    pose = standing()
    change(pose)
    return pose


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        (standing()[:, :16], r"16 joints, the settings expect 17; give 17 joints \(COCO\) or 18"),
        (np.zeros((3, 18, 3)), "18 joints, the settings expect 17; set transfer_to_coco17: True"),
        (standing()[..., :2], r"\(frames, joints, 3\).* Received: float64 of shape \(6, 17, 2\)"),
        (standing()[0], r"of shape \(17, 3\)"),
        (standing().astype(str), "must be numbers"),
        (standing()[:0], "has no frames"),
        (spoiled(lambda p: p.__setitem__((2, 4, 1), np.nan)), "NaN or infinite at frame 2, joint 4"),
        (spoiled(lambda p: p.__setitem__((0, 0, 0), np.inf)), "NaN or infinite at frame 0, joint 0"),
        (np.zeros((3, 17, 3)), "no joint is valid in any of the 3 frames"),
        (standing() * [1, 1, 0], "no joint is valid"),
    ],
)
def test_what_is_no_pose_is_refused_in_one_line(pose, message):
    with pytest.raises(GaitError, match=message) as caught:
        check_pose(pose, 17)
    assert "\n" not in str(caught.value)


def test_without_scores_a_score_of_0_is_no_fault():
    assert check_pose(standing() * [1, 1, 0], 17, use_score=False).dtype == np.float64
