"""One evaluation: a probe set against a gallery by a protocol, its figures, and how they are printed."""

from dataclasses import dataclass

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.evaluation.neighbours import nearest, vote
from keras_gait.evaluation.protocols import (
    Embedded,
    cross_view_rates,
    exclude_same_view,
    mean_of_known,
    sorted_views,
    text_table,
)
from keras_gait.evaluation.ranking import rank
from keras_gait.files import write_whole

CMC_RANKS = 20


@dataclass(frozen=True)
class Evaluation:
    """Figures as fractions, NaN where unknown.

    Attributes:
        conditions: names of the rows, ``("nm", "bg", "cl")``; ``("",)`` where there is one row for all.
        views: probe views, the columns; empty without views.
        table: rank-1 ``(conditions, views + 1)``, the last column is the mean.
        gallery_views, rates: rank-1 ``(conditions, views, gallery views)``; empty without views.
        summaries: per condition a dict of "rank-1", "rank-5", "mAP", "mINP" of the whole gallery.
        cmc: ``(conditions, 20)`` of the whole gallery.
    """

    conditions: tuple
    views: list
    table: np.ndarray
    gallery_views: list
    rates: np.ndarray
    summaries: list
    cmc: np.ndarray

    @property
    def names(self):
        return [condition.upper() or "all" for condition in self.conditions]


def check_sets(protocol, gallery, probe, k=1, named=False):
    """Refuse early what cannot be evaluated -> the conditions that the table has.

    With the protocol ``named`` by the user all of its conditions are needed; otherwise it was found
    from the data, and the conditions are those of the probes.
    """
    for role, dataset in (("gallery", gallery), ("probe", probe)):
        if not len(dataset):
            raise GaitError(
                f"{dataset.path} has no {role} sequence for the protocol {protocol.name}: check the data"
            )
    found = set(probe.condition)
    missing = [condition for condition in protocol.conditions if condition and condition not in found]
    if missing and named:
        raise GaitError(
            f"the protocol {protocol.name} needs probes of the conditions "
            f"{', '.join(protocol.conditions)}, but "
            f"{probe.name} has none of {', '.join(missing)}; without --protocol those that are "
            "there are evaluated"
        )
    unknown = sorted(set(probe.subject) - set(gallery.subject))
    if len(unknown) == len(set(probe.subject)):
        raise GaitError(
            f"not one of the {len(unknown)} subjects of {probe.name} is in the gallery {gallery.name} "
            f"(such as {unknown[0]}): give the gallery of the same people by --gallery"
        )
    if unknown:
        count = int(np.isin(probe.subject, unknown).sum())
        print(
            f"{len(unknown)} probe subjects "
            f"({', '.join(unknown[:5])}{', ...' if len(unknown) > 5 else ''}) are not "
            f"in the gallery; their {count} sequences count as not recognised"
        )
    _check_neighbours(protocol, gallery, k)
    if protocol.conditions == ("",):
        return ("",)
    known = [condition for condition in protocol.conditions if condition in found]
    return (*known, *sorted(found - set(known)))


def _check_neighbours(protocol, gallery, k):
    if not protocol.cross_view:
        if k > len(gallery):
            raise GaitError(
                f"--knn {k} needs at least {k} gallery sequences, but {gallery.name} has {len(gallery)}. "
                f"Use --knn {len(gallery)} or less."
            )
        return
    counts = {view: int((gallery.view == view).sum()) for view in sorted_views(gallery.view)}
    view = min(counts, key=counts.get)
    if k > counts[view]:
        raise GaitError(
            f"--knn {k} needs at least {k} gallery sequences in every view, but view {view} of "
            f"{gallery.name} has "
            f"{counts[view]}. Use --knn {counts[view]} or less."
        )


def evaluate(protocol, conditions, gallery, gallery_set, probe, probe_set, metric="L1", k=1, title=None):
    """Evaluate embeddings ``(n, parts, dim)`` of two data sets -> `Evaluation`.

    ``conditions``: see `check_sets`. A ``title`` shows progress in a terminal.
    """
    of_row = probe_set.condition if conditions != ("",) else np.full(len(probe_set), "")
    if protocol.cross_view:
        rates, views, gallery_views = cross_view_rates(
            Embedded(gallery, gallery_set.subject, gallery_set.view),
            Embedded(probe, probe_set.subject, probe_set.view),
            of_row,
            conditions,
            metric,
            k,
            title=title,
        )
        table = exclude_same_view(rates, views, gallery_views)
    else:
        rates, views, gallery_views = np.empty((len(conditions), 0, 0)), [], []
        right = vote(nearest(gallery, gallery_set.subject, probe, metric, k)) == probe_set.subject
        table = np.array([[right[of_row == condition].mean()] for condition in conditions])
    ranking = rank(
        gallery,
        gallery_set.subject,
        probe,
        probe_set.subject,
        gallery_set.view if protocol.cross_view else None,
        probe_set.view,
        metric,
        title=title and f"{title}, whole gallery",
    )
    return Evaluation(
        tuple(conditions),
        views,
        table,
        gallery_views,
        rates,
        [ranking.summary(of_row == condition) for condition in conditions],
        np.array([ranking.cmc(CMC_RANKS, of_row == condition) for condition in conditions]),
    )


def tables(result, simulated=False):
    """The tables of an `Evaluation` as ``[(title, header, rows)]``, rows of (name, fractions)."""
    note = ", simulated walkers" if simulated else ""
    rows = list(zip(result.names, result.table, strict=True))
    if len(rows) > 1:
        rows.append(("mean", mean_of_known(result.table.T)))
    if result.views:
        title = f"Rank-1 in % by probe view, mean over the other gallery views{note}"
        whole = f"Whole gallery without the probe's own view, in %{note}"
    else:
        title = f"Rank-1 in %{note}"
        whole = f"Whole gallery, in %{note}"
    summaries = [
        (name, list(summary.values())) for name, summary in zip(result.names, result.summaries, strict=True)
    ]
    return [
        (title, [*map(str, result.views), "mean"], rows),
        (whole, list(result.summaries[0]), summaries),
    ]


def view_tables(result, simulated=False):
    """Per condition the table of probe view (rows) by gallery view, as in `tables`."""
    note = ", simulated walkers" if simulated else ""
    return [
        (
            f"{name}: rank-1 in %, probe view by gallery view{note}",
            [str(view) for view in result.gallery_views],
            [(str(view), row) for view, row in zip(result.views, rates, strict=True)],
        )
        for name, rates in zip(result.names, result.rates, strict=True)
    ]


def print_results(result, simulated=False, verbose=False):
    """Print the rows of the published command (fractions, last column the mean), then readable tables."""
    print("acc: (simulated walkers)" if simulated else "acc:")
    for condition, row in zip(result.conditions, result.table, strict=True):
        print(f"{condition or 'all'}: " + " ".join(f"{value:.4f}" for value in row))
    for title, header, rows in tables(result, simulated) + (
        view_tables(result, simulated) if verbose else []
    ):
        if header:
            print(f"\n{title}\n{text_table(header, rows)}")


def write_csv(result, path):
    """The rank-1 table as ``condition,<views>,mean``, fractions."""
    lines = [",".join(["condition", *map(str, result.views), "mean"])]
    for condition, row in zip(result.conditions, result.table, strict=True):
        lines.append(",".join([condition or "all", *(f"{value:.6f}" for value in row)]))
    write_whole(path, "\n".join(lines) + "\n")
