"""Operations on whole clips of frames."""

from functools import cache

import cv2
import numpy as np

from keras_gait.errors import GaitError

FIRST_COLUMN, COLUMNS, WIDTH = 10, 44, 64  # of a frame 64 wide: the usual 64x44 silhouette window


@cache
def _stretch():
    """Matrix ``(44, 64)`` of OpenCV's bilinear interpolation along a row."""
    return cv2.resize(np.eye(COLUMNS, dtype=np.float32), (WIDTH, COLUMNS), interpolation=cv2.INTER_LINEAR)


def check_cut(dataset):
    """Refuse a data set whose frames `cut_columns` cannot take."""
    if len(dataset.frame_shape) != 3:
        raise GaitError(f"--cut is for pictures, and {dataset.path} holds poses: leave it out")
    width = dataset.frame_shape[1]
    if width != WIDTH:
        raise GaitError(f"--cut is for frames {WIDTH} wide; those of {dataset.path} are {width} wide")


def cut_columns(clips):
    """Columns 10 to 53, stretched to the full width (AttenGait's ``--cut``).

    uint8 ``(..., height, 64, channels)`` to the same shape.
    """
    window = clips[..., FIRST_COLUMN : FIRST_COLUMN + COLUMNS, :]
    stretched = np.einsum("...wc,wv->...vc", window, _stretch(), optimize=True)
    return np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
