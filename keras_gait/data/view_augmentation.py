"""Views of silhouette clips for self-supervised learning (SelfGait, section 2).

Clips are uint8 ``(batch, frames, height, width, 1)``. All draws of a batch are made at once, and OpenCV takes
all frames of a clip at once, as the channels of one image: measured, that is twice as fast as products of
stacked matrices for a whole batch, and in whole grey levels throughout.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from keras_gait.data.warps import as_channels
from keras_gait.errors import GaitError

STEPS = ("crop", "flip", "jitter", "blur")  # in their order
DRAWS = ("clip", "frame")
TAPS = 9  # of the blur: a tenth of the published 96 pixels
CROP_TRIES = 10  # rectangles drawn before the largest one in the middle is taken
JITTER = 0.8  # greatest change of brightness and contrast at strength 1
LIMITS = {"crop_scale": (0.001, 1), "crop_ratio": (0.01, 100), "blur_sigma": (0.01, 100)}
MOST_STRENGTH = 100


@dataclass(frozen=True)
class ViewAugmentation:
    """``augment(clips, rng) -> clips``: a view of every clip, of the same shape, by draws of its own.

    In this order, each with its probability (0 is off):

    - ``crop``: a rectangle of some part of the area, stretched to the full frame bilinearly. (The published
      list stretches to 96 x 96, which its own network does not take.)
    - ``flip``: left and right exchanged.
    - ``jitter``: brightness times a factor, then the distance from a frame's mean times another. The other
      parts of the published jitter, saturation and hue, and its greyscale step change nothing in silhouettes.
    - ``blur``: a Gaussian of 9 taps, frames reflected at their borders.

    Args:
        flip, crop, jitter, blur: probabilities.
        crop_scale: least and greatest part of the area. crop_ratio: of width to height, drawn evenly by
            its logarithm.
        strength: factors of ``jitter`` lie in 1 - 0.8 strength .. 1 + 0.8 strength, none below 0.
        blur_sigma: least and greatest standard deviation, pixels.
        draw: "clip", one draw for all frames of a clip, or "frame", one for each frame as published, which
            makes clips flicker between mirrored and plain frames.
    """

    flip: float = 0.5
    crop: float = 0.0
    crop_scale: tuple = (0.08, 1.0)
    crop_ratio: tuple = (0.75, 4 / 3)
    jitter: float = 0.0
    strength: float = 1.0
    blur: float = 0.0
    blur_sigma: tuple = (0.1, 2.0)
    draw: str = "clip"

    def __post_init__(self):
        for name in STEPS:
            if not 0 <= getattr(self, name) <= 1:
                raise GaitError(
                    f"augmentation.{name} must be a probability from 0 to 1. Received: {getattr(self, name)}"
                )
        for name, (least, most) in LIMITS.items():
            pair = getattr(self, name)
            if not (_are_two_numbers(pair) and least <= pair[0] <= pair[1] <= most):
                raise GaitError(
                    f"augmentation.{name} must be two numbers from {least} to {most}, the lesser first. "
                    f"Received: {pair}"
                )
        if not 0 <= self.strength <= MOST_STRENGTH:
            raise GaitError(
                f"augmentation.strength must be a number from 0 to {MOST_STRENGTH}. Received: {self.strength}"
            )
        if self.draw not in DRAWS:
            raise GaitError(f"augmentation.draw must be {' or '.join(DRAWS)}. Received: {self.draw}")

    def __call__(self, clips, rng):
        _, frames, height, width, _ = clips.shape
        together = frames if self.draw == "clip" else 1
        view = np.array(clips).reshape(-1, together, height, width, 1)
        crop, flip, jitter, blur = (rng.random(len(view)) < getattr(self, name) for name in STEPS)
        changes = (
            (crop, stretch, draw_rectangles(len(view), height, width, self.crop_scale, self.crop_ratio, rng)),
            (jitter, change_grey, draw_factors(len(view), self.strength, rng)),
            (blur, smooth, draw_kernels(len(view), self.blur_sigma, rng)),
        )
        for i in np.flatnonzero(crop | jitter | blur):
            drawn = [(change, settings[i]) for chosen, change, settings in changes if chosen[i]]
            view[i] = as_channels(view[i], lambda image, drawn=drawn: _in_turn(image, drawn))
        # last and all at once, since a mirror image is changed by the other steps as the image is
        view[flip] = mirror(view[flip])
        return view.reshape(clips.shape)


def _are_two_numbers(pair):
    numbers = [value for value in pair if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(pair) == len(numbers) == 2


def _in_turn(image, drawn):
    for change, settings in drawn:
        image = change(image, *settings)
    return image


def stretch(image, top, left, tall, wide):
    """A rectangle of ``image (h, w, n)`` brought to the full size, bilinearly."""
    height, width, _ = image.shape
    return cv2.resize(image[top : top + tall, left : left + wide], (width, height)).reshape(image.shape)


def change_grey(image, brightness, contrast):
    """Channels of ``image (h, w, n)`` times ``brightness``, then about each one's mean times ``contrast``."""
    height, width, count = image.shape
    levels = np.minimum(np.arange(256) * brightness, 255)
    image = cv2.LUT(image, np.rint(levels).astype(np.uint8))
    sums = cv2.reduce(image.reshape(height * width, count), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    levels = np.arange(256)[:, None] * contrast + (1 - contrast) * sums / (height * width)
    levels = np.rint(np.clip(levels, 0, 255)).astype(np.uint8)
    return cv2.LUT(image, levels.reshape(256, 1, count)).reshape(height, width, count)


def smooth(image, *kernel):
    """``image (h, w, n)`` by a symmetric ``kernel`` along rows and columns, reflected at the borders."""
    kernel = np.array(kernel)
    return cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101).reshape(image.shape)


