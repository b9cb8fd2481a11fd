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

import numpy as np

BLOCK = 8  # pixels
LEVELS = 256
_DOUBT = 6e-5  # share of a value that the fast way may be wrong by; measured: below 1e-5
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
    lines = _Lines(segments, sigma)
    if lines.drawn.any():
        pairs = _find_pairs(lines)
        levels = _levels(lines, segments, pairs, sigma)
        words = np.ascontiguousarray(levels.T).view(np.uint64)
        canvas[pairs.image, pairs.y // BLOCK, pairs.x // BLOCK] = words
    rows = np.ascontiguousarray(canvas.swapaxes(2, 3)).view(np.uint8)
    return rows.reshape(images, across * BLOCK, across * BLOCK)[:, :size, :size]


class _Lines:
    """Segments as float32 lines, flat, in units of sqrt(2) sigma, so that the exponent is distance squared.

    A pixel's place in a segment's own axes, from its middle, is ``along0 + ux * x + uy * y`` and
    ``across0 - uy * x + ux * y``. ``dimness`` is what the score adds to the exponent, above ``least``.
    """

    def __init__(self, segments, sigma):
        self.scale = 1 / (np.sqrt(2) * sigma)
        self.shape, self.box = segments.score.shape, segments.box
        self.drawn = self.box[..., 1] > 0
        x, y = np.moveaxis(np.where(self.drawn[..., None], segments.start, 0), -1, 0)
        dx, dy = np.moveaxis(np.where(self.drawn[..., None], segments.end - segments.start, 0), -1, 0)
        length = np.hypot(dx, dy)
        whole = np.where(length > 0, length, 1)
        ux, uy = np.where(length > 0, dx, 1) / whole, dy / whole
        x, y = x + dx / 2, y + dy / 2
        dimness = -np.log(np.where(self.drawn, segments.score, 1))
        self.least = dimness.min()
        fields = ux, uy, -ux * x - uy * y, uy * x - ux * y, length / 2, (dimness - self.least) / self.scale
        self.ux, self.uy, self.along0, self.across0, self.half, self.dimness = (
            (field.ravel() * self.scale).astype(np.float32) for field in fields
        )


class _Pairs(NamedTuple):
    """Which segments to look at in which blocks.

    Attributes:
        image, x, y: ``(B,)`` the blocks with anything in them, those with most candidates first.
        counts: ``(K,)`` how many blocks have a first, second, ... K-th candidate; falling.
        segment: ``(P,)`` flat index of the candidates: the first of each block, then the second, ...
        along, across: ``(P,)`` where the block's centre is in the candidate's own axes.
    """

    image: np.ndarray
    x: np.ndarray
    y: np.ndarray
    counts: np.ndarray
    segment: np.ndarray
    along: np.ndarray
    across: np.ndarray


def _find_pairs(lines):
    """The candidates of all blocks.

    A segment is none in a block if another, drawn in all of it, is brighter everywhere there. Exponents E
    are convex, their slope changes by at most 2 per unit, so with centre c, radius r and |q - c| <= r
    E1(q) - E2(q) >= E1(c) - E2(c) - |grad E1(c) - grad E2(c)| r - r^2.
    """
    count, images = lines.shape
    left, right, top, bottom = np.moveaxis(lines.box, -1, 0)
    columns = np.arange(left[lines.drawn].min() // BLOCK, (right.max() - 1) // BLOCK + 1) * BLOCK
    rows = np.arange(top[lines.drawn].min() // BLOCK, (bottom.max() - 1) // BLOCK + 1) * BLOCK
    grid = np.ones((3, len(rows), len(columns)), np.float32)
    grid[1], grid[2] = columns + _MIDDLE, (rows + _MIDDLE)[:, None]
    grid = grid.reshape(3, -1)
    along = np.stack([lines.along0, lines.ux, lines.uy], axis=1) @ grid
    across = np.stack([lines.across0, -lines.uy, lines.ux], axis=1) @ grid

    # The vector from the nearest point of the segment to the centre, in pixels' directions; E is its square.
    half, ux, uy = lines.half[:, None], *(u[:, None] / np.float32(lines.scale) for u in (lines.ux, lines.uy))
    beyond = along - np.clip(along, -half, half)
    gx, gy = beyond * ux - across * uy, beyond * uy + across * ux
    exponent = beyond * beyond + across * across
    radius = np.float32(np.hypot(_MIDDLE, _MIDDLE) * lines.scale * 1.001)
    deepest = np.float32(np.log(LEVELS) + 0.01 - lines.least) - lines.dimness
    reach = np.where(deepest > 0, np.sqrt(np.maximum(deepest, 0)) + radius, 0)
    keep = exponent <= (reach * reach)[:, None]
    exponent += lines.dimness[:, None]
    touched, covered = (
        (vertical[..., :, None] & horizontal[..., None, :]).reshape(keep.shape)
        for vertical, horizontal in zip(_met(top, bottom, rows), _met(left, right, columns), strict=True)
    )
    keep &= touched

    # Each block's strongest rival: its number rides in the lowest bits of its exponent.
    rival = np.where(covered, exponent, _FAR).reshape(count, -1).view(np.int32)
    rival = np.bitwise_or(rival & ~31, np.arange(count, dtype=np.int32)[:, None]).min(axis=0) & 31
    exponent, gx, gy, covered = (part.reshape(count, -1) for part in (exponent, gx, gy, covered))
    place = rival * rival.size + np.arange(rival.size)
    strongest = np.where(covered.take(place), exponent.take(place), _FAR)
    gx -= gx.take(place)
    gy -= gy.take(place)
    gap = exponent - (strongest + radius * radius + _SLACK)
    keep = keep.reshape(count, -1) & (gap * np.abs(gap) <= 4 * radius * radius * (gx * gx + gy * gy))
    return _in_ranks(keep, along, across, images, rows, columns)


def _met(first, last, starts):
    """Whether the pixels first..last - 1 meet, and whether they cover, the blocks at ``starts``."""
    first, last = first[..., None], last[..., None]
    return (first < starts + BLOCK) & (last > starts), (first <= starts) & (last >= starts + BLOCK)


def _in_ranks(keep, along, across, images, rows, columns):
    """Candidates ``(segments, images * blocks)`` -> `_Pairs`."""
    count, width = keep.shape
    block, segment = np.divmod(np.flatnonzero(keep.T), count)
    held = np.bincount(block, minlength=width)
    order = np.argsort(-held, kind="stable")[: np.count_nonzero(held)]
    position = np.empty(width, np.intp)
    position[order] = np.arange(len(order))
    counts = (held[order] > np.arange(held.max(initial=0))[:, None]).sum(axis=1)
    rank = np.arange(len(block)) - (np.cumsum(held) - held)[block]
    target = (np.cumsum(counts) - counts)[rank] + position[block]
    pair = np.empty(len(block), np.intp)
    pair[target] = segment * width + block
    image, cell = np.divmod(order, width // images)
    y, x = np.divmod(cell, len(columns))
    return _Pairs(
        image,
        columns[x],
        rows[y],
        counts,
        pair // (width // images),
        along.ravel()[pair],
        across.ravel()[pair],
    )


def _levels(lines, segments, pairs, sigma):
    """The levels of the blocks' pixels, row by row -> ``(64, blocks)`` uint8."""
    offset = np.arange(BLOCK, dtype=np.float32) - _MIDDLE
    pixel = np.ones((BLOCK, BLOCK, 3), np.float32)
    pixel[..., 1], pixel[..., 2] = offset, offset[:, None]
    pixel = pixel.reshape(-1, 3)
    at, place = pairs.segment, np.concatenate([np.arange(n) for n in pairs.counts])
    ux, uy = lines.ux[at], lines.uy[at]
    exponent = pixel @ np.stack([pairs.across, -uy, ux])
    exponent *= exponent
    beyond = pixel @ np.stack([pairs.along, ux, uy])
    np.abs(beyond, out=beyond)
    beyond -= lines.half[at]
    np.maximum(beyond.view(np.int32), 0, out=beyond.view(np.int32))  # as integers: much faster
    beyond *= beyond
    exponent += beyond
    left, right, top, bottom = lines.box.reshape(-1, 4)[at].T
    line = np.arange(BLOCK)[:, None]
    x, y = pairs.x[place] + line, pairs.y[place] + line
    cells = exponent.reshape(BLOCK, BLOCK, -1)
    cells += np.where((y >= top) & (y < bottom), lines.dimness[at], _FAR)[:, None]
    cells += np.where((x >= left) & (x < right), np.float32(0), _FAR)

    starts = np.cumsum(pairs.counts) - pairs.counts
    least = exponent[:, : pairs.counts[0]]
    for start, n in zip(starts[1:], pairs.counts[1:], strict=True):
        kept, new = least[:, :n].view(np.int32), exponent[:, start : start + n].view(np.int32)
        np.minimum(kept, new, out=kept)
    value = np.exp(np.float32(np.log(LEVELS) - lines.least) - least)
    levels = np.minimum(value, np.float32(LEVELS - 1)).astype(np.uint8)
    low, high = value * np.float32(1 - _DOUBT), value * np.float32(1 + _DOUBT)
    doubtful = low.astype(np.int32) != high.astype(np.int32)
    pixel, block = np.nonzero(doubtful)
    levels[pixel, block] = _exact_levels(segments, pairs, starts, pixel, block, sigma)
    return levels


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
