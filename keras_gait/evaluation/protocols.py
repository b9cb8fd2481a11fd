"""Who is compared with whom: the evaluation protocols of the data sets, and their tables.

A protocol is a row of `PROTOCOLS`. Views and subjects come from the data, so that sets with fewer
views than the published one are evaluated by the same rule.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.evaluation.neighbours import nearest_rows, vote


@dataclass(frozen=True)
class Protocol:
    """How a data set is evaluated.

    Attributes:
        conditions: conditions of the probes, each a row of the table; ``("",)``: one row for all.
        cross_view: probes are compared with each view on its own, never with their own view.
        gallery_condition, gallery_videos: which sequences are the gallery, where gallery and probe
            are one data set; ``None``: they are always two.
    """

    name: str
    conditions: tuple = ("",)
    cross_view: bool = True
    gallery_condition: str = ""
    gallery_videos: tuple | None = None

    def is_gallery(self, dataset):
        """Mask ``(n,)`` of the gallery sequences of a data set that holds both parts."""
        if self.gallery_videos is None:
            raise GaitError(
                f"the protocol {self.name} needs two data sets, but {dataset.name} was found for both; "
                "name them by --gallery and --probe"
            )
        return (dataset.condition == self.gallery_condition) & np.isin(dataset.video, self.gallery_videos)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("casia-b", ("nm", "bg", "cl"), True, "nm", ("01", "02", "03", "04")),
        Protocol("oumvlp", gallery_videos=("01",)),
        Protocol("grew", cross_view=False),
    )
}


def protocol_for(dataset):
    """The protocol that fits a probe set: by its conditions, else by whether it has views."""
    if set(dataset.condition) & set(PROTOCOLS["casia-b"].conditions):
        return PROTOCOLS["casia-b"]
    return PROTOCOLS["oumvlp" if any(dataset.view) else "grew"]


def sorted_views(*views):
    """The distinct views of all arrays, by number where all are numbers."""
    unique = set().union(*(np.asarray(view).tolist() for view in views))
    numbers = all(str(view).isdigit() for view in unique)
    return sorted(unique, key=(lambda view: (int(view), str(view))) if numbers else str)


class Embedded(NamedTuple):
    """Embeddings ``(n, ...)`` with their labels and views ``(n,)``."""

    embeddings: np.ndarray
    labels: np.ndarray
    views: np.ndarray


def cross_view_rates(gallery, probe, probe_conditions, conditions, metric="L1", k=1, p=2, title=None):
    """Share of probes recognised, per condition, probe view and gallery view.

    Every gallery view is searched on its own; a probe counts when the vote of its ``k`` nearest there
    is its label. ``gallery`` and ``probe`` are `Embedded`; ``probe_conditions`` ``(n,)``.

    Returns ``(rates, probe views, gallery views)``; ``rates`` ``(conditions, probe views, gallery
    views)`` is NaN where a condition has no probe in a view. Same-view pairs are rated, too.
    """
    gallery, gallery_labels, gallery_views = map(np.asanyarray, gallery)
    probe, probe_labels, probe_views = map(np.asanyarray, probe)
    columns, rows = sorted_views(gallery_views), sorted_views(probe_views)
    rates = np.full((len(conditions), len(rows), len(columns)), np.nan)
    for g, view in enumerate(columns):
        members = np.flatnonzero(gallery_views == view)
        if k > len(members):
            raise GaitError(
                f"k={k} needs {k} gallery sequences in every view, but view {view} has {len(members)}"
            )
        note = title and f"{title}, gallery view {view}"
        near, _ = nearest_rows(_rows(gallery, members), probe, metric, k, p, note)
        hits = vote(gallery_labels[members][near]) == probe_labels
        for c, condition in enumerate(conditions):
            for r, probe_view in enumerate(rows):
                chosen = (np.asarray(probe_conditions) == condition) & (probe_views == probe_view)
                if chosen.any():
                    rates[c, r, g] = hits[chosen].mean()
    return rates, rows, columns


def _rows(embeddings, members):
    """Rows of an array or memory map; a run of neighbouring rows stays on disk."""
    if len(members) and members[-1] - members[0] + 1 == len(members):
        return embeddings[members[0] : members[-1] + 1]
    return embeddings[members]


def exclude_same_view(rates, probe_views, gallery_views):
    """Table ``(conditions, probe views + 1)``: means over all *other* gallery views, then the row's mean.

    A probe view without any other gallery view, or without probes, is NaN and left out of the mean.
    """
    same = np.array([[view == other for other in gallery_views] for view in probe_views])
    table = mean_of_known(np.where(same, np.nan, rates))
    return np.concatenate([table, mean_of_known(table)[:, None]], axis=1)


def mean_of_known(values):
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=-1)
    sums = np.where(known, values, 0).sum(axis=-1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def cross_view_accuracy(gallery, probe, probe_conditions, conditions=None, **search):
    """Table of `exclude_same_view`, fractions ``(conditions, probe views + mean)``, of the CASIA-B protocol.

    ``conditions``: the rows, default: those of the probes in sorted order. The rest as in
    `cross_view_rates`.
    """
    conditions = sorted(set(np.asarray(probe_conditions).tolist())) if conditions is None else conditions
    return exclude_same_view(*cross_view_rates(gallery, probe, probe_conditions, conditions, **search))


def text_table(header, rows):
    """A readable table in percent, "-" for NaN. ``header``: strings; ``rows``: (name, fractions)."""
    width = max(6, *(len(name) for name in header)) + 1
    first = max(len(name) for name, _ in rows)
    lines = [" " * first + "".join(name.rjust(width) for name in header)]
    for name, values in rows:
        cells = ("-" if np.isnan(value) else f"{100 * value:.1f}" for value in values)
        lines.append(name.ljust(first) + "".join(cell.rjust(width) for cell in cells))
    return "\n".join(lines)
