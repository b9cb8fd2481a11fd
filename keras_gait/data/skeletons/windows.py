"""Recordings of 3-D skeletons to windows of f frames, in the published order (SGE)."""

from dataclasses import dataclass

import numpy as np

TRIM = 10  # frames cut at each end of a recording: people start and stop there
UNTRIMMED = ("KS20",)
WHOLE_END = ("IAS",)  # training recordings of these keep their last frames
APART = ("KGBD",)  # training windows of these share no frames


@dataclass(frozen=True)
class WindowRules:
    """How recordings become windows.

    Attributes:
        length: frames of a window, f.
        trim: frames cut at the start and at the end of each recording.
        stride: frames from the start of one window to the start of the next.
        offsets: all recordings are gone through so many times, the s-th time from frame s.
        center: joint that is subtracted from its frame, or None.
    """

    length: int
    trim: tuple = (TRIM, TRIM)
    stride: int = 1
    offsets: int = 1
    center: int | None = None


def published_rules(name, length, role, *, trim=None, stride=None, offsets=None, center=None):
    """The `WindowRules` of the "train" or "test" set of the data set ``name``, but for what is given.

    Training windows overlap by half and start at every offset, those of KGBD follow each other; test
    windows always follow each other (TranSG's preprocessing). ``stride`` and ``offsets`` are for training.
    """
    name = name.upper()
    if trim is None:
        start = 0 if name in UNTRIMMED else TRIM
        trim = (start, 0 if name in WHOLE_END and role == "train" else start)
    else:
        trim = (trim, trim)
    if role == "test":
        return WindowRules(length, trim, length, 1, center)
    apart = name in APART
    stride = stride or (length if apart else length // 2)
    return WindowRules(length, trim, stride, offsets or (1 if apart else length), center)


def prepare(frames, rules):
    """Trim and centre one recording ``(F, J, 3)`` -> ``(F', J, 3)``."""
    start, end = rules.trim
    frames = frames[start : max(len(frames) - end, start)]
    if rules.center is None:
        return frames
    return frames - frames[:, rules.center, None]


def window_starts(count, rules, offset=0):
    """First frames ``(n,)`` of the windows in ``count`` frames, from frame ``offset``."""
    return np.arange(offset, count - rules.length + 1, rules.stride)


def frames_needed(rules):
    """Frames that a recording needs for one window."""
    return rules.length + sum(rules.trim)


def windows_of(values, starts, length):
    """The windows of ``values`` ``(F, J)`` that begin at ``starts`` ``(n,)`` -> ``(n, length, J)``."""
    return values[starts[:, None] + np.arange(length)]


def plan_windows(counts, rules):
    """Which windows are in the files, in their order: all recordings from frame 0, then all from 1, ...

    ``counts``: frames of each recording, after trimming. Returns a list of (recording, starts ``(n,)``).
    """
    return [
        (recording, window_starts(count, rules, offset))
        for offset in range(rules.offsets)
        for recording, count in enumerate(counts)
    ]
