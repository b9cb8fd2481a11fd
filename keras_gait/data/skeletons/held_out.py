"""Windows held out of training to see when it is enough, without a frame in common though windows overlap."""

import numpy as np

from keras_gait.data.skeletons.checks import blocks
from keras_gait.errors import GaitError


def held_out(dataset, share):
    """``(training, validation)``: masks ``(n,)`` of the windows of a data set in file order.

    The published files cut each recording into overlapping windows, several times over. So frames are told
    apart by their bytes: each person's, in order of first appearance, are cut at ``1 - share``. Windows
    wholly before the cut train, those wholly behind it validate, the others do neither. Reads the data set
    once, block by block.

    Args:
        share: of each person's frames, between 0 and 1.
    """
    if not 0 < share < 1:
        raise GaitError(f"the share to hold out lies between 0 and 1. Received: train.held_out {share}")
    frames = np.concatenate([frame_keys(windows) for _, windows in blocks(dataset)])
    behind = behind_cut(frames, dataset.labels, share)
    training = ~behind.any(axis=1)
    # what another person's training shares by chance (frames of zeros) is not validated on either
    known = np.isin(frames, frames[training]).any(axis=1)
    validation = behind.all(axis=1) & ~known
    for mask, what in ((training, "train on"), (validation, "hold out")):
        if not mask.any():
            raise GaitError(
                f"{dataset.path}: no window is left to {what} with train.held_out {share}, for windows "
                "overlap; choose another share, or train.selection last"
            )
    return training, validation


def behind_cut(frames, persons, share):
    """Whether each frame ``(n, f)`` is among the last ``share`` of its person's, by first appearance.

    Args:
        frames: a number for each frame, equal for equal frames. persons: of each window, ``(n,)``.
    """
    flat, owners = frames.ravel(), np.repeat(persons, frames.shape[1])
    order = np.lexsort((flat, owners))  # stable: the first of equal ones is the earliest
    flat, owners = flat[order], owners[order]
    new = np.ones(len(flat), bool)
    new[1:] = (flat[1:] != flat[:-1]) | (owners[1:] != owners[:-1])
    firsts, owner = order[new], owners[new]
    by_time = np.lexsort((firsts, owner))
    _, starts, counts = np.unique(owner, return_index=True, return_counts=True)
    rank = np.empty(len(firsts), np.int64)
    rank[by_time] = np.arange(len(firsts)) - np.repeat(starts, counts)
    cut = np.rint(counts * (1 - share))
    behind = np.empty(len(flat), bool)
    behind[order] = (rank >= np.repeat(cut, counts))[np.cumsum(new) - 1]
    return behind.reshape(frames.shape)


def frame_keys(windows):
    """A 64-bit number for each frame of ``(n, f, ...)`` float32, from its bytes: ``(n, f)`` uint64.

    Equal frames have equal numbers. Were different ones to, they would at worst be left out together.
    """
    n, f = windows.shape[:2]
    words = np.ascontiguousarray(windows).view(np.uint32).reshape(n, f, -1)
    factors = np.random.default_rng(0).integers(0, 2**64, words.shape[-1], np.uint64)
    return np.einsum("nfw,w->nf", words.astype(np.uint64), factors | np.uint64(1))
