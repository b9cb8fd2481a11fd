"""Load the frames of one sequence, for the writer: each ``load(source) -> (frames, problems)``."""

import cv2
import numpy as np

from keras_gait.data.layouts import frame_files
from keras_gait.vision.flow import SIZE
from keras_gait.vision.images import read_image


def load_flow_folder(folder):
    """All 64x64 images of a folder -> ``(uint8 (frames, 64, 64, 3), problems)``, channels R, G, B.

    (The pretreatment writes R, G, B arrays by OpenCV, so that reading by OpenCV gives them back.)
    Images that are damaged or of another size are left out and reported as ``(place, what)``.
    """
    return _load(folder, resize=False)


def load_and_resize_flow_folder(folder):
    """The same, but images of another size are scaled (bilinear): OU-MVLP comes in its own size."""
    return _load(folder, resize=True)


def _load(folder, resize):
    frames, problems = [], []
    for path in frame_files(folder):
        image = read_image(path)
        if image is None:
            problems.append((path, "damaged image"))
        elif image.shape[:2] == (SIZE, SIZE):
            frames.append(image)
        elif resize:
            frames.append(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))
        else:
            problems.append((path, f"image of {image.shape[1]}x{image.shape[0]}, expected {SIZE}x{SIZE}"))
    return np.array(frames, np.uint8).reshape(-1, SIZE, SIZE, 3), problems


def load_hdf5_sequence(path):
    """The frames of one original HDF5 sequence file; a damaged file is reported and gives none."""
    import h5py  # here only, so that the flow commands start without it

    try:
        with h5py.File(path, "r") as file:
            return file["data"][:], []
    except (OSError, KeyError) as error:
        return np.zeros(0, np.uint8), [(str(path), f"damaged file ({error})")]
