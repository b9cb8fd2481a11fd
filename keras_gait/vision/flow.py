"""Colour-coded optical flow, cut to the walker: AttenGait's input, from grey frames and silhouettes.

Flow by Farneback; colours by the wheel of Baker et al., "A Database and Evaluation Methodology for
Optical Flow" (IJCV 2011). Published images depend on the details here: truncation, the division by the
fastest pixel of the whole frame, and the cut's centre of mass by columns.
"""

import cv2
import numpy as np

SIZE = 64  # height and width of a cut frame
FEWEST_SILHOUETTE = 10000  # a frame whose silhouette values (0..255) add up to this or less is dropped
NO_FRAME, NO_SILHOUETTE = "missing or damaged frame", "missing or damaged silhouette"  # reasons for a drop
UNKNOWN_FLOW = 1e6  # larger components mean "unknown", drawn black


def colour_wheel():
    """The 55 colours around the wheel, float32 ``(55, 3)``, R, G, B in [0, 1]."""
    segments = (  # steps, constant one, channel that rises or falls
        (15, lambda t: (1, t, 0)),
        (6, lambda t: (1 - t, 1, 0)),
        (4, lambda t: (0, 1, t)),
        (11, lambda t: (0, 1 - t, 1)),
        (13, lambda t: (t, 0, 1)),
        (6, lambda t: (1, 0, 1 - t)),
    )
    return np.array([colour(i / n) for n, colour in segments for i in range(n)], np.float32)


COLOUR_WHEEL = colour_wheel()
_RIGHT_NEIGHBOUR = np.roll(COLOUR_WHEEL, -1, axis=0)


def farneback_flow(previous, current):
    """Optical flow between two grey frames, uint8 ``(H, W)`` -> float32 ``(H, W, 2)``, x and y in pixels."""
    return cv2.calcOpticalFlowFarneback(
        previous,
        current,
        None,
        pyr_scale=0.5,
        levels=3,
        winsize=15,
        iterations=3,
        poly_n=5,
        poly_sigma=1.2,
        flags=0,
    )


def flow_to_colour(flow, rows=slice(None)):
    """Flow ``(H, W, 2)`` -> float32 ``(H, W, 3)``, R, G, B in [0, 1]; direction is hue, speed is saturation.

    The fastest pixel of the whole frame has full saturation, standing still is white, unknown flow
    (NaN, or a component beyond 1e6) is black. ``rows`` colours only these rows, with the same result.
    """
    dx, dy = (np.ascontiguousarray(flow[..., axis], np.float32) for axis in (0, 1))
    unknown = None
    if not (abs(flow.max()) <= UNKNOWN_FLOW and abs(flow.min()) <= UNKNOWN_FLOW):  # NaN compares false
        unknown = ~((np.abs(dx) <= UNKNOWN_FLOW) & (np.abs(dy) <= UNKNOWN_FLOW))
        dx[unknown] = dy[unknown] = 0
    fastest = np.sqrt((dx * dx + dy * dy).max())
    dx, dy = dx[rows], dy[rows]
    if fastest > np.finfo(np.float64).eps:
        dx, dy = dx / fastest, dy / fastest
    radius = np.sqrt(dx * dx + dy * dy)[..., np.newaxis]
    place = (np.arctan2(-dy, -dx) / np.float32(np.pi) + 1) / 2 * np.float32(len(COLOUR_WHEEL) - 1)
    left = place.astype(np.intp)
    weight = (place - left.astype(np.float32))[..., np.newaxis]
    colour = COLOUR_WHEEL.take(left, axis=0) * (1 - weight)
    colour += _RIGHT_NEIGHBOUR.take(left, axis=0) * weight
    beyond = radius[..., 0] > 1  # by rounding, the fastest pixel itself
    colour[beyond] *= np.float32(0.75)
    paled = 1 - radius * (1 - colour)
    paled[beyond] = colour[beyond]
    if unknown is not None:
        paled[unknown[rows]] = 0
    return paled


def colour_to_uint8(rgb):
    """Colours in [0, 1] -> uint8 0..255, truncated as published (not rounded)."""
    return (rgb * 255).astype(np.uint8)


def silhouette_rows(silhouette):
    """The rows from the first to the last with anything in them, as a slice; None if nearly empty."""
    if silhouette.sum(dtype=np.int64) <= FEWEST_SILHOUETTE:
        return None
    filled = np.flatnonzero(silhouette.any(axis=1))
    return slice(int(filled[0]), int(filled[-1]) + 1)


def cut(flow_image, silhouette):
    """The walker's flow, uint8 ``(64, 64, 3)``, from the whole frame ``(H, W, 3)`` and silhouette ``(H, W)``.

    The silhouette's rows are scaled to 64, its centre of mass in the columns becomes the middle. The flow
    is not masked. None where the silhouette is nearly empty (values add up to 10000 or less).
    """
    rows = silhouette_rows(silhouette)
    return None if rows is None else _cut_rows(flow_image[rows], silhouette[rows])


def _cut_rows(flow_image, silhouette):
    height, width = silhouette.shape
    size = (int(SIZE * width / height), SIZE)
    flow_image = cv2.resize(flow_image, size, interpolation=cv2.INTER_CUBIC)
    silhouette = cv2.resize(silhouette, size, interpolation=cv2.INTER_CUBIC)
    columns = silhouette.sum(axis=0, dtype=np.int64).cumsum()
    beyond_half = np.flatnonzero(columns > columns[-1] / 2)
    if not len(beyond_half):
        return None
    left = int(beyond_half[0]) - SIZE // 2
    if left <= 0 or left + SIZE >= size[0]:
        flow_image = np.pad(flow_image, ((0, 0), (SIZE // 2, SIZE // 2), (0, 0)))
        left += SIZE // 2
    return np.ascontiguousarray(flow_image[:, left : left + SIZE])


def flow_frames(grey_frames, silhouettes):
    """The cut flow of every frame but the first of a sequence.

    Args:
        grey_frames: iterable of uint8 ``(H, W)``, or None for a frame that cannot be read.
        silhouettes: iterable of uint8 ``(H, W)``, or None alike; in step with the frames.

    Yields ``(index, image, reason)``: ``image`` is uint8 ``(64, 64, 3)``, R, G, B, or None, and then
    ``reason`` says why the frame is dropped. The flow always starts from the frame just before.
    """
    previous = None
    for index, (current, silhouette) in enumerate(zip(grey_frames, silhouettes, strict=True)):
        if index or current is None:
            yield index, *_flow_frame(previous, current, silhouette)
        previous = current


def _flow_frame(previous, current, silhouette):
    """``(image, reason)`` of one frame."""
    if current is None:
        return None, NO_FRAME
    if silhouette is None:
        return None, NO_SILHOUETTE
    if previous is None:
        return None, "the frame before is missing or damaged"
    if not previous.shape == current.shape == silhouette.shape:
        return None, "frame, frame before and silhouette differ in size"
    rows = silhouette_rows(silhouette)
    if rows is None:
        return None, "empty silhouette"
    colours = colour_to_uint8(flow_to_colour(farneback_flow(previous, current), rows))
    image = _cut_rows(colours, silhouette[rows])
    return image, None if image is not None else "silhouette without a centre"
