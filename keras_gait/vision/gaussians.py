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
_DOUBT = 7e-7  # times size / sigma: share of a value that the fast way may be wrong by; met: a third of it
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
    px, py, score = single(x), single(y), segments.score
    from_start = (px - ax.astype(single)) ** 2 + (py - ay.astype(single)) ** 2
    value = np.exp(-from_start / single(2) / single(sigma**2)) * score.astype(single)
    length = (ax - bx) ** 2 + (ay - by) ** 2
    if length.any():
        from_end = (px - bx.astype(single)) ** 2 + (py - by.astype(single)) ** 2
        whole = np.where(length > 0, length, 1).astype(single)
        along = (from_start - from_end + whole) / single(2) / whole
        inside = (px - (ax + along * (bx - ax))) ** 2 + (py - (ay + along * (by - ay))) ** 2
        distance = np.where(along <= 0, from_start, np.where(along >= 1, from_end, inside))
        value = np.where(length > 0, (np.exp(-distance / 2 / sigma**2) * score).astype(single), value)
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
    lines, doubt = _make_lines(segments, size, sigma), np.float32(_DOUBT * size / sigma)
    for first in range(0, images, CHUNK):
        part, some = (tuple(field[:, first : first + CHUNK] for field in of) for of in (segments, lines))
        part, some = Segments(*part), _Lines(*some)
        pairs = _find_pairs(some, sigma) if some.drawn.any() else None
        if pairs:
            words = np.ascontiguousarray(_levels(some, part, pairs, doubt, sigma).T).view(np.uint64)
            canvas[first + pairs.image, pairs.y // BLOCK, pairs.x // BLOCK] = words
    rows = np.ascontiguousarray(canvas.swapaxes(2, 3)).view(np.uint8)
    return rows.reshape(images, across * BLOCK, across * BLOCK)[:, :size, :size]


class _Lines(NamedTuple):
    """Segments as float32 lines, ``(segments, images)`` each; lengths in sqrt(2) sigma, places in pixels.

    Attributes:
        drawn: whether there is anything to draw.
        box: as in `Segments`, int32 ``(segments, images, 4)``.
        x, y: the middle.
        ux, uy: the direction, as long as one pixel is in the unit: ``ux * dx + uy * dy`` is how far along.
        half: half the length.
        dimness: what the score adds to the exponent, which is otherwise distance squared.
    """

    drawn: np.ndarray
    box: np.ndarray
    x: np.ndarray
    y: np.ndarray
    ux: np.ndarray
    uy: np.ndarray
    half: np.ndarray
    dimness: np.ndarray


def _make_lines(segments, size, sigma):
    """`Segments` -> `_Lines`; of one that leaves the image, what is far outside is cut off."""
    scale, centre = 1 / (np.sqrt(2) * sigma), size / 2
    drawn = segments.box[..., 1] > 0
    x, y = np.moveaxis(np.where(drawn[..., None], segments.start, 0), -1, 0)
    dx, dy = np.moveaxis(np.where(drawn[..., None], segments.end - segments.start, 0), -1, 0)
    length = np.hypot(dx, dy)
    whole = np.where(length > 0, length, 1)
    ux, uy = np.where(length > 0, dx, 1) / whole, dy / whole
    foot = (centre - x) * ux + (centre - y) * uy  # the image's middle, along the segment from its start
    first, last = (np.clip(edge, foot - 3 * size, foot + 3 * size) for edge in (0, length))
    middle, half = (first + last) / 2, (last - first) / 2
    dimness = -np.log(np.where(drawn, segments.score, 1))
    fields = x + middle * ux, y + middle * uy, ux * scale, uy * scale, half * scale, dimness
    return _Lines(drawn, segments.box.astype(np.int32), *(field.astype(np.float32) for field in fields))


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


def _find_pairs(lines, sigma):
    """The candidates of all blocks, or None if there are none. Arrays are ``(blocks, segments, images)``.

    A segment is none in a block if another, drawn in all of it, is brighter everywhere there. Exponents E
    are convex, their slope changes by at most 2 per unit, so in a block with centre c and half side h
    E1(q) - E2(q) >= E1(c) - E2(c) - h |grad E1(c) - grad E2(c)|_1 - 2 h^2, and without the last term where
    all of the block is nearest to one end of segment 1: there no other exponent is more curved.
    """
    count, images = lines.drawn.shape
    left, right, top, bottom = lines.box.reshape(-1, 4).T
    columns, rows = (_starts(*edges, right > 0) for edges in ((left, right), (top, bottom)))
    middle_x, middle_y, ux, uy, half, dimness = (field.ravel() for field in lines[2:])
    dx = (columns + _MIDDLE).astype(np.float32) - middle_x
    dy = (rows + _MIDDLE).astype(np.float32)[:, None] - middle_y
    scale = np.float32(1 / (np.sqrt(2) * sigma))
    reach = np.float32(_MIDDLE * scale * 1.001)
    diagonal = reach * np.float32(np.sqrt(2))

    # The vector from the nearest point of the segment to the centre; the exponent is its square.
    gx, gy, doubt = dx * scale, dy * scale, _SLACK
    if half.any():
        along = dx * ux + dy * uy
        doubt = (np.abs(along) < half + diagonal) * (diagonal * diagonal) + _SLACK
        np.minimum(np.maximum(along, -half, out=along), half, out=along)
        gx, gy = gx - along * (ux / scale), gy - along * (uy / scale)
    exponent = gx * gx + gy * gy
    deepest = np.float32(np.log(LEVELS) + 0.01) - dimness
    farthest = np.where(deepest > 0, np.sqrt(np.maximum(deepest, 0)) + diagonal, 0)
    (met_x, whole_x), (met_y, whole_y) = _met(left, right, columns), _met(top, bottom, rows)
    keep = (exponent <= farthest * farthest) & met_x & met_y[:, None]
    exponent += dimness
    # What does not fill the block is no rival.
    rival = exponent + (
        np.where(whole_x, np.float32(0), _FAR) + np.where(whole_y, np.float32(0), _FAR)[:, None]
    )

    shape = len(rows) * len(columns), count, images
    gx, gy, exponent, keep, rival, doubt = (
        np.broadcast_to(part, keep.shape).reshape(shape) for part in (gx, gy, exponent, keep, rival, doubt)
    )
    # Each block's strongest rival: its number rides in the lowest bits of its exponent. (Scores above 1 can
    # make that negative, and the rival not the strongest; any will do.)
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


def _starts(first, last, drawn):
    """Where the blocks begin that have any of the pixels first..last - 1, as a column."""
    return np.arange(first[drawn].min() // BLOCK, -(-last.max() // BLOCK), dtype=np.int32)[:, None] * BLOCK


def _met(first, last, starts):
    """Whether the pixels first..last - 1 meet, and whether they cover, the blocks at ``starts``."""
    return (first < starts + BLOCK) & (last > starts), (first <= starts) & (last >= starts + BLOCK)


def _in_ranks(keep, rows, columns):
    """Candidates ``(blocks, segments, images)`` -> `_Pairs`."""
    _, count, images = keep.shape
    found = np.flatnonzero(keep)
    if not len(found):
        return None
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
    np.subtract(np.float32(np.log(LEVELS)), value, out=value)
    np.exp(value, out=value)
    cv2.min(value, LEVELS - 0.5, value)
    levels = (value * (1 - doubt)).astype(np.uint8)
    value *= 1 + doubt
    doubtful = np.flatnonzero(value.astype(np.uint8) != levels)
    pixel, block = np.divmod(doubtful, len(pairs.image))
    levels.ravel()[doubtful] = _exact_levels(segments, pairs, starts, pixel, block, sigma)
    return levels


def _exponents(lines, pairs):
    """The pairs' exponents at the pixels of their blocks, row by row -> ``(64, pairs)`` float32."""
    at = pairs.segment
    middle_x, middle_y, ux, uy, half, dimness = (field.take(at) for field in lines[2:])
    place = np.concatenate([np.arange(n) for n in pairs.counts])
    line = np.arange(BLOCK, dtype=np.float32)[:, None]
    x, y = (corner.astype(np.float32).take(place) for corner in (pairs.x, pairs.y))
    # What is outside the box is far away.
    left, right, top, bottom = lines.box.reshape(-1, 4).T.astype(np.float32).take(at, axis=1)
    beside, above = (
        np.maximum(left - x - line, line - (right - 1 - x)),
        np.maximum(top - y - line, line - (bottom - 1 - y)),
    )
    for outside in (beside, above):
        cv2.threshold(outside, 0.5, float(_FAR), cv2.THRESH_BINARY, outside)
    dx, dy = (x - middle_x) + line, (y - middle_y) + line
    if not half.any():  # points, whose axes are those of the pixels
        dx *= ux
        dy *= ux
        return _sums(dx * dx + beside, dy * dy + (above + dimness))
    exponent = _sums(beside - uy * dx, ux * dy + above)
    exponent *= exponent
    exponent += dimness
    beyond = _sums(ux * dx, uy * dy)
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
