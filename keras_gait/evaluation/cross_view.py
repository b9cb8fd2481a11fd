"""Recognition across views: every probe view against every gallery view on its own."""

from typing import NamedTuple

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.evaluation.neighbours import nearest_columns, nearest_rows, vote


class Embedded(NamedTuple):
    """Embeddings ``(n, ...)`` with their labels and views ``(n,)``."""

    embeddings: np.ndarray
    labels: np.ndarray
    views: np.ndarray


def sorted_views(*views):
    """The distinct views of all arrays, by number where all are numbers."""
    unique = set().union(*(np.asarray(view).tolist() for view in views))
    numbers = all(str(view).isdigit() for view in unique)
    return sorted(unique, key=(lambda view: (int(view), str(view))) if numbers else str)


def cross_view_rates(gallery, probe, groups, metric="L1", k=1, p=2, title=None, ranks=1, matrix=None):
    """Share of probes recognised, per rank, group, probe view and gallery view.

    Every gallery view is searched on its own; a probe counts at rank 1 when the vote of its ``k`` nearest
    there is its label, at rank r when its label is among the r nearest, or among all where there are fewer.

    Args:
        gallery, probe: `Embedded`. groups: masks of probes ``(groups, n)``, which may overlap.
        ranks: how many. matrix: distances ``(probes, gallery)`` to go by, instead of ``metric`` and ``p``.

    Returns ``(rates, probe views, gallery views)``; ``rates`` ``(ranks, groups, probe views, gallery
    views)`` is NaN where a group has no probe in a view. Same-view pairs are rated, too.
    """
    gallery, gallery_labels, gallery_views = map(np.asanyarray, gallery)
    probe, probe_labels, probe_views = map(np.asanyarray, probe)
    columns, lines = sorted_views(gallery_views), sorted_views(probe_views)
    groups = np.asarray(groups, bool)
    rates = np.full((ranks, len(groups), len(lines), len(columns)), np.nan)
    for g, view in enumerate(columns):
        members = np.flatnonzero(gallery_views == view)
        if k > len(members):
            raise GaitError(
                f"k={k} needs {k} gallery sequences in every view, but view {view} has {len(members)}"
            )
        most = min(max(k, ranks), len(members))
        if matrix is None:
            note = title and f"{title}, gallery view {view}"
            near, _ = nearest_rows(rows_of(gallery, members), probe, metric, most, p, note)
        else:
            near = nearest_columns(matrix[:, members], most)
        found = gallery_labels[members][near]
        hits = found == probe_labels[:, None]
        right = np.stack([hits[:, : rank + 1].any(axis=1) for rank in range(ranks)])
        right[0] = vote(found[:, :k]) == probe_labels
        for c, group in enumerate(groups):
            for r, probe_view in enumerate(lines):
                chosen = group & (probe_views == probe_view)
                if chosen.any():
                    rates[:, c, r, g] = right[:, chosen].mean(axis=1)
    return rates, lines, columns


def rows_of(embeddings, members):
    """Rows of an array or memory map; a run of neighbouring rows stays on disk."""
    if len(members) and members[-1] - members[0] + 1 == len(members):
        return embeddings[members[0] : members[-1] + 1]
    return embeddings[members]


def exclude_same_view(rates, probe_views, gallery_views):
    """Table ``(..., probe views + 1)``: means over all *other* gallery views, then the row's mean.

    A probe view without any other gallery view, or without probes, is NaN and left out of the mean.
    """
    same = np.array([[view == other for other in gallery_views] for view in probe_views])
    return with_mean(mean_of_known(np.where(same, np.nan, rates)))


def view_table(rates):
    """Table ``(gallery views + 1, probe views + 1)`` of ``rates (probe views, gallery views)`` and all means.

    The last column and row are the means of the known cells, equal views included, as OU-MVLP is told.
    """
    means = np.append(mean_of_known(rates), mean_of_known(rates.ravel()))
    return np.concatenate([with_mean(rates.T), means[None]])


def with_mean(table):
    """A table ``(..., columns)`` with the mean of its known columns as one column more."""
    return np.concatenate([table, mean_of_known(table)[..., None]], axis=-1)


def mean_of_known(values):
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=-1)
    sums = np.where(known, values, 0).sum(axis=-1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def cross_view_accuracy(gallery, probe, probe_conditions, conditions=None, **search):
    """Table of `exclude_same_view`, fractions ``(conditions, probe views + mean)``, of the CASIA-B protocol.

    ``probe_conditions`` ``(n,)``; ``conditions``: the rows, default: those of the probes in sorted order.
    The rest as in `cross_view_rates`.
    """
    probe_conditions = np.asarray(probe_conditions)
    conditions = sorted(set(probe_conditions.tolist())) if conditions is None else conditions
    groups = [probe_conditions == condition for condition in conditions]
    rates, *views = cross_view_rates(gallery, probe, groups, **search)
    return exclude_same_view(rates[0], *views)
