"""Windows held out of training to see when it is enough, without a frame in common though windows overlap."""

import numpy as np

from keras_gait.data.skeletons.checks import blocks
from keras_gait.errors import GaitError


def held_out(dataset, share):
    """``(training, validation)``: masks ``(n,)`` of the windows of a data set in file order.

    The published files cut each recording into overlapping windows, several times over. So frames are told
    apart by their bytes: each person's, in the order of time, are cut at ``1 - share``. Windows wholly before
    the cut train, those wholly behind it validate, the others do neither. A person of too few frames for a
    window before the cut trains whole. Reads the data set once, block by block.

    Args:
        share: of each person's frames, between 0 and 1.
    """
    if not 0 < share < 1:
        raise GaitError(f"the share to hold out lies between 0 and 1. Received: train.held_out {share}")
    frames = np.concatenate([frame_keys(windows) for _, windows in blocks(dataset)])
    behind = behind_cut(frames, dataset.labels, share)
    training = ~behind.any(axis=1)
    if training.any():
        training |= ~np.isin(dataset.labels, dataset.labels[training])
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
    """Whether each frame ``(n, f)`` is among the last ``share`` of its person's, see `_in_time`.

    Args:
        frames: a number for each frame, equal for equal frames. persons: of each window, ``(n,)``.
    """
    flat, owners = frames.ravel(), np.repeat(persons, frames.shape[1])
    order = np.lexsort((flat, owners))  # stable: the first of equal ones is the earliest
    flat, owners = flat[order], owners[order]
    new = np.ones(len(flat), bool)
    new[1:] = (flat[1:] != flat[:-1]) | (owners[1:] != owners[:-1])
    which = np.empty(len(flat), np.int64)  # of the different frames
    which[order] = np.cumsum(new) - 1
    firsts, owner = order[new], owners[new]
    _, starts, counts = np.unique(owner, return_index=True, return_counts=True)
    rank = np.empty(len(firsts), np.int64)
    rank[_in_time(firsts, owner, which, frames.shape[1])] = np.arange(len(firsts)) - np.repeat(starts, counts)
    cut = np.rint(counts * (1 - share))
    return (rank >= np.repeat(cut, counts))[which].reshape(frames.shape)


def _in_time(firsts, owner, which, length):
    """Different frames, person after person, each one's in the order of time.

    That is the order of first appearance, but for the last frames of a recording: a later pass over it, with
    other starts, is the first to reach them, when other recordings were seen already. So a frame that comes
    in behind one that was known before has its place behind that one.

    Args:
        firsts: where each different frame is first, counted over all frames of all windows.
        owner: its person. which: the different frame that each frame is. length: frames of a window.
    """
    order = np.lexsort((firsts, owner))
    known = which[np.maximum(firsts - 1, 0)]  # before it in its first window, if it is not the first there
    previous = np.empty_like(known)
    previous[order[1:]], previous[order[0]] = order[:-1], order[0]
    inside = firsts % length > 0
    late = inside & (known != previous)
    head = late | ~inside  # of frames that follow one another
    place = np.arange(len(order))
    heads = np.empty_like(order)
    heads[order] = order[np.maximum.accumulate(np.where(head[order], place, 0))]
    behind = np.where(late[heads], known[heads], np.arange(len(order)))
    while (behind[behind] != behind).any():
        behind = behind[behind]
    return np.lexsort((firsts, firsts[behind], owner))


def frame_keys(windows):
    """A 64-bit number for each frame of ``(n, f, ...)`` float32, from its bytes: ``(n, f)`` uint64.

    Equal frames have equal numbers. Were different ones to, they would at worst be left out together.
    """
    n, f = windows.shape[:2]
    words = np.ascontiguousarray(windows).view(np.uint32).reshape(n, f, -1)
    factors = np.random.default_rng(0).integers(0, 2**64, words.shape[-1], np.uint64)
    return np.einsum("nfw,w->nf", words.astype(np.uint64), factors | np.uint64(1))
