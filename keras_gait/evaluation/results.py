"""One evaluation: a probe set against a gallery by a protocol, and its figures."""

from dataclasses import dataclass

import numpy as np

from keras_gait.evaluation.cross_view import (
    Embedded,
    cross_view_rates,
    exclude_same_view,
    mean_of_known,
    rows_of,
    sorted_views,
    with_mean,
)
from keras_gait.evaluation.neighbours import nearest_columns, nearest_rows, vote
from keras_gait.evaluation.protocols import Protocol
from keras_gait.evaluation.ranking import Ranking, rank, rank_matrix
from keras_gait.evaluation.rerank import check_memory, reranked

CMC_RANKS = 20


@dataclass(frozen=True)
class Evaluation:
    """Figures as fractions, NaN where unknown.

    Attributes:
        protocol: the `Protocol`.
        conditions: names of the rows, ``("nm", "bg", "cl")``; ``("",)`` where there is one row for all.
        views: probe views, the columns; empty without views.
        tables: by name of the figure ("rank-1" first), ``(conditions, views + 1)``, the last column is the
            mean.
        gallery_views, rates: ``(ranks, conditions, views, gallery views)``, rank-1 first; empty where no
            gallery view is searched on its own.
        summaries: per condition a dict of "rank-1", "rank-5", "mAP", "mINP", ... of the whole gallery.
        cmc: ``(conditions, 20)`` of the whole gallery.
    """

    protocol: Protocol
    conditions: tuple
    views: list
    tables: dict
    gallery_views: list
    rates: np.ndarray
    summaries: list
    cmc: np.ndarray

    @property
    def table(self):
        """Rank-1."""
        return self.tables["rank-1"]

    @property
    def overall(self):
        """Means over the conditions of rank-1 over pairs of views, where the protocol tells equal views."""
        if not self.protocol.equal_views:
            return {}
        return {
            name: float(mean_of_known(np.array([summary[name] for summary in self.summaries])))
            for name in ("other views", "all views")
        }

    @property
    def names(self):
        return [
            (condition if condition[:1].isupper() else condition.upper()) or "all"
            for condition in self.conditions
        ]


class _Search:
    """A gallery and the probes that are compared with it, directly or by re-ranked distances."""

    def __init__(self, gallery, probe, metric, k, rerank, title):
        self.gallery, self.probe, self.metric, self.k, self.title = gallery, probe, metric, k, title
        self.matrix = None
        if rerank:
            note = title and f"{title}, re-ranking"
            self.matrix = reranked(gallery.embeddings, probe.embeddings, metric, title=note)

    def rates(self, groups, ranks):
        return cross_view_rates(
            self.gallery,
            self.probe,
            groups,
            self.metric,
            self.k,
            title=self.title,
            ranks=ranks,
            matrix=self.matrix,
        )

    def recognised(self):
        """Mask ``(n,)`` of the probes whom the vote of their nearest in the whole gallery names right."""
        if self.matrix is None:
            near, _ = nearest_rows(self.gallery.embeddings, self.probe.embeddings, self.metric, self.k)
        else:
            near = nearest_columns(self.matrix, self.k)
        return vote(self.gallery.labels[near]) == self.probe.labels

    def ranking(self, left_out):
        views = (self.gallery.views, self.probe.views) if left_out else (None, None)
        labels, only_own = (self.gallery.labels, self.probe.labels), left_out == "own"
        if self.matrix is not None:
            return rank_matrix(self.matrix, *labels, *views, only_own)
        return rank(
            self.gallery.embeddings,
            labels[0],
            self.probe.embeddings,
            labels[1],
            *views,
            self.metric,
            title=self.title and f"{self.title}, whole gallery",
            only_own=only_own,
        )


