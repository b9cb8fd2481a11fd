"""Augmentation of whole batches of pose sequences, in NumPy (GaitGraph2's transforms, and the first one's).

Poses are float32 ``(B, L, V, 3)``: x, y in pixels and the confidence.
"""

from dataclasses import dataclass

import numpy as np

from keras_gait.errors import GaitError

NOISES = ("uniform", "normal")


@dataclass(frozen=True)
class PoseAugmentation:
    """``augment(poses, rng) -> poses`` of the same shape, each sequence by its own draws.

    In this order: the mirror, left and right exchanged, one offset a joint and sequence (``joint_noise``),
    one a joint and frame (``point_noise``), one a sequence (``random_move``).

    Args:
        flip_index: the joint on the body's other side, V indices.
        flip_lr: probability that joints change sides. Where they are stays as it is: nothing is mirrored.
        joint_noise: spread of the offset in x and y that a joint has in all frames, pixels.
        point_noise: spread of the noise of every x, y and confidence.
        random_move: greatest offset of a sequence in x and y, pixels: two numbers or one for both.
        mirror: probability that x is mirrored about each frame's mean joint.
        noise: "uniform", as GaitGraph2: between -spread and spread, confidences then brought to 0..1; or
            "normal", as the first GaitGraph: the spread is the standard deviation, confidences stay.
    """

    flip_index: tuple
    flip_lr: float = 0.5
    joint_noise: float = 0.1
    point_noise: float = 0.05
    random_move: tuple | float = (3.0, 1.0)
    mirror: float = 0.0
    noise: str = "uniform"

    def __post_init__(self):
        for name in ("flip_lr", "mirror"):
            if not 0 <= getattr(self, name) <= 1:
                raise GaitError(
                    f"augmentation.{name} must be a probability from 0 to 1. Received: {getattr(self, name)}"
                )
        for name in ("joint_noise", "point_noise"):
            if not 0 <= getattr(self, name) < np.inf:
                raise GaitError(
                    f"augmentation.{name} must be a spread, 0 or more. Received: {getattr(self, name)}"
                )
        if np.shape(self.random_move) not in ((), (2,)) or not np.isfinite(self.random_move).all():
            raise GaitError(
                "augmentation.random_move must be a number of pixels or two of them, for x and y. Received: "
                f"{self.random_move}"
            )
        if self.noise not in NOISES:
            raise GaitError(f"augmentation.noise must be {' or '.join(NOISES)}. Received: {self.noise}")

    def __call__(self, poses, rng):
        batch, frames, joints, _ = poses.shape
        poses = self._flipped(poses, rng)
        moved = np.zeros((batch, 1, joints, 3), np.float32)
        moved[..., :2] = self._noise(rng, (batch, 1, joints, 2), self.joint_noise)
        moved[..., :2] += _uniform(rng, (batch, 1, 1, 2), self.random_move)
        flat = poses.reshape(batch, frames, joints * 3)  # long rows: NumPy's inner loop
        flat += moved.reshape(batch, 1, joints * 3)
        flat += self._noise(rng, flat.shape, self.point_noise)
        if self.noise == "uniform":
            np.clip(poses[..., 2], 0.0, 1.0, out=poses[..., 2])
        return poses

    def _flipped(self, poses, rng):
        """A copy, since the poses may be a data set's own."""
        poses = np.array(poses, np.float32)
        mirrored, exchanged = (rng.random(len(poses)) < chance for chance in (self.mirror, self.flip_lr))
        poses[mirrored] = mirror(poses[mirrored])
        poses[exchanged] = np.take(poses[exchanged], self.flip_index, axis=2)
        return poses

    def _noise(self, rng, shape, spread):
        if self.noise == "uniform":
            return _uniform(rng, shape, spread)
        draw = rng.standard_normal(shape, np.float32)
        draw *= np.float32(spread)
        return draw


def _uniform(rng, shape, spread):
    """Float32 between -spread and spread."""
    draw = rng.random(shape, np.float32)
    draw -= np.float32(0.5)
    draw *= np.float32(2) * np.float32(spread)
    return draw


def mirror(poses):
    """x mirrored about the mean x of each frame's joints, ``(..., V, 3)``."""
    mirrored = np.array(poses)
    mirrored[..., 0] = 2 * poses[..., 0].mean(axis=-1, keepdims=True) - poses[..., 0]
    return mirrored
