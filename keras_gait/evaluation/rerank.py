"""Re-ranking by k-reciprocal neighbours (Zhong et al., CVPR 2017): who has the same neighbours is nearer.

All lists of neighbours are sparse matrices ``(sequences, sequences)``, so nothing loops over sequences.
"""

import contextlib
import os
from pathlib import Path

import numpy as np
from scipy import sparse
from tqdm import tqdm

from keras_gait.errors import GaitError
from keras_gait.evaluation.distances import as_vectors, check_metric, distances
from keras_gait.evaluation.neighbours import nearest_columns

K1, K2, WEIGHT = 6, 6, 0.3  # OpenGait's
_ROWS = 512  # compared at a time
_PAIRS = 2**22  # of common neighbours, and of probe and gallery, held at a time


def reranked(gallery, probe, metric="parts", p=2, title=None):
    """Re-ranked distances ``(probes, gallery)`` float32 of embeddings ``(n, ...)``, see `rerank`.

    Needs all distances among probes and gallery at once; raises GaitError where the memory cannot hold them.
    A ``title`` shows a progress bar in a terminal.
    """
    check_metric(metric, p)
    count = len(probe) + len(gallery)
    check_memory(len(probe), len(gallery))
    rows = np.concatenate([as_vectors(probe, metric), as_vectors(gallery, metric)], dtype=np.float32)
    matrix = np.empty((count, count), np.float32)
    for start in tqdm(range(0, count, _ROWS), desc=title, disable=title is None or None):
        part = slice(start, start + _ROWS)
        matrix[part, start:] = distances(rows[part], rows[start:], metric, p)
        matrix[start:, part] = matrix[part, start:].T
    return rerank(matrix, len(probe))


def check_memory(probes, gallery):
    """Refuse to re-rank what the free memory does not hold."""
    needed = 4 * ((probes + gallery) ** 2 + 2 * probes * gallery)
    free = free_memory()
    if needed > free:
        raise GaitError(
            f"re-ranking {probes} probes and {gallery} gallery sequences needs {needed / 2**30:.1f} GB for "
            f"all their distances, and {free / 2**30:.1f} GB are free: evaluate without --rerank, or fewer "
            "sequences"
        )


def free_memory():
    """Bytes that a program may still take: on Linux with what the system keeps of files, elsewhere all.

    What is read of a data set stays in memory until somebody else needs the room, so it is as good as free.
    """
    with contextlib.suppress(OSError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
        if found:
            return 1024 * int(found[0])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def rerank(matrix, probes, k1=K1, k2=K2, weight=WEIGHT):
    """Distances ``(probes, n - probes)`` float32 that count how many neighbours two sequences share.

    Args:
        matrix: symmetric distances ``(n, n)`` among all sequences, the ``probes`` first; none negative.
        k1: neighbours that must be mutual. k2: neighbours whose lists are averaged.
        weight: share of the original distance, over the row's largest, in the result.
    """
    if not (0 < probes < len(matrix) and k2 >= 1 and 1 <= k1 < len(matrix)):
        raise GaitError(
            f"re-ranking needs probes and a gallery, and more than k1={k1} sequences. Received: {probes} "
            f"probes of {len(matrix)} sequences"
        )
    largest = np.maximum(matrix.max(axis=1), np.finfo(np.float32).tiny)
    order = nearest_columns(matrix, min(max(k1 + 1, k2), len(matrix)))
    lists = _expanded(order, k1)
    rows, columns = lists.nonzero()
    near = np.exp(-matrix[rows, columns] / largest[rows], dtype=np.float32)
    weights = sparse.csr_array((near, (rows, columns)), shape=lists.shape)
    weights = sparse.diags_array(1 / weights.sum(axis=1), dtype=np.float32) @ weights
    if k2 > 1:
        weights = (_lists(order[:, :k2]) / np.float32(k2)) @ weights
    shared = _shared(weights[:probes].tocsr(), weights[probes:].tocsc())
    shared /= 2 - shared
    out = np.subtract(1, shared, out=shared)  # Jaccard distances; in place, since this is large
    out *= np.float32(1 - weight)
    out += matrix[:probes, probes:] * (weight / largest[:probes, None]).astype(np.float32)
    return np.maximum(out, 0, out=out)


def _expanded(order, k1):
    """Mutual neighbours of every sequence, and those of each that share more than 2/3 of theirs with it."""
    mutual = _mutual(order[:, : k1 + 1])
    half = _mutual(order[:, : round(k1 / 2) + 1])  # to even, as published
    common = (mutual @ half.T).multiply(mutual).tocoo()
    enough = 3 * common.data > 2 * half.sum(axis=1)[common.col]  # whole numbers: exact
    taken = sparse.csr_array((common.data[enough], (common.row[enough], common.col[enough])), common.shape)
    return (mutual + taken @ half).tocsr()


def _mutual(order):
    lists = _lists(order)
    itself = sparse.eye_array(len(order), dtype=np.float32)  # behind many equal ones it is in no list
    return lists.multiply(lists.T).maximum(itself).tocsr()


def _lists(order):
    """Neighbours ``(n, k)`` as a sparse matrix of ones."""
    count, k = order.shape
    rows = np.repeat(np.arange(count), k)
    return sparse.csr_array((np.ones(rows.size, np.float32), (rows, order.ravel())), (count, count))


def _shared(probes, gallery):
    """Sums over neighbours of the smaller weight ``(probes, gallery)`` float32; CSR and CSC matrices."""
    out = np.zeros((probes.shape[0], gallery.shape[0]), np.float32)
    partners = np.diff(gallery.indptr)  # gallery sequences that have a neighbour
    pairs = np.concatenate([[0], np.cumsum(partners[probes.indices])])[probes.indptr]  # before each probe
    first = 0
    while first < len(out):
        last = int(np.searchsorted(pairs, pairs[first] + _PAIRS, side="right")) - 1
        last = max(first + 1, min(last, first + _PAIRS // out.shape[1]))
        entries = slice(probes.indptr[first], probes.indptr[last])
        counts = partners[probes.indices[entries]]
        row = np.repeat(np.arange(first, last), np.diff(probes.indptr[first : last + 1]))
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        place = np.repeat(gallery.indptr[probes.indices[entries]], counts) + within
        least = np.minimum(np.repeat(probes.data[entries], counts), gallery.data[place])
        cell = np.repeat(row - first, counts) * out.shape[1] + gallery.indices[place]
        sums = np.bincount(cell, least, minlength=(last - first) * out.shape[1])
        out[first:last] = sums.reshape(last - first, -1)
        first = last
    return out