def mirror(clips):
    """Left and right exchanged in uint8 ``(n, t, h, w, 1)``."""
    if not clips.size:
        return clips
    return cv2.flip(clips.reshape(-1, clips.shape[-2]), 1).reshape(clips.shape)


def draw_factors(count, strength, rng):
    """Brightness and contrast for `change_grey`, ``(count, 2)``."""
    reach = JITTER * strength
    return rng.uniform(max(0.0, 1 - reach), 1 + reach, (count, 2))


def draw_kernels(count, sigmas, rng):
    """Gaussians for `smooth`, ``(count, TAPS)``; each adds up to 1."""
    offsets = np.arange(TAPS) - TAPS // 2
    weights = np.exp(-(offsets**2) / (2 * rng.uniform(*sigmas, (count, 1)) ** 2))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def draw_rectangles(count, height, width, scale, ratio, rng):
    """``(top, left, tall, wide)`` for `stretch`, ``(count, 4)`` int: inside the frame, anywhere.

    Area and ratio of width to height are drawn until the rectangle fits, at most 10 times; then it is the
    largest of an allowed ratio, in the middle.
    """
    size = np.array([height, width])
    area = rng.uniform(*scale, (count, CROP_TRIES)) * height * width
    ratios = np.exp(rng.uniform(*np.log(ratio), (count, CROP_TRIES)))
    sides = np.rint(np.stack([np.sqrt(area / ratios), np.sqrt(area * ratios)], axis=-1)).astype(int)
    sides = np.maximum(sides, 1)
    fits = (sides <= size).all(axis=-1)
    sides = sides[np.arange(count), fits.argmax(axis=1)]
    places = (rng.random((count, 2)) * (size - sides + 1)).astype(int)
    allowed = np.clip(width / height, *ratio)
    largest = np.minimum(np.rint([width / allowed, height * allowed]).astype(int).clip(1), size)
    none = ~fits.any(axis=1)
    sides[none], places[none] = largest, (size - largest) // 2
    return np.concatenate([places, sides], axis=1)