def evaluate(
    protocol,
    rows,
    gallery,
    gallery_set,
    probe,
    probe_set,
    metric="L1",
    k=1,
    title=None,
    rerank=False,
):
    """Evaluate embeddings ``(n, parts, dim)`` of two data sets -> `Evaluation`.

    ``rows``: see `keras_gait.evaluation.selection.rows_of_table`. ``rerank``: by re-ranked distances. A
    ``title`` shows progress in a terminal.
    """
    gallery = Embedded(gallery, gallery_set.subject, protocol.view_names(gallery_set))
    probe = Embedded(probe, probe_set.subject, protocol.view_names(probe_set))
    paired, viewed = protocol.views == "pairs", protocol.views != "none"
    views = sorted_views(probe.views) if viewed else []
    gallery_views = sorted_views(gallery.views) if paired else []
    rates = np.full((protocol.view_ranks, len(rows), len(views), len(gallery_views)), np.nan)
    rank1, precision = np.full((2, len(rows), len(views) if viewed else 1), np.nan)
    summaries, cmc = [None] * len(rows), np.empty((len(rows), CMC_RANKS))
    for places, members, asked in _by_gallery(rows):
        groups = [rows[i].probe[asked] for i in places]
        search = _Search(_take(gallery, members), _take(probe, asked), metric, k, rerank, title)
        if paired:
            found, *names = search.rates(groups, protocol.view_ranks)
            lines, columns = (
                [all_names.index(name) for name in some]
                for all_names, some in zip((views, gallery_views), names, strict=True)
            )
            rates[np.ix_(range(len(rates)), places, lines, columns)] = found
        ranking = search.ranking(protocol.left_out)
        recognised = search.recognised() if protocol.views == "none" else None
        for i, group in zip(places, groups, strict=True):
            summaries[i], cmc[i] = _whole(protocol, ranking, group)
            if protocol.views == "all":
                rank1[i], precision[i] = _by_view(ranking, group, search.probe.views, views)
            elif not viewed:
                counted = group if protocol.count_unknown else group & ~np.isnan(ranking.first)
                rank1[i] = recognised[counted].mean() if counted.any() else np.nan
    if protocol.equal_views:
        _add_view_means(summaries, rates[0], views, gallery_views)
    return Evaluation(
        protocol,
        tuple(row.name for row in rows),
        views,
        _tables(protocol, rates, rank1, precision, views, gallery_views),
        gallery_views,
        rates,
        summaries,
        cmc,
    )


def check_rerank(rows):
    """Refuse early to re-rank more than the memory holds."""
    for _, members, asked in _by_gallery(rows):
        check_memory(len(asked), len(members))


def _by_gallery(rows):
    """``(places of the rows, gallery, their probes)`` of each gallery, the latter two as indices."""
    places = {}
    for i, row in enumerate(rows):
        places.setdefault(row.gallery.tobytes(), []).append(i)
    for some in places.values():
        asked = np.any([rows[i].probe for i in some], axis=0)
        yield some, np.flatnonzero(rows[some[0]].gallery), np.flatnonzero(asked)


def _take(embedded, members):
    return Embedded(rows_of(embedded.embeddings, members), embedded.labels[members], embedded.views[members])


def _whole(protocol, ranking, group):
    """Figures of the whole gallery for the probes of a group: the summary, and the CMC ``(20,)``."""
    of_all = protocol.count_unknown and protocol.views == "none"
    summary = ranking.summary(group, protocol.ranks, of_all)
    return summary, ranking.cmc(CMC_RANKS, group, of_all)


def _by_view(ranking: Ranking, group, probe_views, views):
    """Rank-1 and mean average precision of a group's probes of each view, ``(2, views)``."""
    known = group & ~np.isnan(ranking.first)
    chosen = [known & (probe_views == view) for view in views]
    first = ranking.first == 1
    return np.transpose(
        [
            (first[which].mean(), ranking.precision[which].mean()) if which.any() else (np.nan, np.nan)
            for which in chosen
        ]
    )


def _add_view_means(summaries, rates, views, gallery_views):
    """The mean rank-1 of all pairs of views, and of those that are not equal."""
    others = exclude_same_view(rates, views, gallery_views)[:, -1]
    for summary, of_row, other in zip(summaries, rates, others, strict=True):
        summary["all views"] = float(mean_of_known(of_row.ravel()))
        summary["other views"] = float(other)


def _tables(protocol, rates, rank1, precision, views, gallery_views):
    if protocol.views == "pairs":
        tables = exclude_same_view(rates, views, gallery_views)
        return {f"rank-{i}": table for i, table in enumerate(tables, 1)}
    if protocol.views == "all":
        return {"rank-1": with_mean(rank1), "mAP": with_mean(precision)}
    return {"rank-1": rank1}
