"""Gaussians around points and line segments, and the brightest of them at each pixel, fast.

The slow part of skeleton maps. An image has some segments (a point is one without length), each with a
score: its value at a pixel is ``score * exp(-d^2 / 2 sigma^2)``, d the distance, within a box of 3 sigma
around it. Of all that, only ``trunc(256 * maximum)`` is wanted, so `brightest` works coarse to fine:

1. For blocks of 8 x 8 pixels, distances at the centre tell which segments can be the brightest anywhere in
   the block (2 or 3 of 17).
2. These alone are evaluated pixel by pixel, in float32, as exponents; one exponential at the end.
3. Pixels so close to a whole number that rounding decides are done again as `values` does, which rounds
   like the published maps to the last bit.
"""

from typing import NamedTuple

import cv2
import numpy as np

# Fresh memory costs more than the arithmetic on it. The C library keeps what is freed, up to the size of the
# largest block freed before: so, from here on, all that is worked with below.
np.empty(31 << 20, np.uint8)

BLOCK = 8  # pixels
LEVELS = 256
CHUNK = 32  # images at a time
_DOUBT = 1.2e-6  # times size / sigma: share of a value that the fast way may be wrong by; 3 x what is met
_SLACK = np.float32(1e-3)  # of exponents, for rounding at a block's centre
_FAR = np.float32(1e6)  # an exponent that leaves nothing
_MIDDLE = np.float32((BLOCK - 1) / 2)


class Segments(NamedTuple):
    """Segments of any number of images, every field of the same leading shape.

    Attributes:
        start, end: ``(..., 2)`` float64, x and y in pixels; equal for a point.
        score: ``(...)`` float64.
        box: ``(..., 4)`` int, first and last + 1 column and row that it is drawn on; empty: not drawn.
    """

    start: np.ndarray
    end: np.ndarray
    score: np.ndarray
    box: np.ndarray


def make_segments(start, end, start_score, end_score, size, sigma, faintest):
    """Segments on images of ``size`` x ``size`` pixels; one shorter than a pixel is its start alone.

    A segment is as bright as its fainter end, and is not drawn below ``faintest`` or with NaN places.
    """
    with np.errstate(invalid="ignore"):
        short = ((start - end) ** 2).sum(axis=-1) < 1
        score = np.minimum(start_score, end_score)
        drawn = (score >= faintest) & np.isfinite(start).all(axis=-1) & np.isfinite(end).all(axis=-1)
        score = np.where(short, start_score, score)
        end = np.where(short[..., None], start, end)
        low, high = np.minimum(start, end) - 3 * sigma, np.maximum(start, end) + 3 * sigma
        low, high = (np.clip(np.where(drawn[..., None], edge, 0), -size, 2 * size) for edge in (low, high))
    first, last = np.maximum(low.astype(int), 0), np.minimum(high.astype(int) + 1, size)
    box = np.stack([first, last], axis=-1).reshape(*score.shape, 4)
    box[~drawn | (first >= last).any(axis=-1)] = 0
    return Segments(start, end, score, box)


def values(segments, x, y, sigma):
    """Each segment's value at the pixel ``x, y`` -> float32, 0 outside its box; shapes broadcast.

    The precisions are the published ones (NumPy 1 with float32 pixels): float32, but for the distance from
    a segment's inside and the exponential of it.
    """
    single = np.float32
    (ax, ay), (bx, by) = (np.moveaxis(part, -1, 0) for part in (segments.start, segments.end))
    score = segments.score
    px, py = single(x), single(y)
    from_start = (px - ax.astype(single)) ** 2 + (py - ay.astype(single)) ** 2
    from_end = (px - bx.astype(single)) ** 2 + (py - by.astype(single)) ** 2
    point = np.exp(-from_start / single(2) / single(sigma**2)) * score.astype(single)
    length = (ax - bx) ** 2 + (ay - by) ** 2
    is_point = length == 0
    length = np.where(is_point, 1, length).astype(single)
    along = (from_start - from_end + length) / single(2) / length
    inside = (px - (ax + along * (bx - ax))) ** 2 + (py - (ay + along * (by - ay))) ** 2
    distance = np.where(along <= 0, from_start, np.where(along >= 1, from_end, inside))
    value = np.where(is_point, point, (np.exp(-distance / 2 / sigma**2) * score).astype(single))
    left, right, top, bottom = np.moveaxis(segments.box, -1, 0)
    return np.where((x >= left) & (x < right) & (y >= top) & (y < bottom), value, single(0))


