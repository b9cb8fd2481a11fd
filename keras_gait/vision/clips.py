"""Operations on whole clips of frames."""

from functools import cache

import cv2
import numpy as np

FIRST_COLUMN, COLUMNS = 10, 44  # of a frame 64 wide: the usual 64x44 silhouette window


@cache
def _stretch(width):
    """Matrix ``(44, width)`` of OpenCV's bilinear interpolation along a row."""
    return cv2.resize(np.eye(COLUMNS, dtype=np.float32), (width, COLUMNS), interpolation=cv2.INTER_LINEAR)


def cut_columns(clips):
    """Columns 10 to 53, stretched to the full width (AttenGait's ``--cut``).

    uint8 ``(..., height, 64, channels)`` to the same shape.
    """
    window = clips[..., FIRST_COLUMN : FIRST_COLUMN + COLUMNS, :]
    stretched = np.einsum("...wc,wv->...vc", window, _stretch(clips.shape[-2]), optimize=True)
    return np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
