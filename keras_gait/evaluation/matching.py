"""Matching of features without a classifier: CASIA-B's condition matching (CME), and its published pairs."""

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.evaluation.cross_view import rows_of
from keras_gait.evaluation.neighbours import nearest_rows

#: probe and gallery condition of the published table
PUBLISHED_PAIRS = (("nm", "nm"), ("bg", "bg"), ("cl", "cl"), ("cl", "nm"), ("bg", "nm"))


def nearest_other(gallery, probe, own=None, title=None):
    """Row ``(n,)`` of the gallery that is nearest to each probe by Euclidean distance, the first of equals.

    ``gallery (m, dim)``, ``probe (n, dim)``. ``own``: the gallery row of each probe itself, which is left
    out, where the probes are part of the gallery.
    """
    if own is None:
        return nearest_rows(gallery, probe, "L2", 1, title=title)[0][:, 0]
    if len(gallery) < 2:
        raise GaitError("no sequences: a gallery of one holds nothing but the probe itself")
    rows = nearest_rows(gallery, probe, "L2", 2, title=title)[0]
    return np.where(rows[:, 0] == own, rows[:, 1], rows[:, 0])


def matched(features, subjects, conditions, pair, title=None):
    """Mask of the right ones among the probes of one condition, by the nearest of another -> ``(n,)``.

    Args:
        features: ``(sequences, ...)`` of the whole test set, compared as flat vectors.
        subjects, conditions: names ``(sequences,)``.
        pair: probe and gallery condition; where they are one, a probe is not compared with itself.

    Raises:
        GaitError: names the condition that has no sequences.
    """
    asked, known = (np.flatnonzero(conditions == condition) for condition in pair)
    for condition, members in zip(pair, (asked, known), strict=True):
        if not len(members):
            raise GaitError(f"no sequences of the condition {condition!r}")
    vectors = features.reshape(len(features), -1)
    own = np.arange(len(asked)) if pair[0] == pair[1] else None
    found = nearest_other(rows_of(vectors, known), rows_of(vectors, asked), own, title)
    return subjects[known][found] == subjects[asked]
