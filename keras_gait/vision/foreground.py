"""A static camera's video: its frames, its background, and the blobs that move in front of it."""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.signal import find_peaks

from keras_gait.errors import GaitError

# FFmpeg inside OpenCV would print its own lines on a broken file; commands report it in one of theirs.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

SHADOW = 0.6  # darker than this share of the background is no shadow; OpenCV's 0.5 takes dark shoes for one
HEAD_HEIGHT = 0.6  # a head is a peak of the outline above this share of the blob's height ...
HEAD_PROMINENCE = 0.12  # ... with a valley at least this deep beside it


class Video:
    """The frames of a video file, read one at a time, as often as one iterates.

    Iterating yields ``(number, frame)``: the frame's number in the file, from 0, and the frame,
    ``(height, width, 3)`` uint8 B, G, R.

    Args:
        path: a video file that OpenCV can read.
        fps: frames per second to keep, evenly thinned; None keeps all.

    Raises:
        GaitError: no such file, not a video, or more frames per second asked than the file has.
    """

    def __init__(self, path, fps=None):
        self.path = Path(path)
        if not self.path.is_file():
            raise GaitError(f"{path}: no such video file. Give the path of a video with --video.")
        capture = cv2.VideoCapture(str(path))
        opened, frame = capture.read()
        stated = capture.get(cv2.CAP_PROP_FPS)
        self.stated_frames = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        capture.release()
        if not opened:
            raise GaitError(
                f"{path}: OpenCV {cv2.__version__} cannot read this file as a video. "
                "Expected a video such as .mp4 or .avi; convert it, for instance with ffmpeg."
            )
        if fps is not None and not 0 < fps <= stated:
            raise GaitError(
                f"{path} has {stated:g} frames a second; --fps {fps:g} must be above 0 and no more "
                "than that. Leave --fps out to keep every frame."
            )
        self.height, self.width = frame.shape[:2]
        self.share = 1.0 if fps is None else fps / stated
        # Time limits need some rate; a file that states none is taken as an ordinary camera's.
        self.fps = fps or stated or 25.0

    def __iter__(self):
        capture = cv2.VideoCapture(str(self.path))
        try:
            number = 0
            while capture.grab():
                if int((number + 1) * self.share + 1e-6) > int(number * self.share + 1e-6):
                    read, frame = capture.retrieve()
                    if read and frame.shape[:2] == (self.height, self.width):
                        yield number, frame
                number += 1
        finally:
            capture.release()


class Background:
    """A background model: learn from frames of the whole video first, then ask for masks in order.

    Args:
        method: ``"knn"`` or ``"mog2"``, OpenCV's two background subtractors.
        history: the number of frames over which the model forgets.
        height: of the frames in pixels; noise up to about 1/120 of it is cleaned away.
    """

    def __init__(self, method, history, height):
        create = {"knn": cv2.createBackgroundSubtractorKNN, "mog2": cv2.createBackgroundSubtractorMOG2}[
            method
        ]
        self.model = create(history=history, detectShadows=True)
        self.model.setShadowThreshold(SHADOW)
        self.rate = 1 / history
        grain = max(3, round(height / 120) | 1)
        self.dot = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grain, grain))
        # Gaps inside a body lie above each other (belt, neck); closing sideways would join neighbours.
        self.column = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grain, 2 * grain + 1))

    def learn(self, frame):
        """Update the model with a frame, ``(height, width, 3)`` uint8."""
        self.model.apply(frame)

    def mask(self, frame):
        """Frame ``(height, width, 3)`` uint8 -> its foreground ``(height, width)``, 0 or 255, no shadows."""
        marked = self.model.apply(frame, learningRate=self.rate)
        mask = np.where(marked == 255, np.uint8(255), np.uint8(0))  # shadows are marked 127
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self.dot)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self.column)
        outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        for outline in outlines:  # small holes are noise; large ones (between the legs) are background
            if cv2.contourArea(outline) <= 4 * self.dot.size:
                cv2.drawContours(mask, [outline], -1, 255, cv2.FILLED)
        return mask


@dataclass
class Blob:
    """One connected piece of foreground: box in pixels, silhouette and colours.

    ``mask`` is ``(height, width)`` uint8, 0 or 255, of the box; ``colours`` ``(128,)`` sums to 1;
    ``heads`` counts the peaks of its upper outline; ``cut`` says that it touches the frame's border.
    """

    x: int
    y: int
    width: int
    height: int
    mask: np.ndarray
    colours: np.ndarray
    heads: int
    cut: bool

    @property
    def area(self):
        return int(np.count_nonzero(self.mask))

    @property
    def centre(self):
        return np.array([self.x + self.width / 2, self.y + self.height / 2])


def find_blobs(frame, mask, min_height):
    """The connected pieces of ``mask`` that are at least ``min_height`` pixels high, as a list of `Blob`.

    Args:
        frame: ``(height, width, 3)`` uint8.
        mask: ``(height, width)`` uint8, 0 or 255.
    """
    rows, columns = mask.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    blobs = []
    for label, (x, y, width, height, _) in enumerate(stats.tolist()):
        if label == 0 or height < min_height:
            continue
        box = np.s_[y : y + height, x : x + width]
        piece = np.where(labels[box] == label, np.uint8(255), np.uint8(0))
        # A body cut by the border ends one or two pixels before it, where the opening has eaten it.
        cut = x <= 2 or y <= 2 or x + width >= columns - 2 or y + height >= rows - 2
        colours = describe_colours(frame[box], piece)
        blobs.append(Blob(x, y, width, height, piece, colours, count_heads(piece), cut))
    return blobs


def describe_colours(pixels, mask):
    """Colour histograms (4 x 4 x 4) of the upper and lower half of a silhouette, ``(128,)``, sum 1."""
    middle = len(mask) // 2
    halves = []
    for half in (slice(0, middle), slice(middle, None)):
        counts = cv2.calcHist([pixels[half]], [0, 1, 2], mask[half], [4, 4, 4], [0, 256] * 3).ravel()
        halves.append(counts / max(counts.sum(), 1))
    return np.concatenate(halves) / 2


def count_heads(mask):
    """Count the peaks of a silhouette's upper outline: one for a person, two where two people merged."""
    height = len(mask)
    outline = np.where(mask.any(axis=0), height - mask.argmax(axis=0), 0)
    smooth = cv2.blur(outline.astype(np.float32)[None], (max(3, height // 20) | 1, 1))[0]
    edges = np.concatenate([[0], smooth, [0]])
    return len(find_peaks(edges, height=HEAD_HEIGHT * height, prominence=HEAD_PROMINENCE * height)[0])
