"""What a data set must be to count as one of skeleton windows, and one of their axes."""

import numpy as np

from keras_gait.data.skeletons.sets import AXES
from keras_gait.errors import GaitError

BLOCK = 1024  # windows that are read at once by what goes through a whole data set: some megabytes


def check_windows(dataset):
    """Refuse what is no set of skeletons ``(J, 3)``, or whose windows differ in length -> the length."""
    kind = dataset.info.get("modality")
    if kind != "skeleton" or len(dataset.frame_shape) != 2 or dataset.frame_shape[1] != len(AXES):
        shape = "x".join(map(str, dataset.frame_shape))
        raise GaitError(
            f"{dataset.path} holds frames of {shape} of modality {kind}, but skeletons of joints with x, y "
            "and z are needed: give a data set whose name has _skeleton_"
        )
    lengths = np.unique(dataset.frames).tolist()
    if len(lengths) != 1 or not lengths[0]:
        found = f"windows of {', '.join(map(str, lengths))} frames" if lengths else "no window"
        raise GaitError(f"{dataset.path} holds {found}, but all must be of one length: make the set anew")
    return lengths[0]


def check_axis(axis):
    """Refuse what is no axis: 0, 1, 2 for x, y, z."""
    if axis not in range(len(AXES)):
        raise GaitError(f"an axis is 0, 1 or 2, for x, y and z. Received: {axis!r}")


def check_finite(windows, dataset, which):
    """Refuse coordinates that are no numbers; ``which`` tells the windows' places in the data set."""
    if np.isfinite(windows).all():
        return
    place, frame, joint = np.argwhere(~np.isfinite(windows))[0][:3]
    i = which[place]
    labels = (getattr(dataset, key)[i] for key in ("subject", "condition", "view", "video"))
    raise GaitError(
        f"{dataset.path}: window {'/'.join(filter(None, map(str, labels)))} is NaN or infinite at frame "
        f"{frame}, joint {joint}; leave it out and make the set again"
    )


def blocks(dataset):
    """All windows in order, ``(numbers, windows (b, f, J, 3))`` block after block."""
    check_windows(dataset)
    for first in range(0, len(dataset), BLOCK):
        numbers = np.arange(first, min(first + BLOCK, len(dataset)))
        windows = dataset.read_many(numbers)
        check_finite(windows, dataset, numbers)
        yield numbers, windows
