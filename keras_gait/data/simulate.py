"""Simulated walks: RGB frames, silhouettes, 2-D poses and 3-D skeletons of people who do not exist.

Who walks shows in the body and the gait (`keras_gait.data.walkers`), never in clothes, colours or
background, which are drawn anew for each take. All eleven cameras see the same walk of a take.
"""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from keras_gait.data.rendering import (
    Figure,
    add_sensor_noise,
    draw_background,
    draw_outfit,
    place_camera,
    render,
    spoil_silhouettes,
)
from keras_gait.data.trees import check_tree_settings
from keras_gait.data.walkers import draw_body, draw_gait, draw_take, walk, walk_path
from keras_gait.errors import GaitError

TAKES = {"nm": 6, "bg": 2, "cl": 2}  # as CASIA-B
SEQUENCES = tuple(
    f"{condition}-{take:02d}" for condition, count in TAKES.items() for take in range(1, count + 1)
)
VIEWS = tuple(f"{degrees:03d}" for degrees in range(0, 181, 18))
VERSION = 1  # of what a seed yields; raised when the walks change
SIZE = 96  # height of a picture, unless it is asked for
SMALLEST_FRAME, LARGEST_FRAME = 48, 1080  # pixels in height
_ERRORS, _TRACKING = 1, 3  # last part of a generator's place: errors of what comes without pictures
LONGEST = 100  # frames; a longer walk would be seen from too far away

_ARM, _LEG = ("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "toe")
COCO_JOINTS = (
    "nose",
    *(f"{side}_{part}" for part in ("eye", "ear", *_ARM[:3], *_LEG[:3]) for side in ("left", "right")),
)
KINECT_JOINTS = (
    *("pelvis", "waist", "neck", "head"),
    *(f"{side}_{part}" for limb in (_ARM, _LEG) for side in ("left", "right") for part in limb),
)
KINECT_V2_JOINTS = (
    *("pelvis", "waist", "throat", *KINECT_JOINTS[3:], "neck"),
    *(f"{side}_{part}" for side in ("left", "right") for part in ("fingertips", "thumb")),
)

# The fastest of PNG's ways to pack, and no larger than the others on these pictures.
_FAST_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # one filter instead of trying all on every row; not in OpenCV 4.9
    _FAST_PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG]


@dataclass(frozen=True)
class Walk:
    """One sequence: one take of one subject, seen by one camera. F frames of H x W pixels.

    Attributes:
        rgb: ``(F, H, W, 3)`` uint8.
        silhouettes: ``(F, H, W)`` uint8, 0 or 255, with the flaws of background subtraction.
        poses: ``(F, 17, 3)`` float32, x, y in pixels and confidence in 0..1 of `COCO_JOINTS`; a missed
            joint is 0, 0, 0.
        skeletons: ``(F, 20, 3)`` float32, metres from the camera (x to the right of the picture, y up,
            z away) of `KINECT_JOINTS`, in the order of the Kinect v1.
    """

    rgb: np.ndarray
    silhouettes: np.ndarray
    poses: np.ndarray
    skeletons: np.ndarray


def check_request(subjects, sequences, views, frames, size, seed, known_views=VIEWS):
    """`GaitError` for what cannot be simulated; names the flag and what it may be."""
    if not 1 <= subjects <= 999:
        raise GaitError(f"--subjects must be 1 to 999. Received: {subjects}")
    for flag, names, known in (("--sequences", sequences, SEQUENCES), ("--views", views, known_views)):
        wrong = sorted(set(names) - set(known))
        if wrong:
            raise GaitError(f"{flag} has no {' '.join(wrong)}; use some of {' '.join(known)}")
        if len(set(names)) < len(names):
            raise GaitError(f"{flag} names something twice: {' '.join(names)}")
    if not 1 <= frames <= LONGEST:
        raise GaitError(f"--frames must be 1 to {LONGEST} (25 are a second). Received: {frames}")
    if not SMALLEST_FRAME <= size <= LARGEST_FRAME:
        raise GaitError(f"--size must be {SMALLEST_FRAME} to {LARGEST_FRAME} pixels. Received: {size}")
    if seed < 0:
        raise GaitError(f"--seed must not be negative. Received: {seed}")


