"""Normalisation of skeletons by a joint or by the range of the training data (CAGE, CASIA-B; ``--norm``)."""

import numpy as np

from keras_gait.data.skeletons.checks import blocks, check_axis, check_windows


def minus_joint(windows):
    """Coordinates ``(..., f, J)`` relative to joint 0 of the same frame (``--norm 1``)."""
    return windows - windows[..., :1]


def by_range(windows, low, high):
    """``(v - low) / (high - low + 1)`` for each frame and joint of ``(..., f, J)`` (``--norm 0``)."""
    return (windows - low) / (high - low + 1)


def ranges(dataset):
    """Least and greatest coordinate over all windows, for each frame and joint: ``(low, high) (f, J, 3)``.

    Goes through the data set block by block.
    """
    frames = check_windows(dataset)
    low = np.full((frames, *dataset.frame_shape), np.inf, np.float32)
    high = -low
    for _, windows in blocks(dataset):
        np.minimum(low, windows.min(axis=0), out=low)
        np.maximum(high, windows.max(axis=0), out=high)
    return low, high


def axis_range(dataset, axis):
    """`ranges` of one axis alone: ``(low, high) (f, J)``."""
    check_axis(axis)
    return tuple(np.ascontiguousarray(bound[..., axis]) for bound in ranges(dataset))
