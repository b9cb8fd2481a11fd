"""Where one recording ends and the next begins, which the published files do not tell."""

import numpy as np

from keras_gait.errors import GaitError


def recording_of(dataset):
    """The recording of each window, ``(n,)`` int32 counted from 0, of a data set in file order.

    A new one begins where the person, the condition or the view changes, or where a row of the published
    file is left out (``video`` is its number): such windows do not follow each other in time.
    """
    if not len(dataset):
        return np.zeros(0, np.int32)
    if not np.char.isdecimal(dataset.video).all():
        odd = dataset.video[~np.char.isdecimal(dataset.video)][0]
        raise GaitError(
            f"{dataset.path}: the videos of skeleton windows are row numbers, which tell their order. Found: "
            f"{str(odd)!r}. Make the set anew"
        )
    begins = np.diff(dataset.video.astype(np.int64)) != 1
    for labels in (dataset.subject, dataset.condition, dataset.view):
        begins |= labels[1:] != labels[:-1]
    return np.concatenate([[0], np.cumsum(begins)]).astype(np.int32)
