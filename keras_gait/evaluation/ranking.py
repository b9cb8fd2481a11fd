"""Rankings of the whole gallery: cumulative matches (CMC), mean average precision, mINP; streamed."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from keras_gait.evaluation.distances import as_vectors, check_metric, distance_bounds, distances

_GALLERY_BYTES = 128 * 2**20  # of float32 embeddings held at a time
_PROBE_ROWS = 512
_CANDIDATES = 1024  # rows compared exactly at a time
_MANY = 0.05  # share of rows left open from which on comparing all of them at once costs less


@dataclass(frozen=True)
class Ranking:
    """What became of every probe; NaN for a probe whose subject is not in its gallery.

    Attributes:
        first: rank, from 1, of the first right gallery sequence, float64 ``(n,)``.
        precision: average precision ``(n,)``: the mean, over all right ones, of the share of right
            ones up to their rank.
        penalty: inverse negative penalty ``(n,)``: number of right ones / rank of the last of them.
    """

    first: np.ndarray
    precision: np.ndarray
    penalty: np.ndarray

    def summary(self, which=slice(None), ranks=(1, 5), of_all=False):
        """Fractions ``{"rank-1", "rank-5", "mAP", "mINP"}`` over the probes ``which`` that can be found.

        ``ranks``: those to tell. ``of_all``: a probe that cannot be found counts as not found at any rank.
        """
        known = ~np.isnan(self.first[which])
        curve = self.cmc(max(ranks), which, of_all)
        return {f"rank-{rank}": curve[rank - 1] for rank in ranks} | {
            "mAP": self.precision[which][known].mean() if known.any() else np.nan,
            "mINP": self.penalty[which][known].mean() if known.any() else np.nan,
        }

    def cmc(self, ranks, which=slice(None), of_all=False):
        """Share ``(ranks,)`` of the probes ``which`` that are found among the first 1, 2, ... sequences.

        A gallery of fewer sequences than ``ranks`` leaves the curve at its end; ``of_all`` as in `summary`.
        """
        first = self.first[which]
        first = first if of_all else first[~np.isnan(first)]
        return np.array([(first <= rank).mean() if len(first) else np.nan for rank in range(1, ranks + 1)])


def rank(
    gallery,
    gallery_labels,
    probe,
    probe_labels,
    gallery_views=None,
    probe_views=None,
    metric="L1",
    p=2,
    title=None,
    only_own=False,
):
    """Rank the gallery for every probe by exact distance, equals in gallery order -> `Ranking`.

    Embeddings float32 ``(n, ...)`` as arrays or memory maps, read block by block. With views given,
    gallery sequences of the probe's own view are left out of its ranking; with ``only_own`` just those of
    its own subject. Nothing is sorted: a right sequence's rank is the number of wrong ones before it, and
    bounds of the distances tell most of that. Views ``(n, k)``: those that share any of k are left out.
    """
    check_metric(metric, p)
    gallery, probe = as_vectors(gallery, metric), as_vectors(probe, metric)
    split = _splitter(gallery_labels, probe_labels, gallery_views, probe_views, only_own)
    results = np.full((3, len(probe)), np.nan)
    step = max(1, _GALLERY_BYTES // max(1, 4 * int(np.prod(gallery.shape[1:]))))
    starts = range(0, len(gallery), step)

    def places(i, row):
        right = split(i)[0]
        return _Places(distances(row[None], np.asarray(gallery[right], np.float32), metric, p)[0], right)

    with tqdm(total=len(starts) * len(probe), desc=title, disable=title is None or None) as bar:
        for first in range(0, len(probe), _PROBE_ROWS):
            block = np.ascontiguousarray(probe[first : first + _PROBE_ROWS], np.float32)
            chosen = range(first, first + len(block))
            found = [places(i, row) for i, row in zip(chosen, block, strict=True)]
            for start in starts:
                part = np.ascontiguousarray(gallery[start : start + step], np.float32)
                wrong = [split(i, slice(start, start + step))[1] for i in chosen]
                _count(found, wrong, block, part, start, metric, p)
                bar.update(len(block))
            results[:, chosen] = np.transpose([one.figures() for one in found])
    return Ranking(*results)


def rank_matrix(matrix, gallery_labels, probe_labels, gallery_views=None, probe_views=None, only_own=False):
    """`rank` by distances that are known already, ``matrix (probes, gallery)``."""
    split = _splitter(gallery_labels, probe_labels, gallery_views, probe_views, only_own)
    results = np.full((3, len(matrix)), np.nan)
    for i, row in enumerate(matrix):
        right, wrong = split(i)
        places = _Places(row[right], right)
        places.count_exact(wrong, row[wrong])
        results[:, i] = places.figures()
    return Ranking(*results)


def _splitter(labels, probe_labels, views, probe_views, only_own):
    """A function: the right and the wrong gallery rows, among ``rows``, that probe i is compared with."""
    subjects, probe_subjects = _codes(labels, probe_labels)
    if views is None:
        views, probe_views = np.zeros(len(subjects), int), np.ones(len(probe_subjects), int)
    columns = [np.reshape(each, (len(each), -1)).T for each in (views, probe_views)]
    apart = [_codes(*pair) for pair in zip(*columns, strict=True)]

    def split(i, rows=slice(None)):
        right = subjects[rows] == probe_subjects[i]
        compared = np.logical_and.reduce([view[rows] != probe_view[i] for view, probe_view in apart])
        if only_own:
            compared |= ~right
        return np.flatnonzero(right & compared), np.flatnonzero(~right & compared)

    return split


def _codes(*columns):
    """Columns of labels as whole numbers, equal where the labels are."""
    codes = np.unique(np.concatenate(columns), return_inverse=True)[1]
    return np.split(codes, np.cumsum([len(column) for column in columns])[:-1])


class _Places:
    """Where the right gallery rows of one probe stand, while the wrong rows before them are counted."""

    def __init__(self, exact, right):
        order = np.argsort(exact, kind="stable")
        self.near, self.rows = exact[order], right[order]
        self.wrong = np.zeros(len(right) + 1, int)  # ahead of the first right row, between two, behind all

    def count(self, low, high):
        """Count wrong rows whose distances lie from ``low`` to ``high`` -> mask of those left open."""
        nearer = np.searchsorted(self.near, low)  # right rows ahead of each
        unsure = nearer != np.searchsorted(self.near, high, side="right")
        self.wrong += np.bincount(nearer[~unsure], minlength=len(self.wrong))
        return unsure

    def count_ties(self, rows, exact):
        """Count wrong gallery rows that are exactly as far as a right one: gallery order decides."""
        order = np.lexsort((np.concatenate([self.rows, rows]), np.concatenate([self.near, exact])))
        is_right = order < len(self.rows)
        self.wrong += np.bincount(np.cumsum(is_right)[~is_right], minlength=len(self.wrong))

    def count_exact(self, rows, exact):
        """Count the wrong gallery ``rows`` at the distances ``exact``."""
        ties = self.count(exact, exact)
        if ties.any():
            self.count_ties(rows[ties], exact[ties])

    def figures(self):
        """First rank, average precision and inverse negative penalty; NaN without a right row."""
        if not len(self.near):
            return np.nan, np.nan, np.nan
        found = np.arange(1, len(self.near) + 1)
        places = found + np.cumsum(self.wrong)[:-1]
        return places[0], (found / places).mean(), len(places) / places[-1]


def _count(found, wrong, probes, part, offset, metric, p):
    """Count the rows ``wrong`` of the gallery block ``part`` for every probe's places ``found``."""
    lower, upper = distance_bounds(part, metric, p)
    low = lower(probes)
    high = upper(probes, low)

    def by_bounds(places, rows, low, high):
        return rows[places.count(low[rows], high[rows])]

    def exactly(probe, rows):
        starts = range(0, len(rows), _CANDIDATES)
        pieces = [distances(probe, part[rows[s : s + _CANDIDATES]], metric, p)[0] for s in starts]
        return np.concatenate([np.empty(0), *pieces])

    def by_distance(places, rows, exact):
        places.count_exact(rows + offset, exact)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        unsure = list(pool.map(by_bounds, found, wrong, low, high))
        if sum(map(len, unsure)) > _MANY * low.size:
            whole = distances(probes, part, metric, p)
            exact = [row[rows] for row, rows in zip(whole, unsure, strict=True)]
        else:
            exact = list(pool.map(exactly, probes[:, None], unsure))
        list(pool.map(by_distance, found, unsure, exact))
