"""The nearest gallery sequences of every probe: exact, streamed, bounded in memory."""

import numpy as np
from tqdm import tqdm

from keras_gait.errors import GaitError
from keras_gait.evaluation.distances import as_vectors, check_metric, distance_bounds, distances

_GALLERY_BYTES = 128 * 2**20  # of float32 embeddings held at a time
_PROBE_ROWS = 512
_CANDIDATES = 1024  # rows compared exactly at a time


def nearest(gallery, labels, probes, metric="L1", k=1, p=2):
    """Labels ``(n, k)`` of the ``k`` nearest gallery rows of every probe, nearest first.

    ``gallery`` ``(m, ...)``, ``labels`` ``(m,)``, ``probes`` ``(n, ...)``; see `nearest_rows`.
    """
    return np.asarray(labels)[nearest_rows(gallery, probes, metric, k, p)[0]]


def nearest_rows(gallery, probes, metric="L1", k=1, p=2, title=None):
    """Indices ``(n, k)`` and distances ``(n, k)`` float64 of the ``k`` nearest gallery rows, nearest first.

    ``gallery`` and ``probes`` are float32 arrays or memory maps ``(n, dim)`` or ``(n, parts, dim)``; both
    are read block by block. The result is exact: lower bounds only choose which rows are compared in
    full. Equally near rows come in gallery order. A ``title`` shows a progress bar
    in a terminal.
    """
    check_metric(metric, p)
    gallery, probes = as_vectors(gallery, metric), as_vectors(probes, metric)
    if not 1 <= k <= len(gallery):
        raise GaitError(f"k={k} nearest neighbours need k from 1 to the {len(gallery)} gallery sequences")
    best = np.full((len(probes), k), np.inf)
    rows = np.full((len(probes), k), -1, np.int64)
    step = max(k, _GALLERY_BYTES // max(1, 4 * int(np.prod(gallery.shape[1:]))), 1)
    starts = range(0, len(gallery), step)
    with tqdm(total=len(starts) * len(probes), desc=title, disable=title is None or None) as bar:
        for start in starts:
            part = np.ascontiguousarray(gallery[start : start + step], np.float32)
            lower, _ = distance_bounds(part, metric, p)
            for first in range(0, len(probes), _PROBE_ROWS):
                block = np.ascontiguousarray(probes[first : first + _PROBE_ROWS], np.float32)
                for i, low in enumerate(lower(block), first):
                    _search(part, block[i - first], low, start, best[i], rows[i], metric, p)
                bar.update(len(block))
    return rows, best


def _search(part, probe, low, offset, best, rows, metric, p):
    """Bring ``best (k,)`` and ``rows (k,)`` up to date with the gallery rows ``part``; uses ``low`` up."""
    k = min(len(best), len(low))
    if low.min() > best[-1]:
        return
    first = np.argpartition(low, k - 1)[:k]  # these make the limit tight before the many are looked at
    _merge(part, probe, first, offset, best, rows, metric, p)
    low[first] = np.inf
    again = np.flatnonzero(low <= best[-1])
    for start in range(0, len(again), _CANDIDATES):
        _merge(part, probe, again[start : start + _CANDIDATES], offset, best, rows, metric, p)


def _merge(part, probe, candidates, offset, best, rows, metric, p):
    exact = distances(probe[None], part[candidates], metric, p)[0]
    found = np.concatenate([best, exact])
    places = np.concatenate([rows, candidates + offset])
    order = np.lexsort((places, found))[: len(best)]
    best[:], rows[:] = found[order], places[order]


def nearest_columns(matrix, k):
    """Columns ``(n, k)`` of the ``k`` least values of every row of ``matrix (n, m)``, least first.

    ``matrix``: distances, none negative, compared as float32. Equals come in the order of the columns:
    the bits of a float32 that is not negative order as it does, and the column's number below them
    makes every key another.
    """
    if not 1 <= k <= matrix.shape[1]:
        raise GaitError(f"k={k} nearest neighbours need k from 1 to the {matrix.shape[1]} gallery sequences")
    found = np.empty((len(matrix), k), np.int64)
    for start in range(0, len(matrix), _PROBE_ROWS):
        block = np.ascontiguousarray(matrix[start : start + _PROBE_ROWS], np.float32) + np.float32(0)
        keys = block.view(np.uint32).astype(np.uint64) << np.uint64(32)
        keys |= np.arange(block.shape[1], dtype=np.uint64)
        keys.partition(k - 1, axis=1)
        found[start : start + len(block)] = np.sort(keys[:, :k], axis=1) & np.uint64(2**32 - 1)
    return found


def vote(labels):
    """The most frequent label of every row of ``labels (n, k)``, nearest first; of equals, the nearest's."""
    counts = (labels[:, :, None] == labels[:, None, :]).sum(axis=2)
    return np.take_along_axis(labels, counts.argmax(axis=1)[:, None], axis=1)[:, 0]
