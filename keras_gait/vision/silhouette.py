"""Silhouettes brought to one size and place, and their mean over a walk, the gait energy image."""

import cv2
import numpy as np

FEWEST_PIXELS = 40  # white pixels below which nobody is in the picture
GAITSET_LEAST_SUM = 10000  # sum of grey values, likewise


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
    body = _body_rows(silhouette)
    columns = max(1, round(body.shape[1] * size / len(body)))
    body = cv2.resize(
        body, (columns, size), interpolation=cv2.INTER_AREA if len(body) > size else cv2.INTER_CUBIC
    )
    return _columns_about(body, _middle(body), width)


def gaitset_silhouette(silhouette, size=64):
    """The silhouette as GaitSet's ``pretreatment.py`` cuts it (SelfGait, section 2).

    As `normalise_silhouette`, always by cubic interpolation, with the width rounded down and another
    least area.

    Args:
        silhouette: ``(H, W)`` uint8. size: rows and columns of the result, even.

    Returns:
        ``(size, size)`` uint8, or None where GaitSet drops the frame: grey values that sum up to no more
        than 10000.
    """
    return _gaitset_cut(silhouette, size, 0)


def opengait_silhouette(silhouette, size=64):
    """The silhouette as OpenGait's ``pretreatment.py`` aligns it, for data that its models read.

    As `gaitset_silhouette`, but None also for a body whose middle is the first column.
    """
    return _gaitset_cut(silhouette, size, 1)


def _gaitset_cut(silhouette, size, first):
    """As `gaitset_silhouette`; None for a body whose middle is left of column ``first``."""
    if silhouette.sum(dtype=np.int64) <= GAITSET_LEAST_SUM:
        return None
    body = _scaled_body(silhouette, size, cv2.INTER_CUBIC)
    middle = None if body is None else _middle(body)
    return None if middle is None or middle < first else _columns_about(body, middle, size)


def ccpg_silhouette(silhouette, height=64, width=64):
    """The silhouette as CCPG's ``cut_img`` aligns it -> ``(height, width)`` uint8, or None if it is empty.

    As `opengait_silhouette`, by area interpolation, however few pixels there are.
    """
    if not silhouette.any():
        return None
    body = _scaled_body(silhouette, height, cv2.INTER_AREA)
    middle = None if body is None else _middle(body)
    return None if middle is None else _columns_about(body, middle, width)


def _body_rows(silhouette):
    """The rows from the first to the last that are not empty."""
    rows = np.flatnonzero(silhouette.any(axis=1))
    return silhouette[rows[0] : rows[-1] + 1]


def _scaled_body(silhouette, height, interpolation):
    """The body's rows brought to ``height``, the width in proportion and rounded down; None if that is 0."""
    body = _body_rows(silhouette)
    columns = int(height * body.shape[1] / len(body))
    return cv2.resize(body, (columns, height), interpolation=interpolation) if columns else None


def _middle(body):
    """The first column that has more than half of the sum on its left, itself included; None if all is 0."""
    area = body.sum(axis=0, dtype=np.int64).cumsum()
    return int(np.searchsorted(area, area[-1] / 2, side="right")) if area[-1] else None


def _columns_about(body, middle, width):
    """``width`` columns with ``middle`` in the middle, 0 beyond the picture."""
    left = middle + width - width // 2
    return np.pad(body, ((0, 0), (width, width)))[:, left : left + width]


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
