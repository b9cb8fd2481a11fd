"""2-D poses made ready for drawing: 18 to 17 joints, missing joints filled in, one scale and place.

Poses are ``(T, V, 3)``: x and y in pixels, y down, and a score. Stages A to C of SkeletonGait's maps (Fan
et al., AAAI 2024); published maps depend on the oddities that the docstrings name.
"""

import numpy as np

from keras_gait.errors import GaitError

COCO_JOINTS = 17
OPENPOSE_JOINTS = 18
FAINTEST = 1e-3  # joints with a lower score are not drawn
NEIGHBOURS = 4  # frames that a missing coordinate is made from
HIPS = {"coco": (11, 12), "openpose-18": (9, 12), "openpose-25": (9, 12)}  # published so, though of 18
# joints 9 and 12 are the knees

# Where OpenPose's 18 joints hold COCO's 17.
_FROM_OPENPOSE = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]


def check_pose(pose, joints, use_score=True):
    """The pose as float64; `GaitError` unless it is ``(T, joints, 3)``, finite, with a joint to draw."""
    pose = np.asarray(pose)
    if pose.ndim != 3 or pose.shape[2] != 3 or pose.dtype.kind not in "fiu":
        raise GaitError(
            f"a pose sequence must be numbers (frames, joints, 3), x, y and score. Received: {pose.dtype} "
            f"of shape {pose.shape}"
        )
    if pose.shape[1] != joints:
        other = {COCO_JOINTS: "False", OPENPOSE_JOINTS: "True"}.get(pose.shape[1])
        mend = f"set transfer_to_coco17: {other}" if other else "give 17 joints (COCO) or 18 (OpenPose)"
        raise GaitError(f"the pose has {pose.shape[1]} joints, the settings expect {joints}; {mend}")
    if not len(pose):
        raise GaitError("the pose sequence has no frames; leave it out")
    pose = pose.astype(np.float64)
    if not np.isfinite(pose).all():
        frame, joint, _ = np.argwhere(~np.isfinite(pose))[0]
        raise GaitError(
            f"the pose is NaN or infinite at frame {frame}, joint {joint}; write 0, 0, 0 for a missed joint"
        )
    seen = (pose[..., :2] != 0).any(axis=-1)
    if use_score:
        seen &= pose[..., 2] >= FAINTEST
    if not seen.any():
        raise GaitError(
            f"no joint is valid in any of the {len(pose)} frames (all at 0, 0 or with score 0); "
            "leave this sequence out"
        )
    return pose


def to_coco17(pose):
    """OpenPose's (and OU-MVLP's) 18 joints -> COCO's 17, ``(T, 18, 3) -> (T, 17, 3)`` float64."""
    return np.asarray(pose, np.float64)[:, _FROM_OPENPOSE]


def fill_missing(pose, method="knn", missing="coordinate"):
    """Fill in what a pose estimator missed; scores stay as they are, so that it is placed but not drawn.

    Args:
        pose: ``(T, 17, 3)`` float64.
        method: ``"knn"``, a weighted mean of the nearest frames, or ``"simple"``, the mean of all frames.
        missing: ``"coordinate"`` as published: each x or y of exactly 0 is missing. Nothing at all is
            filled in if one coordinate is missing in all frames, nor by ``"simple"``. ``"joint"`` fills
            every joint with score 0 or at (0, 0), and leaves only those as they are that no frame has.
    """
    places = pose[..., :2].reshape(len(pose), -1)
    absent = places == 0
    if missing == "joint":
        absent = (pose[..., 2] <= 0) | absent.reshape(len(pose), -1, 2).all(axis=-1)
        absent = absent.repeat(2, axis=1)
    elif method == "simple" or absent.all(axis=0).any():
        absent = np.zeros_like(absent)
    never = absent.all(axis=0)
    absent[:, never] = False
    if not absent.any():
        return pose
    filled = pose.copy()
    values = _nearest_mean(places, absent, ~never) if method == "knn" else _column_mean(places, absent)
    target = filled[..., :2].reshape(len(pose), -1)
    target[absent] = values
    filled[..., :2] = target.reshape(len(pose), -1, 2)
    return filled


def _column_mean(places, absent):
    """The mean over the frames that have it, for each absent value in row order."""
    means = np.where(absent, 0, places).sum(axis=0) / (~absent).sum(axis=0)
    return means[np.nonzero(absent)[1]]


def _nearest_mean(places, absent, usable):
    """The mean over the 4 nearest frames that have it, weighted by 1 / distance, as scikit-learn's imputer.

    The distance of two frames is Euclidean over the coordinates that both have, scaled up to all.
    """
    present = (~absent & usable).astype(np.float64)
    centred = (places - places.mean(axis=0)) * present
    squares = centred * centred
    common = present @ present.T
    apart = squares @ present.T + present @ squares.T - 2 * centred @ centred.T
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(common > 0, apart / common, np.inf)
    frame, column = np.nonzero(absent)
    donors = present[:, column].T > 0
    keys = np.where(donors, apart[frame], np.inf)
    count = min(NEIGHBOURS, len(places) - 1)
    nearest = np.argpartition(keys, count - 1, axis=1)[:, :count]
    known = np.isfinite(np.take_along_axis(keys, nearest, axis=1))
    # The products above are too coarse to tell a distance of 0: exactly, for the few that count.
    gap = np.where(
        present[frame][:, None] * present[nearest] > 0, places[frame][:, None] - places[nearest], 0
    )
    distance = np.sqrt((gap * gap).sum(axis=-1) / np.maximum(common[frame[:, None], nearest], 1))
    same = known & (distance == 0)
    weight = np.where(known, 1 / np.where(distance > 0, distance, 1), 0)
    weight = np.where(same.any(axis=1, keepdims=True), same, weight)
    total = weight.sum(axis=1)
    mean = (weight * places[nearest, column[:, None]]).sum(axis=1) / np.where(total > 0, total, 1)
    return np.where(total > 0, mean, _column_mean(places, absent))


def normalise(pose, height, pose_format="coco", seen_only=False):
    """Hips to the middle of a ``height`` x ``height`` map, the body's y range to ``height // 1.5`` rows.

    Args:
        pose: ``(T, 17, 3)`` float64.
        pose_format: which joints are the hips, a key of `HIPS`.
        seen_only: leave joints at (0, 0) out of the range and out of the hips' mean. As published they
            count, and wreck the scale.

    Returns:
        ``(T, 17, 3)`` float64. A frame without any extent in y has NaN places, and is blank when drawn.
    """
    places, y = pose[..., :2], pose[..., 1]
    seen = (places != 0).any(axis=-1) if seen_only else np.ones(y.shape, bool)
    extent = np.where(seen, y, -np.inf).max(axis=1) - np.where(seen, y, np.inf).min(axis=1)
    counted = np.zeros_like(seen)
    counted[:, HIPS[pose_format]] = True
    counted &= seen
    counted |= seen & ~counted.any(axis=1, keepdims=True)  # without hips, the middle of what is seen
    counted |= ~counted.any(axis=1, keepdims=True)
    hip = np.where(counted[..., None], places, 0).sum(axis=1) / counted.sum(axis=1)[:, None]
    with np.errstate(divide="ignore"):
        scale = np.where(extent > 0, height // 1.5 / np.where(extent > 0, extent, 1), np.nan)
    out = pose.copy()
    out[..., :2] = (places - hip[:, None]) * scale[:, None, None] + height // 2
    return out
