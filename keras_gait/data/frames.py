"""Load the frames of one sequence folder, for the writer."""

import cv2
import numpy as np

from keras_gait.data.layouts import frame_files
from keras_gait.vision.images import read_image


def load_flow_folder(folder, resize=False, size=64):
    """All images of a folder -> ``(uint8 (frames, 64, 64, 3), problems)``, in the order the network sees.

    Images that are damaged, or of another size where ``resize`` (bilinear) is not asked for, are left
    out and reported as ``(place, what)``.
    """
    frames, problems = [], []
    for path in frame_files(folder):
        image = read_image(path)
        if image is None:
            problems.append((path, "damaged image"))
        elif image.shape[:2] == (size, size):
            frames.append(image)
        elif resize:
            frames.append(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR))
        else:
            problems.append((path, f"image of {image.shape[1]}x{image.shape[0]}, expected {size}x{size}"))
    return np.array(frames, np.uint8).reshape(-1, size, size, 3), problems
