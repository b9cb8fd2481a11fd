"""Views of silhouette clips for self-supervised learning, a whole batch at once (SelfGait, section 2).

Clips are uint8 ``(batch, frames, height, width, 1)``. Stretching a rectangle to the full frame and blurring
are linear and separable: for each clip a matrix for the rows and one for the columns, so that a batch takes a
few products of stacked matrices.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from keras_gait.errors import GaitError

STEPS = ("crop", "flip", "jitter", "blur")  # in their order
DRAWS = ("clip", "frame")
TAPS = 9  # of the blur: a tenth of the published 96 pixels
CROP_TRIES = 10  # rectangles drawn before the largest one in the middle is taken
JITTER = 0.8  # greatest change of brightness and contrast at strength 1
BLOCK = 32  # frames that a step takes at once: half a megabyte, which stays in a processor's cache


@dataclass(frozen=True)
class ViewAugmentation:
    """``augment(clips, rng) -> clips``: a view of every clip, of the same shape, by draws of its own.

    In this order, each with its probability (0 is off), rounded to whole grey levels after each step:

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
        for name, most in (("crop_scale", 1.0), ("crop_ratio", np.inf), ("blur_sigma", np.inf)):
            limits = getattr(self, name)
            if np.shape(limits) != (2,) or not 0 < limits[0] <= limits[1] <= most:
                raise GaitError(
                    f"augmentation.{name} must be two numbers above 0{' up to 1' * (most == 1)}, the lesser "
                    f"first. Received: {limits}"
                )
        if not 0 <= self.strength < np.inf:
            raise GaitError(f"augmentation.strength must be 0 or more. Received: {self.strength}")
        if self.draw not in DRAWS:
            raise GaitError(f"augmentation.draw must be {' or '.join(DRAWS)}. Received: {self.draw}")

    def __call__(self, clips, rng):
        _, frames, height, width, _ = clips.shape
        together = frames if self.draw == "clip" else 1
        view = np.array(clips).reshape(-1, together, height, width)
        draws = rng.random((len(STEPS), len(view)))
        crop, flip, jitter, blur = (
            np.flatnonzero(drawn < getattr(self, name)) for name, drawn in zip(STEPS, draws, strict=True)
        )
        if len(crop):
            limits = self.crop_scale, self.crop_ratio
            tall, wide, top, left = draw_rectangles(len(crop), height, width, *limits, rng)
            rows, columns = stretch_matrix(top, tall, height), stretch_matrix(left, wide, width)
            _by_blocks(view, crop, separable, rows, columns)
        if len(flip):
            view[flip] = mirror(view[flip])
        if len(jitter):
            reach = JITTER * self.strength
            factors = rng.uniform(max(0.0, 1 - reach), 1 + reach, (2, len(jitter))).astype(np.float32)
            _by_blocks(view, jitter, change_grey, *factors)
        if len(blur):
            sigma = rng.uniform(*self.blur_sigma, len(blur))
            _by_blocks(view, blur, separable, blur_matrix(sigma, height), blur_matrix(sigma, width))
        return view.reshape(clips.shape)


def _by_blocks(view, chosen, step, *settings):
    """``view[chosen] = step(view[chosen], *settings)`` in whole grey levels, some at a time.

    ``step`` takes and gives float32 ``(n, frames, height, width)``; ``settings`` have a row for each chosen.
    """
    at_once = max(1, BLOCK // view.shape[1])
    for first in range(0, len(chosen), at_once):
        block = slice(first, first + at_once)
        changed = step(view[chosen[block]].astype(np.float32), *(values[block] for values in settings))
        changed += 0.5  # so that the fraction that is cut off is rounded
        view[chosen[block]] = changed


def separable(frames, rows, columns):
    """``rows @ frame @ columns.T`` of ``frames (n, t, h, w)``; ``rows (n, h, h)``, ``columns (n, w, w)``."""
    count, together, height, width = frames.shape
    wide = frames.reshape(count, together * height, width) @ columns.swapaxes(1, 2)
    return rows[:, None] @ wide.reshape(frames.shape)


def mirror(frames):
    """Left and right exchanged in uint8 ``(n, t, h, w)``."""
    return cv2.flip(frames.reshape(-1, frames.shape[-1]), 1).reshape(frames.shape)


def change_grey(frames, brightness, contrast):
    """``frames (n, t, h, w)`` in 0..255, in place: times ``brightness (n,)``, then about each frame's mean
    times ``contrast (n,)``; cut to 0..255 after both.
    """
    frames *= brightness[:, None, None, None]
    np.minimum(frames, 255, out=frames)
    means = frames.mean(axis=(2, 3), keepdims=True)
    factors = contrast[:, None, None, None]
    frames *= factors
    frames += (1 - factors) * means
    return np.clip(frames, 0, 255, out=frames)


def draw_rectangles(count, height, width, scale, ratio, rng):
    """``(tall, wide, top, left)``, each ``(count,)``: whole pixels, inside the frame, anywhere.

    Area and ratio of width to height are drawn until the rectangle fits, at most 10 times; then it is the
    largest of an allowed ratio, in the middle.
    """
    area = rng.uniform(*scale, (count, CROP_TRIES)) * height * width
    drawn = np.exp(rng.uniform(*np.log(ratio), (count, CROP_TRIES)))
    sides = np.rint([np.sqrt(area / drawn), np.sqrt(area * drawn)]).astype(int)
    fits = ((sides > 0) & (sides <= np.array([height, width])[:, None, None])).all(axis=0)
    tall, wide = sides[:, np.arange(count), fits.argmax(axis=1)]
    places = rng.random((2, count))
    top, left = (places * (np.array([height - tall, width - wide]) + 1)).astype(int)
    largest = np.clip(width / height, *ratio)
    high, broad = min(height, round(width / largest)), min(width, round(height * largest))
    none = ~fits.any(axis=1)
    tall[none], wide[none] = high, broad
    top[none], left[none] = (height - high) // 2, (width - broad) // 2
    return tall, wide, top, left


def stretch_matrix(first, size, length):
    """Bilinear stretching of ``size (n,)`` pixels from ``first (n,)`` on to all: ``(n, length, length)``.

    Pixels' middles are laid over each other; beyond the outermost ones their values are kept.
    """
    places = (np.arange(length) + 0.5) * (size / length)[:, None] - 0.5
    places = first[:, None] + np.clip(places, 0, (size - 1)[:, None])
    apart = np.abs(places[:, :, None] - np.arange(length))
    return np.maximum(0, 1 - apart).astype(np.float32)


def blur_matrix(sigma, length):
    """Gaussian smoothing by ``sigma (n,)`` pixels, ``(n, length, length)``; rows add up to 1."""
    reach = TAPS // 2
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-(offsets**2) / (2 * sigma[:, None] ** 2))
    weights /= weights.sum(axis=1, keepdims=True)
    padded = np.pad(np.arange(length), reach, mode="reflect")
    taps = np.zeros((TAPS, length, length))
    for tap in range(TAPS):
        taps[tap, np.arange(length), padded[tap : tap + length]] = 1
    return (weights @ taps.reshape(TAPS, -1)).reshape(-1, length, length).astype(np.float32)
