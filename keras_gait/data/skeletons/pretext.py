"""Pretext tasks: what an encoder sees of skeleton windows, and what it is to rebuild (SGE, section IV).

- "rev_rec": the window, and the window itself; the model reverses it;
- "prediction": the window, and the window that follows it;
- "sorting": the window with its frames in random order, and the window.

Targets are always in natural time order.
"""

import numpy as np

from keras_gait.errors import GaitError

TASKS = ("rev_rec", "prediction", "sorting")
PAIRS = ("published", "recordings")


def check_task(task):
    """Refuse an unknown task."""
    if task not in TASKS:
        raise GaitError(f"a pretext task is one of {', '.join(TASKS)}. Received: {task!r}")


def following(recordings, pairs="published"):
    """The number of the window after each, ``(n,)``; the last one's is its own.

    Args:
        recordings: of each window in file order, ``(n,)``.
        pairs: "published": whatever follows in the file; "recordings": the last window of every recording
            is its own target, too.
    """
    if pairs not in PAIRS:
        raise GaitError(f"pairs of windows are {' or '.join(PAIRS)}. Received: {pairs!r}")
    recordings = np.asarray(recordings)
    count = len(recordings)
    after = np.minimum(np.arange(count) + 1, count - 1)
    return np.where((recordings[after] != recordings) & (pairs == "recordings"), np.arange(count), after)


def frame_orders(count, frames, seed, axis):
    """A random order of the frames of each of ``count`` windows, ``(count, frames)``; one draw for a run."""
    kind = np.min_scalar_type(max(frames - 1, 0))
    orders = np.tile(np.arange(frames, dtype=kind), (count, 1))
    return np.random.default_rng([seed, 2, axis]).permuted(orders, axis=1)


def in_order(windows, orders):
    """``windows[n, orders[n, t]]`` of ``(n, f, ...)`` and ``(n, f)``."""
    return windows[np.arange(len(windows))[:, None], orders]


def pretext(task, windows, nexts=None, orders=None):
    """``(inputs, targets)`` of a task, both shaped as ``windows (n, f, J)``.

    Args:
        nexts: the windows that follow, for "prediction". orders: of the frames, ``(n, f)``, for "sorting".
    """
    check_task(task)
    if task == "prediction":
        return windows, nexts
    return (in_order(windows, orders) if task == "sorting" else windows), windows