def _generator(seed, *place):
    """A generator that depends on the seed and its place among subjects, takes and views only."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))


def simulate_walk(subject, condition, take, view, frames=30, size=SIZE, seed=0):
    """Simulate one sequence.

    Args:
        subject: number from 1, or the folder's name (``"001"``).
        condition: ``"nm"``, ``"bg"`` (a bag) or ``"cl"`` (a coat).
        take: number from 1 within the condition.
        view: camera, ``"000"`` (frontal), ``"018"`` ... ``"090"`` (from the side) ... ``"180"``.
        frames: length, at 25 frames per second.
        size: frame height in pixels; the width is 4/3 of it.
        seed: of the whole population.

    Returns:
        A `Walk`. The same arguments give the same walk, whatever else is simulated.
    """
    subject, view = int(subject), str(view)
    name = f"{condition}-{int(take):02d}"
    check_request(subject, [name], [view], frames, size, seed)
    body, gait, outfit, joints, day = _take(subject, condition, name, frames, seed)
    figure = Figure(body, joints, outfit, day)

    eye = _generator(seed, subject, SEQUENCES.index(name), VIEWS.index(view))
    height, width = size, size * 4 // 3
    camera = place_camera(int(view), walk_path(body, gait, frames), height, width)
    rgb, masks = render(figure, camera, draw_background(height, width, eye), eye)
    add_sensor_noise(rgb, eye)
    silhouettes = spoil_silhouettes(masks, figure, camera, eye)
    return Walk(rgb, silhouettes, _poses(joints, body, camera, eye), _skeletons(joints, camera, eye))


def simulate_poses(subject, condition, take, views, frames=30, size=240, seed=0):
    """The poses of one take from each of ``views``, without its pictures -> list of ``(F, 17, 3)``.

    The arguments are `simulate_walk`'s, but that ``views`` may be any whole degrees. It is the same walk
    before the same cameras; the estimator's errors are drawn anew: there, the pictures' noise comes first.
    """
    subject, name = int(subject), f"{condition}-{int(take):02d}"
    check_request(subject, [name], views, frames, size, seed, views)
    body, gait, _, joints, _ = _take(subject, condition, name, frames, seed)
    path, poses = walk_path(body, gait, frames), []
    for view in map(int, views):
        errors = _generator(seed, subject, SEQUENCES.index(name), view, _ERRORS)
        poses.append(_poses(joints, body, place_camera(view, path, size, size * 4 // 3), errors))
    return poses


def simulate_skeletons(subject, condition, take, views, frames=60, seed=0, joints=KINECT_JOINTS):
    """The skeletons of one take from each of ``views``, without its pictures -> list of ``(F, J, 3)``.

    float32, metres from the camera: x to the right of its picture, y up, z away. The arguments are
    `simulate_walk`'s, but that ``views`` may be any whole degrees and ``joints`` may be `KINECT_V2_JOINTS`.
    It is the same walk before the same cameras; the tracker's errors are drawn anew.
    """
    subject, name = int(subject), f"{condition}-{int(take):02d}"
    check_request(subject, [name], views, frames, SIZE, seed, views)
    body, gait, _, places, _ = _take(subject, condition, name, frames, seed)
    path, places, skeletons = walk_path(body, gait, frames), places | _hands_and_throat(places), []
    for view in map(int, views):
        errors = _generator(seed, subject, SEQUENCES.index(name), view, _TRACKING)
        camera = place_camera(view, path, SIZE, SIZE * 4 // 3)
        skeletons.append(_skeletons(places, camera, errors, joints))
    return skeletons


def _hands_and_throat(joints):
    """What the Kinect v2 tracks beyond the first one, from the joints beside it: name -> ``(F, 3)``."""
    ahead = joints["face"] - joints["head"]
    ahead = ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)
    more = {"throat": joints["neck"] + 0.4 * (joints["head"] - joints["neck"])}
    for side in ("left", "right"):
        wrist, palm = joints[f"{side}_wrist"], joints[f"{side}_hand"] - joints[f"{side}_wrist"]
        length = np.linalg.norm(palm, axis=-1, keepdims=True)
        more |= {
            f"{side}_fingertips": wrist + 1.6 * palm,
            f"{side}_thumb": wrist + 0.7 * palm + 0.5 * length * ahead,
        }
    return more


def _take(subject, condition, name, frames, seed):
    """One take, before any camera -> (body, gait, outfit, joints, the take's generator)."""
    own = _generator(seed, subject)
    body, gait = draw_body(own), draw_gait(own)
    day = _generator(seed, subject, SEQUENCES.index(name))
    outfit = draw_outfit(condition, day)
    gait = _burdened(draw_take(gait, day), outfit)
    return body, gait, outfit, walk(body, gait, frames, day), day


def _burdened(gait, outfit):
    """A bag or a coat changes the way of walking a little."""
    if outfit.coat:
        return replace(
            gait, arm_swing=0.85 * gait.arm_swing, arm_spread=gait.arm_spread + 3, cadence=0.97 * gait.cadence
        )
    if outfit.bag == "hand":
        carrying = [1.0, 1.0]
        carrying[outfit.bag_side] = 0.3
        return replace(gait, carrying=tuple(carrying), elbow=0.6 * gait.elbow)
    if outfit.bag == "backpack":
        return replace(gait, lean=gait.lean + 3.0)
    return gait


def _poses(joints, body, camera, rng):
    """What a pose estimator sees of ``joints`` -> ``(F, 17, 3)``; those behind the body are less sure."""
    head, face = joints["head"], joints["face"] - joints["head"]
    left = joints["left_shoulder"] - joints["right_shoulder"]
    left = left / np.linalg.norm(left, axis=-1, keepdims=True)
    up = np.cross(face, left) / body.head
    eye = head + 0.9 * face + 0.3 * body.head * up
    ends = {"nose": head + 1.1 * face}
    for side, sign in (("left", 1), ("right", -1)):
        ends[f"{side}_eye"] = eye + 0.35 * sign * body.head * left
        ends[f"{side}_ear"] = head + 0.2 * body.head * up + 0.9 * sign * body.head * left
    points = np.stack([(ends | joints)[name] for name in COCO_JOINTS], axis=1)
    place, scale = camera.pixels(points)
    depth = camera.coordinates(points)[..., 2]
    hidden = depth - depth.mean(axis=1, keepdims=True) > 0.09
    spread = np.where(hidden, 0.020, 0.009) * scale
    place = place + rng.normal(0, 1, place.shape) * spread[..., None]
    confidence = np.clip(rng.normal(np.where(hidden, 0.72, 0.9), 0.06), 0.1, 1.0)
    poses = np.concatenate([place, confidence[..., None]], axis=-1)
    poses[rng.uniform(size=hidden.shape) < np.where(hidden, 0.03, 0.006)] = 0.0
    return poses.astype(np.float32)


def _skeletons(joints, camera, rng, names=KINECT_JOINTS):
    """What a depth sensor's tracker says -> ``(F, J, 3)``: x right, y up, z away, with 8 mm of noise."""
    points = np.stack([joints[name] for name in names], axis=1)
    place = camera.coordinates(points) * np.array([1.0, -1.0, 1.0])
    return (place + rng.normal(0, 0.008, place.shape)).astype(np.float32)


def sequence_folder(subject, sequence, view):
    """Where a sequence lies in each tree: ``001/nm-01/090``."""
    return Path(f"{int(subject):03d}") / sequence / view


def check_settings(output, settings):
    """Note ``settings`` (frames, size, seed) in OUT/simulate.json, or refuse a tree made with others."""
    check_tree_settings(output, {"version": VERSION} | settings, "simulate.json", "--output_path")


def write_sequence(job):
    """Simulate one sequence and write it to the three trees, unless all three have it.

    ``job``: (output, subject, sequence, view, frames, size, seed). Every part is written beside the
    trees and moved in when complete. Returns whether anything was written.
    """
    output, place = Path(job[0]), sequence_folder(*job[1:4])
    wanted = [output / "rgb" / place, output / "silhouettes" / place, output / "poses" / f"{place}.npz"]
    if all(path.exists() for path in wanted):
        return False
    _write(job, wanted, output / ".partial" / str(place).replace("/", "-"))
    return True


def remove_drafts(output):
    """Remove what killed runs left; only when no other run writes to ``output``."""
    shutil.rmtree(Path(output) / ".partial", ignore_errors=True)


def _write(job, wanted, draft):
    """Simulate ``job`` into the folder ``draft`` and move its parts to ``wanted``."""
    _, subject, sequence, view, frames, size, seed = job
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "rgb").mkdir(parents=True)
    (draft / "silhouettes").mkdir()
    walked = simulate_walk(subject, *sequence.split("-"), view, frames, size, seed)
    for number, (picture, mask) in enumerate(zip(walked.rgb, walked.silhouettes, strict=True), start=1):
        _write_png(draft / "rgb" / f"{draft.name}-{number:03d}.png", picture[..., ::-1])
        _write_png(draft / "silhouettes" / f"{draft.name}-{number:03d}.png", mask)
    np.savez(draft / "poses.npz", poses=walked.poses, skeletons=walked.skeletons)
    for path, part in zip(wanted, ("rgb", "silhouettes", "poses.npz"), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.replace(draft / part, path)
    shutil.rmtree(draft)


def _write_png(path, picture):
    if not cv2.imwrite(str(path), picture, _FAST_PNG):
        raise OSError(f"{path} was not written")
