"""Small trees of flow images in the published layouts, and what a data set made from them lists."""

from pathlib import Path

import cv2
import numpy as np

from keras_gait.data.opening import open_dataset


def sequence_folder(root, *parts, frames=6, size=64, value=0):
    """A folder of flow images; the red channel counts the frames, the green one is ``value``."""
    folder = Path(root, *parts)
    folder.mkdir(parents=True)
    for number in range(frames):
        image = np.full((size, size, 3), (number, value, 255), np.uint8)
        cv2.imwrite(str(folder / f"{number:03d}.png"), image)  # R, G, B as the pretreatment writes it
    return folder


def casiab_tree(root, subjects=("001", "002", "003"), views=("000", "090")):
    for subject in subjects:
        for kind in ("nm-01", "nm-05", "bg-01"):
            for view in views:
                sequence_folder(root, subject, kind, view, value=int(subject))
    return root


def rows(path):
    ds = open_dataset(path)
    return list(zip(ds.subject, ds.condition, ds.view, ds.video, strict=True))
