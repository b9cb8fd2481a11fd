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

BLOCK = 8  # pixels
LEVELS = 256
CHUNK = 24  # images at a time
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
        self.shape, self.box = segments.score.shape, segments.box
        self.drawn = self.box[..., 1] > 0
        self.edges = self.box.reshape(-1, 4).T.astype(np.float32)
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
        self.x, self.y, self.ux, self.uy, self.along0, self.across0, self.half, self.dimness = (
            (field.ravel() * self.scale).astype(np.float32) for field in fields
        )


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
    are convex, their slope changes by at most 2 per unit, so with centre c, radius r and |q - c| <= r
    E1(q) - E2(q) >= E1(c) - E2(c) - |grad E1(c) - grad E2(c)| r - r^2.
    """
    count, images = lines.shape
    left, right, top, bottom = lines.box.reshape(-1, 4).T
    drawn = right > 0
    columns = np.arange(left[drawn].min() // BLOCK, (right.max() - 1) // BLOCK + 1)[:, None] * BLOCK
    rows = np.arange(top[drawn].min() // BLOCK, (bottom.max() - 1) // BLOCK + 1)[:, None] * BLOCK
    x, y = (columns + _MIDDLE).astype(np.float32), (rows + _MIDDLE).astype(np.float32)[:, None]
    along = (lines.ux * x + lines.along0) + lines.uy * y
    np.minimum(np.maximum(along, -lines.half, out=along), lines.half, out=along)

    # The vector from the nearest point of the segment to the centre; the exponent is its square.
    scale = np.float32(lines.scale)
    gx = (x * scale - lines.x) - along * (lines.ux / scale)
    gy = (y * scale - lines.y) - along * (lines.uy / scale)
    exponent = gx * gx + gy * gy
    radius = np.float32(np.hypot(_MIDDLE, _MIDDLE) * lines.scale * 1.001)
    deepest = np.float32(np.log(LEVELS) + 0.01 - lines.least) - lines.dimness
    reach = np.where(deepest > 0, np.sqrt(np.maximum(deepest, 0)) + radius, 0)
    (met_x, whole_x), (met_y, whole_y) = _met(left, right, columns), _met(top, bottom, rows)
    keep = (exponent <= reach * reach) & met_x & met_y[:, None]
    exponent += lines.dimness
    # What does not fill the block is no rival.
    rival = exponent + (
        np.where(whole_x, np.float32(0), _FAR) + np.where(whole_y, np.float32(0), _FAR)[:, None]
    )

    shape = len(rows) * len(columns), count, images
    gx, gy, exponent, keep, rival = (part.reshape(shape) for part in (gx, gy, exponent, keep, rival))
    # Each block's strongest rival: its number rides in the lowest bits of its exponent.
    numbered = (rival.view(np.int32) & ~31) | np.arange(count, dtype=np.int32).repeat(images).reshape(
        -1, images
    )
    number = numbered[:, 0]
    for i in range(1, count):  # faster than min(axis=1)
        number = np.minimum(number, numbered[:, i])
    place = np.arange(shape[0])[:, None] * (count * images) + (number & 31) * images + np.arange(images)
    place = place[:, None]
    gx -= gx.take(place)
    gy -= gy.take(place)
    exponent -= rival.take(place) + (radius * radius + _SLACK)
    slope = gx * gx + gy * gy
    slope *= 4 * radius * radius
    keep &= exponent * np.abs(exponent) <= slope
    return _in_ranks(keep, rows, columns)


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
    starts = np.cumsum(pairs.counts) - pairs.counts
    levels, at_most = np.empty((2, BLOCK, BLOCK, pairs.counts[0]), np.uint8)
    for row, exponent in enumerate(_exponents(lines, pairs)):
        value = exponent[:, : pairs.counts[0]]
        for start, n in zip(starts[1:], pairs.counts[1:], strict=True):
            np.minimum(value[:, :n], exponent[:, start : start + n], out=value[:, :n])
        value = np.exp(np.float32(np.log(LEVELS) - lines.least) - value)
        cv2.min(value, LEVELS - 0.5, value)
        levels[row] = value * (1 - doubt)
        at_most[row] = value * (1 + doubt)
    doubtful = np.flatnonzero(levels != at_most)
    levels = levels.reshape(BLOCK * BLOCK, -1)
    pixel, block = np.divmod(doubtful, len(pairs.image))
    levels.ravel()[doubtful] = _exact_levels(segments, pairs, starts, pixel, block, sigma)
    return levels


def _exponents(lines, pairs):
    """For each row of the blocks' pixels, the pairs' exponents ``(8, pairs)`` float32, >= 0.

    Row by row, and in the same memory, because all of them would not stay in the processor's cache.
    """
    at = pairs.segment
    ux, uy, half, dimness = lines.ux[at], lines.uy[at], lines.half[at], lines.dimness[at]
    line = np.arange(BLOCK, dtype=np.float32)[:, None]
    place = np.concatenate([np.arange(n) for n in pairs.counts])
    x, y = (corner.astype(np.float32)[place] + line for corner in (pairs.x, pairs.y))
    left, right, top, bottom = lines.edges[:, at]
    # What is outside the box is far away.
    beside, above = _FAR * ((x < left) | (x >= right)), _FAR * ((y < top) | (y >= bottom))
    exponent, beyond = np.empty((2, BLOCK, len(at)), np.float32)
    if not half.any():  # points, whose axes are those of the pixels
        from_x = (lines.along0[at] + ux * x) ** 2 + beside
        from_y = (lines.across0[at] + ux * y) ** 2 + above + dimness
        for row in range(BLOCK):
            yield np.add(from_x, from_y[row], out=exponent)
        return
    across_x, across_y = lines.across0[at] - uy * x + beside, ux * y + above
    along_x, along_y = lines.along0[at] + ux * x, uy * y
    for row in range(BLOCK):
        np.add(across_x, across_y[row], out=exponent)
        exponent *= exponent
        exponent += dimness
        np.add(along_x, along_y[row], out=beyond)
        np.abs(beyond, out=beyond)
        beyond -= half
        cv2.threshold(beyond, 0, 0, cv2.THRESH_TOZERO, beyond)  # NumPy's maximum with a number is slow
        cv2.accumulateSquare(beyond, exponent)
        yield exponent


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
