"""Pose sequences of one length: padding, the centre, joints that were not found (GaitGraph2's transforms).

Sequences are ``(n, V, 3)``: x, y in pixels and the confidence. Which frames make up a sequence is told by
indices, for many sequences at once, so that nothing but the wanted frames is ever read.
"""

import numpy as np

from keras_gait.errors import GaitError


def padded_indices(counts, length):
    """Which frame each of ``length`` frames is, in sequences of at most that many: ``(B,) -> (B, length)``.

    The sequence goes on backwards at both ends; first, while it is shorter than what an end lacks, it is put
    between two of its mirror images.
    """
    counts = np.asarray(counts, np.int64)[:, None]
    lacking = length + 1 - counts
    before, after = -(-lacking // 2) - 1, lacking // 2 + 1  # frames ahead of the sequence and behind it
    whole = counts  # frames of the sequence with its mirror images
    while (short := np.maximum(before + 1, after) > whole).any():
        whole = np.where(short, 3 * whole, whole)
    place = np.arange(length) - before
    place = np.where(place < 0, -place, np.where(place < whole, place, 2 * whole - 2 - place))
    copy, frame = np.divmod(place, counts)
    as_it_is = (copy - whole // counts // 2) % 2 == 0  # the middle copy is the sequence itself
    return np.where(as_it_is, frame, counts - 1 - frame)


def pad_indices(count, length):
    """Which of ``count`` frames each frame of PadSequence's result is; longer sequences stay whole."""
    return np.arange(count) if count > length else padded_indices([count], length)[0]


def centre_start(counts, length):
    """First of the middle ``length`` frames; ``counts``, at least ``length``: a number or an array."""
    return (counts - length) // 2


def fill_empty(poses):
    """NormalizeEmpty: joints that were not found (x is 0) go to the mean joint; ``(..., V, 3)`` float32.

    One joint after the other, each to the mean of all joints as they then are, those still at 0 and those
    filled included. Their confidence becomes 0.
    """
    poses = np.array(poses, np.float32)
    for joint in range(poses.shape[-2]):
        missing = poses[..., joint, 0] == 0
        poses[missing, joint, :2] = poses[missing][..., :2].mean(axis=-2)
        poses[missing, joint, 2] = 0
    return poses


def check_poses(poses, name="the pose sequence"):
    """`GaitError` unless ``poses (n, V, 3)`` has frames and all its numbers are finite."""
    if not len(poses):
        raise GaitError(f"{name} has no frames; leave it out")
    if not np.isfinite(poses).all():
        frame, joint, _ = np.argwhere(~np.isfinite(poses))[0]
        raise GaitError(
            f"{name} is NaN or infinite at frame {frame}, joint {joint}; write 0, 0, 0 for a joint that was "
            "not found"
        )


def prepare(poses, length, fill=False):
    """A sequence as it is tested: ``(n, V, 3) -> (length, V, 3)`` float32, padded or its middle frames.

    Args:
        poses: of any n but 0.
        length: frames of the result.
        fill: `fill_empty` first, as published for OU-MVLP.
    """
    check_poses(poses)
    count = len(poses)
    if count > length:
        start = centre_start(count, length)
        poses = poses[start : start + length]
        return fill_empty(poses) if fill else np.array(poses, np.float32)
    poses = fill_empty(poses) if fill else np.asarray(poses, np.float32)
    return poses[pad_indices(count, length)]