def brightest(segments, size, sigma):
    """``trunc(256 * maximum over the segments)``, at most 255, for each pixel of each image.

    Args:
        segments: of leading shape ``(segments, images)``.
        size: height and width of the images.
        sigma: in pixels.

    Returns:
        ``(images, size, size)`` uint8.
    """
    images, across = segments.score.shape[1], -(-size // BLOCK)
    # A block is 8 words of 8 bytes: its rows, which so move as a whole.
    canvas = np.zeros((images, across, across, BLOCK), np.uint64)
    doubt = np.float32(_DOUBT * size / sigma)
    for first in range(0, images, CHUNK):
        part = Segments(*(field[:, first : first + CHUNK] for field in segments))
        lines = _Lines(part, sigma)
        if lines.drawn.any():
            pairs = _find_pairs(lines)
            words = np.ascontiguousarray(_levels(lines, part, pairs, doubt, sigma).T).view(np.uint64)
            canvas[first + pairs.image, pairs.y // BLOCK, pairs.x // BLOCK] = words
    rows = np.ascontiguousarray(canvas.swapaxes(2, 3)).view(np.uint8)
    return rows.reshape(images, across * BLOCK, across * BLOCK)[:, :size, :size]


class _Lines:
    """Segments as float32 lines, flat, in units of sqrt(2) sigma, so that the exponent is distance squared.

    The middle is ``x, y``. From there, in the segment's own axes, a pixel is at ``along0 + ux * x + uy * y``
    and ``across0 - uy * x + ux * y``. ``dimness`` is what the score adds to the exponent, above ``least``.
    """

    def __init__(self, segments, sigma):
        self.scale = 1 / (np.sqrt(2) * sigma)
        self.shape, self.box = segments.score.shape, segments.box.astype(np.int32)
        self.drawn = self.box[..., 1] > 0
        self.edges = (self.box.reshape(-1, 4) - [1, 0, 1, 0]).T.astype(np.float32)  # the first ones outside
        x, y = np.moveaxis(np.where(self.drawn[..., None], segments.start, 0), -1, 0)
        dx, dy = np.moveaxis(np.where(self.drawn[..., None], segments.end - segments.start, 0), -1, 0)
        length = np.hypot(dx, dy)
        whole = np.where(length > 0, length, 1)
        ux, uy = np.where(length > 0, dx, 1) / whole, dy / whole
        x, y = x + dx / 2, y + dy / 2
        dimness = -np.log(np.where(self.drawn, segments.score, 1))
        self.least = dimness.min()
        along0, across0 = -ux * x - uy * y, uy * x - ux * y
        fields = x, y, ux, uy, along0, across0, length / 2, (dimness - self.least) / self.scale
        self.x, self.y, *table = ((field.ravel() * self.scale).astype(np.float32) for field in fields)
        self.ux, self.uy, self.along0, self.across0, self.half, self.dimness = self.table = np.stack(table)


class _Pairs(NamedTuple):
    """Which segments to look at in which blocks.

    Attributes:
        image, x, y: ``(B,)`` the blocks with anything in them, those with most candidates first.
        counts: ``(K,)`` how many blocks have a first, second, ... K-th candidate; falling.
        segment: ``(P,)`` flat index of the candidates: the first of each block, then the second, ...
    """

    image: np.ndarray
    x: np.ndarray
    y: np.ndarray
    counts: np.ndarray
    segment: np.ndarray


def _find_pairs(lines):
    """The candidates of all blocks. Arrays are ``(blocks, segments, images)``.

    A segment is none in a block if another, drawn in all of it, is brighter everywhere there. Exponents E
    are convex, their slope changes by at most 2 per unit, so in a block with centre c and half side h
    E1(q) - E2(q) >= E1(c) - E2(c) - h |grad E1(c) - grad E2(c)|_1 - 2 h^2, and without the last term where
    all of the block is nearest to one end of segment 1: there no other exponent is more curved.
    """
    count, images = lines.shape
    left, right, top, bottom = lines.box.reshape(-1, 4).T
    drawn = right > 0
    columns = (
        np.arange(left[drawn].min() // BLOCK, (right.max() - 1) // BLOCK + 1, dtype=np.int32)[:, None] * BLOCK
    )
    rows = (
        np.arange(top[drawn].min() // BLOCK, (bottom.max() - 1) // BLOCK + 1, dtype=np.int32)[:, None] * BLOCK
    )
    x, y = (columns + _MIDDLE).astype(np.float32), (rows + _MIDDLE).astype(np.float32)[:, None]
    reach = np.float32(_MIDDLE * lines.scale * 1.001)
    diagonal = reach * np.float32(np.sqrt(2))

    # The vector from the nearest point of the segment to the centre; the exponent is its square.
    scale = np.float32(lines.scale)
    gx, gy, doubt = x * scale - lines.x, y * scale - lines.y, _SLACK
    if lines.half.any():
        along = (lines.ux * x + lines.along0) + lines.uy * y
        doubt = (np.abs(along) < lines.half + diagonal) * (diagonal * diagonal) + _SLACK
        np.minimum(np.maximum(along, -lines.half, out=along), lines.half, out=along)
        gx, gy = gx - along * (lines.ux / scale), gy - along * (lines.uy / scale)
    exponent = gx * gx + gy * gy
    deepest = np.float32(np.log(LEVELS) + 0.01 - lines.least) - lines.dimness
    farthest = np.where(deepest > 0, np.sqrt(np.maximum(deepest, 0)) + diagonal, 0)
    (met_x, whole_x), (met_y, whole_y) = _met(left, right, columns), _met(top, bottom, rows)
    keep = (exponent <= farthest * farthest) & met_x & met_y[:, None]
    exponent += lines.dimness
    # What does not fill the block is no rival.
    rival = exponent + (
        np.where(whole_x, np.float32(0), _FAR) + np.where(whole_y, np.float32(0), _FAR)[:, None]
    )

    shape = len(rows) * len(columns), count, images
    gx, gy, exponent, keep, rival, doubt = (
        np.broadcast_to(part, keep.shape).reshape(shape) for part in (gx, gy, exponent, keep, rival, doubt)
    )
    # Each block's strongest rival: its number rides in the lowest bits of its exponent.
    numbered = (rival.view(np.int32) & ~31) | np.arange(count, dtype=np.int32).repeat(images).reshape(
        -1, images
    )
    number = numbered[:, 0]
    for i in range(1, count):  # faster than min(axis=1)
        number = np.minimum(number, numbered[:, i])
    place = np.arange(shape[0])[:, None] * (count * images) + (number & 31) * images + np.arange(images)
    place = place[:, None]
    gap = exponent - rival.take(place)
    gap -= doubt
    gx, gy = gx - gx.take(place), gy - gy.take(place)
    slope = np.abs(gx, out=gx)
    slope += np.abs(gy, out=gy)
    slope *= 2 * reach
    return _in_ranks(keep & (gap <= slope), rows, columns)


def _met(first, last, starts):
    """Whether the pixels first..last - 1 meet, and whether they cover, the blocks at ``starts``."""
    return (first < starts + BLOCK) & (last > starts), (first <= starts) & (last >= starts + BLOCK)


def _in_ranks(keep, rows, columns):
    """Candidates ``(blocks, segments, images)`` -> `_Pairs`."""
    _, count, images = keep.shape
    found = np.flatnonzero(keep)
    ranks = keep.view(np.int8)
    for i in range(1, count):  # faster than cumsum(axis=1)
        ranks[:, i] += ranks[:, i - 1]
    held = ranks[:, -1].ravel()
    order = np.argsort(-held, kind="stable")
    counts = np.bincount(held)[:0:-1].cumsum()[::-1]
    order = order[: counts[0]]
    position = np.empty(len(held), np.intp)
    position[order] = np.arange(len(order))
    block, pair = np.divmod(found.astype(np.int32), np.int32(count * images))
    starts = np.cumsum(counts) - counts
    segment = np.empty(len(found), np.intp)
    segment[starts[ranks.ravel()[found] - 1] + position[block * images + pair % images]] = pair
    cell, image = np.divmod(order, images)
    y, x = np.divmod(cell, len(columns))
    return _Pairs(image, columns[x, 0], rows[y, 0], counts, segment)


def _levels(lines, segments, pairs, doubt, sigma):
    """The levels of the blocks' pixels, row by row -> ``(64, blocks)`` uint8."""
    exponent = _exponents(lines, pairs)
    starts = np.cumsum(pairs.counts) - pairs.counts
    value = exponent[:, : pairs.counts[0]]
    for start, n in zip(starts[1:], pairs.counts[1:], strict=True):
        np.minimum(value[:, :n], exponent[:, start : start + n], out=value[:, :n])
    np.subtract(np.float32(np.log(LEVELS) - lines.least), value, out=value)
    np.exp(value, out=value)
    cv2.min(value, LEVELS - 0.5, value)
    levels = (value * (1 - doubt)).astype(np.uint8)
    value *= 1 + doubt
    doubtful = np.flatnonzero(value.astype(np.uint8) != levels)
    pixel, block = np.divmod(doubtful, len(pairs.image))
    levels.ravel()[doubtful] = _exact_levels(segments, pairs, starts, pixel, block, sigma)
    return levels


def _exponents(lines, pairs):
    """The pairs' exponents at the pixels of their blocks, row by row -> ``(64, pairs)`` float32, >= 0."""
    at = pairs.segment
    ux, uy, along0, across0, half, dimness = (field.take(at) for field in lines.table)
    place = np.concatenate([np.arange(n) for n in pairs.counts])
    line = np.arange(BLOCK, dtype=np.float32)[:, None]
    x, y = (corner.astype(np.float32).take(place) + line for corner in (pairs.x, pairs.y))
    # What is outside the box is far away.
    left, right, top, bottom = (edge.take(at) for edge in lines.edges)
    beside, above = np.maximum(left - x, x - right), np.maximum(top - y, y - bottom)
    for outside in (beside, above):
        cv2.threshold(outside, -0.5, float(_FAR), cv2.THRESH_BINARY, outside)
    if not half.any():  # points, whose axes are those of the pixels
        column, row = along0 + ux * x, across0 + ux * y
        return _sums(column * column + beside, row * row + (above + dimness))
    exponent = _sums(across0 - uy * x + beside, ux * y + above)
    exponent *= exponent
    exponent += dimness
    beyond = _sums(along0 + ux * x, uy * y)
    np.abs(beyond, out=beyond)
    beyond -= half
    cv2.threshold(beyond, 0, 0, cv2.THRESH_TOZERO, beyond)  # NumPy's maximum with a number is slow
    cv2.accumulateSquare(beyond, exponent)
    return exponent


def _sums(columns, rows):
    """Of each pixel of a block its column's and its row's value, ``(8, n)`` each -> ``(64, n)``."""
    sums = np.empty((BLOCK, *columns.shape), np.float32)
    for row, out in zip(rows, sums, strict=True):  # much faster than broadcasting in three dimensions
        np.add(columns, row, out=out)
    return sums.reshape(-1, columns.shape[1])


def _exact_levels(segments, pairs, starts, pixel, block, sigma):
    """The levels of single pixels, by `values`."""
    if not len(pixel):
        return np.zeros(0, np.uint8)
    held = (pairs.counts > block[:, None]).sum(axis=1)
    first = np.cumsum(held) - held
    rank = np.arange(held.sum()) - first.repeat(held)
    block, pixel = block.repeat(held), pixel.repeat(held)
    at = pairs.segment[starts[rank] + block]
    chosen = Segments(*(field.reshape(-1, *field.shape[2:])[at] for field in segments))
    found = values(chosen, pairs.x[block] + pixel % BLOCK, pairs.y[block] + pixel // BLOCK, sigma)
    return level(np.maximum.reduceat(found, first))


def level(value):
    """``trunc(256 value)`` of float32 values, in 0..255, uint8; 0 for NaN."""
    return np.fmin(np.fmax(value * np.float32(LEVELS), 0), LEVELS - 1).astype(np.uint8)
