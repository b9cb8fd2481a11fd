"""Exact distances between embeddings, and cheap bounds of them that a search can trust.

Two embeddings are compared by their true distance, computed in float64 and always by the same
routine, so equal rows are exactly equally far and a ranking never depends on how the work was split.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from scipy.spatial.distance import cdist

from keras_gait.errors import GaitError

#: "parts" is the Euclidean distance per part, averaged over parts, OpenGait's "euc"; "cos" is one minus the
#: cosine per part, averaged; the others see one flat vector.
METRICS = ("L1", "L2", "chebyshev", "minkowski", "cosine", "parts", "cos")
_BY_PART = ("parts", "cos")

_GALLERY_ROWS = 1024  # rows turned to float64 at a time
_ROUNDOFF = 2.0**-24  # of float32


def check_metric(metric, p=2):
    """Refuse a metric that is not in `METRICS` and an order ``p`` that Minkowski does not have."""
    if metric not in METRICS:
        raise GaitError(f"unknown metric {metric!r}; known are {', '.join(METRICS)}")
    if not p > 0:
        raise GaitError(f"the order of the Minkowski distance must be positive. Received: p={p}")


def as_vectors(embeddings, metric):
    """``(n, ...)`` as the metric needs it: ``(n, parts, dim)`` by part, else ``(n, dim)``; no copy."""
    if metric not in _BY_PART:
        return embeddings.reshape(len(embeddings), int(np.prod(embeddings.shape[1:])))
    if embeddings.ndim != 3:
        raise GaitError(
            f"the metric '{metric}' compares embeddings of shape (n, parts, dim). "
            f"Received: {embeddings.shape}"
        )
    return embeddings


def distances(probes, gallery, metric="L1", p=2):
    """Exact distances ``(probes, gallery)`` float64, on all cores.

    ``probes`` and ``gallery``: ``(n, dim)``, or ``(n, parts, dim)`` for "parts" and "cos". "cosine" is
    one minus the cosine, "minkowski" has the order ``p``. Needs ``probes * gallery * 8`` bytes; callers that
    stream choose the blocks.
    """
    check_metric(metric, p)
    out = np.empty((len(probes), len(gallery)))
    probes = _float64(probes, metric)

    def fill(start):
        rows = slice(start, start + _GALLERY_ROWS)
        out[:, rows] = _pairwise(probes, _float64(gallery[rows], metric), metric, p)

    starts = range(0, len(gallery), _GALLERY_ROWS)
    if len(starts) <= 1:
        for start in starts:
            fill(start)
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # cdist lets go of the interpreter lock
            list(pool.map(fill, starts))
    return out


def _float64(rows, metric):
    rows = np.ascontiguousarray(rows, np.float64)
    return _unit(rows) if metric in ("cosine", "cos") else rows


def _unit(rows):
    """Rows of length 1; parts ``(n, parts, dim)`` become one row, whose cosine is the mean of theirs."""
    rows = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return rows if rows.ndim == 2 else rows.reshape(len(rows), -1) / np.sqrt(rows.shape[1])


def _pairwise(a, b, metric, p):
    if metric == "L1":
        return cdist(a, b, "cityblock")
    if metric == "minkowski":
        return cdist(a, b, "minkowski", p=p)
    if metric == "chebyshev":
        return cdist(a, b, "chebyshev")
    if metric in ("cosine", "cos"):  # of unit vectors; without the cancellation in 1 - <a, b>
        return cdist(a, b, "sqeuclidean") / 2
    if metric == "parts":
        return sum(cdist(a[:, i], b[:, i]) for i in range(a.shape[1])) / a.shape[1]
    return cdist(a, b)


def distance_bounds(gallery, metric, p=2):
    """Two functions that bound the distances of probes ``(m, ...)`` to ``gallery``, many times cheaper.

    ``lower(probes)`` is ``(m, n)``, never above the exact distances and close below them;
    ``upper(probes, low)`` makes of these the bounds never below. A search looks at the few rows that the
    bounds leave open. Chebyshev and Minkowski have no cheap bound and get the distances themselves.
    """
    prepare = {
        "L1": _l1_bounds,
        "L2": _l2_bounds,
        "cosine": _cosine_bounds,
        "cos": _cosine_bounds,
        "parts": _parts_bounds,
    }.get(metric)
    if prepare is None:
        return (lambda probes: distances(probes, gallery, metric, p)), (lambda probes, low: low)
    return prepare(gallery)


def _l1_bounds(gallery):
    """L1 of vectors rounded to 256 levels, less or more what the rounding of the two changed at most.

    With x = offset + scale * level + rest, |x - y|_1 differs from scale * |level_x - level_y|_1 by at
    most |rest_x|_1 + |rest_y|_1. Sums of absolute differences of bytes are what processors do best.
    """
    sample = gallery.ravel()[:: max(1, gallery.size // 200_000)]
    low, high = np.percentile(sample, (0.1, 99.9)).astype(float) if sample.size else (0.0, 1.0)
    scale = (high - low) / 255 or 1.0
    levels, rests = _levels(gallery, low, scale)

    margin = 2e-6  # above what the float32 arithmetic of four roundings can err
    rests = ((1 + margin) * rests).astype(np.float32)

    def lower(probes):
        probe_levels, probe_rests = _levels(probes, low, scale)
        out = _byte_differences(probe_levels, levels).astype(np.float32)
        out *= np.float32((1 - margin) * scale)
        out -= rests
        out -= ((1 + margin) * probe_rests).astype(np.float32)[:, None]
        return out

    def upper(probes, below):
        probe_rests = _levels(probes, low, scale)[1]
        out = below + 2 * rests
        out += (2 * (1 + margin) * probe_rests).astype(np.float32)[:, None]
        out *= np.float32(1 + 4 * margin)
        return out

    return lower, upper


def _levels(rows, offset, scale, block=512):
    """Levels uint8 of ``rows (n, dim)`` and the sums ``(n,)`` of what is left, clipping included."""
    levels = np.empty(rows.shape, np.uint8)
    rests = np.empty(len(rows))
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        exact = (rows[part].astype(np.float64) - offset) / scale
        levels[part] = np.clip(np.rint(exact), 0, 255)
        rests[part] = np.abs(exact - levels[part]).sum(axis=1) * scale
    return levels, rests


def _byte_differences(probes, gallery, block=32):
    """Sums of absolute differences ``(m, n)`` int32 of uint8 rows.

    OpenCV's matcher is vectorised and threaded, but gives neighbours in order of distance: asked for
    all rows of a small block, and sorted back, it gives the block's distances.
    """
    out = np.empty((len(probes), len(gallery)), np.int32)
    for start in range(0, len(gallery), block):
        rows = gallery[start : start + block]
        near, which = cv2.batchDistance(probes, rows, cv2.CV_32S, normType=cv2.NORM_L1, K=len(rows))
        np.put_along_axis(out[:, start : start + block], which, near, axis=1)
    return out


def _l2_bounds(gallery):
    side = _gallery_side(gallery)

    def lower(probes):
        out = np.empty((len(probes), len(gallery)), np.float32)
        return np.sqrt(_squared_bounds(probes, side, out), out=out)

    def upper(probes, low):
        out = np.square(low)
        return np.sqrt(_raised(out, probes, side), out=out)

    return lower, upper


def _parts_bounds(gallery):
    parts = range(gallery.shape[1])
    sides = [_gallery_side(gallery[:, i]) for i in parts]

    def lower(probes):
        out = np.zeros((len(probes), len(gallery)), np.float32)
        for start in range(0, len(gallery), _GALLERY_ROWS):  # a block of all parts stays in the cache
            block = out[:, start : start + _GALLERY_ROWS]
            part = np.empty(block.shape, np.float32)
            for i in parts:
                side = sides[i][start : start + _GALLERY_ROWS]
                block += np.sqrt(_squared_bounds(probes[:, i], side, part), out=part)
        out *= np.float32((1 - 1e-5) / len(parts))
        return out

    def upper(probes, low):
        # sqrt(x + y) is at most sqrt(x) + sqrt(y): what the slack of all parts' squares can add
        slack = 2.01 * _slack(gallery[:, 0])
        lengths = [np.sqrt(np.square(rows, dtype=np.float64).sum(axis=2)) for rows in (probes, gallery)]
        of_probe, of_row = ((np.sqrt(slack) * n.mean(axis=1)).astype(np.float32) for n in lengths)
        return np.float32(1 + 4e-5) * (low + of_probe[:, None] + of_row)

    return lower, upper


def _cosine_bounds(gallery):
    side = _gallery_side(_unit(gallery.astype(np.float64)))

    def lower(probes):
        out = np.empty((len(probes), len(gallery)), np.float32)
        return _squared_bounds(_unit(probes.astype(np.float64)), side, out) / 2

    def upper(probes, low):
        return _raised(2 * low, _unit(probes.astype(np.float64)), side) / 2

    return lower, upper


def _gallery_side(rows):
    """``(n, dim + 2)`` float32 for `_squared_bounds`: the row, one, its reduced square."""
    squares = _reduced_squares(rows)
    return np.concatenate([rows, np.ones_like(squares), squares], axis=1, dtype=np.float32)


def _squared_bounds(probes, side, out):
    """Lower bounds of |a - b|^2 = |a|^2 + |b|^2 - 2 <a, b> as one product ``(m, n)``, into ``out``."""
    squares = _reduced_squares(probes)
    rows = np.concatenate([-2 * probes, squares, np.ones_like(squares)], axis=1, dtype=np.float32)
    np.matmul(rows, side.T, out=out)
    return np.maximum(out, 0, out=out)


def _reduced_squares(rows):
    """|row|^2 ``(n, 1)``, less its share of the rounding error of a float32 product of ``dim + 2`` terms.

    The terms' magnitudes add up to 2 (|a|^2 + |b|^2) at most, and each can err by ``dim + 2`` roundings.
    """
    return (1 - _slack(rows)) * np.square(rows, dtype=np.float64).sum(axis=1, keepdims=True)


def _slack(rows):
    return (2 * rows.shape[1] + 32) * _ROUNDOFF


def _raised(out, probes, side):
    """Upper bounds of |a - b|^2 from their lower bounds ``out (m, n)``, in place: twice the slack more."""
    slack = 2.01 * _slack(probes)
    out += (slack * np.square(probes, dtype=np.float64).sum(axis=1, keepdims=True)).astype(np.float32)
    out += np.float32(slack) * side[:, -1]
    out *= np.float32(1 + 1e-6)
    return out
