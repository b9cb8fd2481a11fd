"""The plainest gait recognition, which any model must beat: the nearest of what is there without learning."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from keras_gait.data.layouts import CASIA_GALLERY, casiab
from keras_gait.evaluation.cross_view import Embedded, cross_view_accuracy
from keras_gait.evaluation.protocols import PROTOCOLS
from keras_gait.vision.images import image_names, read_image
from keras_gait.vision.pose_sequences import prepare
from keras_gait.vision.silhouette import gait_energy_image


def energy_image_accuracy(silhouettes, first_subject, workers=2):
    """Rank-1 of raw gait energy images (Han, Bhanu 2006) by the CASIA-B protocol, identical view excluded.

    Args:
        silhouettes: a tree ``<id>/<type>-<number>/<view>/``.
        first_subject: subjects from this number on are tested.
        workers: threads that read.

    Returns:
        Fractions ``(conditions, probe views + mean)``; conditions nm, bg, cl.
    """
    sequences = [s for s in casiab(silhouettes) if int(s.subject) >= first_subject]
    with ThreadPoolExecutor(workers) as pool:
        images = np.stack(list(pool.map(_energy_image, sequences)))
    labels = (np.array([getattr(s, field) for s in sequences]) for field in ("subject", "view", "condition"))
    gallery = np.array([(s.condition, s.video) in CASIA_GALLERY for s in sequences])
    return _accuracy(images, *labels, gallery)


def raw_pose_accuracy(dataset, frames):
    """Rank-1 of whole pose sequences as they are, ``frames`` frames in one vector; else as above.

    Args:
        dataset: a test set of poses with CASIA-B's labels.
        frames: how many of each sequence: the middle ones, short ones mirrored at their ends.
    """
    poses = np.stack([prepare(dataset.read(i), frames).ravel() for i in range(len(dataset))])
    gallery, _ = PROTOCOLS["casia-b"].divide(dataset)
    return _accuracy(poses, dataset.subject, dataset.view, dataset.condition, gallery)


def _accuracy(values, subject, view, condition, gallery):
    """Rank-1 of vectors ``(n, size)`` by condition and probe view; mask ``gallery``, the others probe."""
    return cross_view_accuracy(
        Embedded(values[gallery], subject[gallery], view[gallery]),
        Embedded(values[~gallery], subject[~gallery], view[~gallery]),
        condition[~gallery],
        conditions=PROTOCOLS["casia-b"].conditions,
        metric="L2",
    )


def _energy_image(sequence):
    folder = Path(sequence.source)
    frames = (read_image(folder / name, cv2.IMREAD_GRAYSCALE) for name in image_names(folder))
    return gait_energy_image([frame for frame in frames if frame is not None])
