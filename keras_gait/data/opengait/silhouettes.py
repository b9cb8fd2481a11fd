"""Raw silhouettes to pickles as OpenGait reads them, the job of ``pretreatment_silhouettes.py``."""

import cv2
import numpy as np

from keras_gait.data.opengait.pickles import note_frames, write_array_pickle
from keras_gait.data.problems import Problem, few_frames
from keras_gait.vision.flow import NO_SILHOUETTE
from keras_gait.vision.images import image_names, read_image
from keras_gait.vision.silhouette import ccpg_silhouette, opengait_silhouette

NOBODY = "no body that OpenGait would keep: frame dropped"


def align_silhouette(silhouette, size, dataset):
    """One frame as OpenGait aligns it for ``dataset`` -> uint8 image, or None where it drops the frame.

    "grew" has been aligned when it is delivered and stays as it is; "ccpg" has its own rule.
    """
    if dataset == "grew":
        return silhouette
    if dataset == "ccpg":
        return ccpg_silhouette(silhouette, size, size)
    return opengait_silhouette(silhouette, size)


def silhouette_sequence(tree, output, size, dataset, relative, target):
    """Job of `write_tree`: the images of one sequence to ``<view>.pkl``, uint8 ``(frames, size, size)``.

    Frames without a body are left out, and noted (`note_frames`) so that other modalities can follow.
    Returns a list of `Problem`.
    """
    cv2.setNumThreads(1)  # the processes share the cores already
    source = tree.source(relative)
    names = image_names(source)
    problems, kept, frames = [], [], []
    for place, name in enumerate(names):
        silhouette = read_image(source / name, cv2.IMREAD_GRAYSCALE)
        aligned = None if silhouette is None else align_silhouette(silhouette, size, dataset)
        if aligned is None:
            reason = NO_SILHOUETTE if silhouette is None else NOBODY
            problems.append(Problem(f"{relative}/{name}", reason, mendable=silhouette is None))
            continue
        kept.append(place)
        frames.append(aligned)
    shapes = {frame.shape for frame in frames}
    if len(shapes) > 1:
        return [Problem(relative, "frames of different sizes", mendable=True)]
    if frames:
        note_frames(output, relative, kept, len(names))
        write_array_pickle(target / f"{target_name(relative)}.pkl", np.stack(frames))
    return problems + few_frames(relative, len(frames))


def target_name(relative):
    """The name of a sequence's file as OpenGait's commands choose it: its view."""
    return relative.rpartition("/")[2]
