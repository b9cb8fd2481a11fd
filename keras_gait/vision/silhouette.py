"""Silhouettes brought to one size and place, and their mean over a walk, the gait energy image."""

import cv2
import numpy as np

FEWEST_PIXELS = 40  # white pixels below which nobody is in the picture


def normalise_silhouette(silhouette, size=64, width=44):
    """Crop the body's rows, resize them to ``size`` rows and centre the body in ``width`` columns.

    The usual pre-processing of gait energy images and GaitSet: the aspect is kept, and the centre is
    the column that halves the body's area, so that a swinging arm does not move the body.

    Args:
        silhouette: ``(H, W)`` uint8, background 0, body 255.
        size: rows of the result.
        width: columns of the result; what lies outside is cut off.

    Returns:
        ``(size, width)`` uint8, or None if the silhouette sums up to no more than 40 white pixels.
    """
    if silhouette.sum(dtype=np.int64) <= FEWEST_PIXELS * 255:
        return None
    rows = np.flatnonzero(silhouette.any(axis=1))
    body = silhouette[rows[0] : rows[-1] + 1]
    columns = max(1, round(body.shape[1] * size / body.shape[0]))
    body = cv2.resize(
        body, (columns, size), interpolation=cv2.INTER_AREA if len(rows) > size else cv2.INTER_CUBIC
    )
    area = body.sum(axis=0, dtype=np.int64).cumsum()
    centre = int(np.searchsorted(area, area[-1] / 2, side="right"))
    padded = np.pad(body, ((0, 0), (width, width)))
    left = centre + width - width // 2
    return padded[:, left : left + width]


def gait_energy_image(silhouettes, size=64, width=44):
    """Mean of the normalised silhouettes of a walk (Han and Bhanu, 2006).

    Args:
        silhouettes: ``(F, H, W)`` uint8 or a list of ``(H, W)``, background 0, body 255.
        size, width: as in `normalise_silhouette`.

    Returns:
        ``(size, width)`` float32 in 0..255; frames without a body do not count, and with none left
        the image is 0.
    """
    shapes = [normalise_silhouette(silhouette, size, width) for silhouette in silhouettes]
    shapes = [shape for shape in shapes if shape is not None]
    if not shapes:
        return np.zeros((size, width), np.float32)
    return np.mean(shapes, axis=0, dtype=np.float32)
