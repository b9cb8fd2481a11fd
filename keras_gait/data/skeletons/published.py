"""Which windows the published programs use: whole batches of each person (SGE, defect D13)."""

import numpy as np


def published_rows(subjects, batch_size, training):
    """Rows whose features are taken, person after person, as the published batches make them.

    A person with fewer than ``batch_size`` windows has all of them; in ``training`` they are filled up with
    copies of the first. Of one with more, the rest that fills no batch is left out.

    Args:
        subjects: person of each window, ``(n,)``: numbers, or text; persons come sorted, numbers by value.
    """
    subjects = np.asarray(subjects)
    if subjects.dtype.kind in "US" and np.char.isdecimal(subjects).all():
        subjects = subjects.astype(np.int64)
    order = np.argsort(subjects, kind="stable")
    _, starts, counts = np.unique(subjects[order], return_index=True, return_counts=True)
    kept = np.where(counts < batch_size, counts, counts - counts % batch_size)
    taken = np.maximum(kept, batch_size) if training else kept
    person = np.repeat(np.arange(len(counts)), taken)
    place = np.arange(taken.sum()) - np.repeat(np.cumsum(taken) - taken, taken)
    return order[starts[person] + np.where(place < kept[person], place, 0)]


def biwi_training_rows(count):
    """The windows of BIWI's training file that train encoders, the first ``N - ceil(N / 3)``, as rows.

    The window that follows the last of them is still what that one predicts.
    """
    return np.arange(count - -(-count // 3))
