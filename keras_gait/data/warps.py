"""OpenGait's augmentation of a sequence: one draw for all its frames and channels.

Frames are ``(frames, height, width, channels)``; what is warped keeps its dtype, uint8 or float32, in any
value range. OpenCV warps all frames at once, as the channels of one image.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from keras_gait.errors import GaitError

MAX_CHANNELS = 128  # of an OpenCV 5 image (512 in OpenCV 4); more are taken for another axis
# OpenCV 5 warps images of so many channels by exact coordinates, all others, and OpenCV 4 all, by 1/32 pixel
EXACT_CHANNELS = (1, 3, 4)
PERSPECTIVE_WIDTH = 44  # frames narrower than this have no room for `perspective`
STEPS = ("perspective", "affine", "flip", "rotate", "erasing")  # of `SequenceAugmentation`, in their order
ERASED_AREA, ERASED_RATIO, ERASING_TRIES = (0.05, 0.2), 0.3, 100


def silhouette_width(height, width):
    """The usual window of frames so high, 44 columns for 64 rows, where they are wider."""
    return min(width, height * 44 // 64)


def centre_columns(frames, width):
    """The middle ``width`` columns; the one more of an odd rest is cut from the right."""
    first = (frames.shape[2] - width) // 2
    return frames[:, :, first : first + width]


def flip(frames):
    """Left and right exchanged."""
    return frames[:, :, ::-1]


def perspective(frames, corners):
    """Stretch a quadrilateral to the full frame; black where nothing is.

    Args:
        corners: its x coordinates: top left, top right, bottom left, bottom right. They lie in the first row
            and below the last.
    """
    _, height, width, _ = frames.shape
    top_left, top_right, bottom_left, bottom_right = map(float, corners)
    quadrilateral = [[top_left, 0], [top_right, 0], [bottom_right, height], [bottom_left, height]]
    whole = [[0, 0], [width, 0], [width, height], [0, height]]
    matrix = cv2.getPerspectiveTransform(np.float32(quadrilateral), np.float32(whole))
    return _warp(frames, cv2.warpPerspective, matrix)


def rotate(frames, degrees, published_centre=True):
    """Turn counter-clockwise; black where nothing is.

    Args:
        published_centre: about x = height // 2, y = width // 2, as OpenGait does. Otherwise about the middle.
    """
    _, height, width, _ = frames.shape
    centre = (height // 2, width // 2) if published_centre else ((width - 1) / 2, (height - 1) / 2)
    return _warp(frames, cv2.warpAffine, cv2.getRotationMatrix2D(centre, float(degrees), 1.0))


def affine(frames, source, target):
    """The affine map that takes three points ``(3, 2)``, x before y, to three others; black elsewhere."""
    return _warp(frames, cv2.warpAffine, cv2.getAffineTransform(np.float32(source), np.float32(target)))


def erase(frames, top, left, height, width):
    """A copy with a rectangle of zeros."""
    erased = frames.copy()
    erased[:, top : top + height, left : left + width] = 0
    return erased


def _warp(frames, warp, matrix):
    """All frames through one bilinear OpenCV warp.

    A frame's result does not hang on how many go along: coordinates are always those of OpenCV 4.
    """
    _, height, width, _ = frames.shape

    def warped(image):
        count = image.shape[2]
        if count in EXACT_CHANNELS:
            image = np.concatenate([image, image], axis=2)
        return warp(image, matrix, (width, height))[:, :, :count]

    return as_channels(frames, warped)


def as_channels(frames, change):
    """Frames through one OpenCV function, laid behind one another as the channels of one image.

    ``change(image (height, width, n)) -> image`` of the same shape; for n = 1 without its last axis, too. It
    is called once for every 128 channels. Returns an array like ``frames (frames, height, width, channels)``.
    """
    count, height, width, channels = frames.shape
    at_once = MAX_CHANNELS // channels
    changed = np.empty(frames.shape, frames.dtype)
    for first in range(0, count, at_once):
        block = np.ascontiguousarray(frames[first : first + at_once])
        # cv2.transpose takes a pixel's channels as one element, many times faster than NumPy does
        image = cv2.transpose(block.reshape(len(block), height * width, channels))
        image = np.ascontiguousarray(change(image.reshape(height, width, len(block) * channels)))
        image = cv2.transpose(image.reshape(height * width, len(block), channels))
        changed[first : first + at_once] = image.reshape(block.shape)
    return changed


@dataclass(frozen=True)
class SequenceAugmentation:
    """Augment a sequence, each step with its probability, and cut it to the width that the model takes.

    In the published order: `perspective`, cut, `affine`, `flip`, `rotate`, `erase`. Warps of uint8 frames are
    rounded to whole grey levels.

    Args:
        width: columns of the result, see `silhouette_width`.
        perspective, affine, flip, rotate, erasing: probabilities; 0 is off.
        rotate_degree: angles are drawn from ``-rotate_degree`` to ``rotate_degree``.
        published_centre: see `rotate`.
    """

    width: int
    perspective: float = 0.0
    affine: float = 0.0
    flip: float = 0.0
    rotate: float = 0.0
    erasing: float = 0.0
    rotate_degree: float = 10.0
    published_centre: bool = True

    def check(self, width):
        """Refuse what is no probability, and raw frames of a width that the settings cannot take."""
        for name in STEPS:
            if not 0 <= getattr(self, name) <= 1:
                raise GaitError(
                    f"augmentation.{name} must be a probability from 0 to 1. Received: {getattr(self, name)}"
                )
        if self.perspective and width < PERSPECTIVE_WIDTH:
            raise GaitError(
                f"augmentation.perspective needs frames {PERSPECTIVE_WIDTH} or more columns wide. Received: "
                f"{width}. Set it to 0"
            )

    def __call__(self, frames, rng):
        """``(n, height, any width, channels) -> (n, height, width, channels)``."""
        chance = dict(zip(STEPS, rng.random(5), strict=True))
        if chance["perspective"] < self.perspective:
            frames = perspective(frames, draw_corners(frames.shape[2], rng))
        frames = centre_columns(frames, self.width)
        if chance["affine"] < self.affine:
            frames = affine(frames, *draw_triangles(*frames.shape[1:3], rng))
        if chance["flip"] < self.flip:
            frames = flip(frames)
        if chance["rotate"] < self.rotate:
            angle = rng.uniform(-self.rotate_degree, self.rotate_degree)
            frames = rotate(frames, angle, self.published_centre)
        if chance["erasing"] < self.erasing:
            frames = erase(frames, *draw_rectangle(*frames.shape[1:3], rng))
        return frames


def draw_corners(width, rng):
    """Whole x coordinates for `perspective`: in the first, or last, 10 columns of every 44."""
    room = width // PERSPECTIVE_WIDTH * 10
    return rng.integers([0, width - room, 0, width - room], [room, width, room, width])


def draw_triangles(height, width, rng):
    """Three corners, and where `affine` takes them: up to 10 pixels of every 64 rows to any side."""
    corners = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    room = height // 64 * 10
    return corners, corners + rng.uniform(-room, room, corners.shape)


def draw_rectangle(height, width, rng):
    """``(top, left, height, width)`` for `erase`: 5 to 20 % of the area, anywhere; empty where none fits."""
    for _ in range(ERASING_TRIES):
        area = rng.uniform(*ERASED_AREA) * height * width
        ratio = rng.uniform(ERASED_RATIO, 1 / ERASED_RATIO)
        tall, wide = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if tall < height and wide < width:
            return (
                rng.integers(height - tall, endpoint=True),
                rng.integers(width - wide, endpoint=True),
                tall,
                wide,
            )
    return 0, 0, 0, 0
