"""Simulated walkers as recordings of a depth sensor. Nothing is rendered, so it is fast.

OUT/skeletons/001/nm-01-090.npy    (F, 20, 3) float32, metres from the camera: x right, y up, z away
"""

from pathlib import Path

import numpy as np

from keras_gait.data.simulate import SEQUENCES, VIEWS, simulate_skeletons
from keras_gait.errors import GaitError
from keras_gait.files import written_whole

FRAMES = 60  # of a recording, unless it is asked for: the first and the last 10 are cut later
SKELETON_LAYOUTS = ("kinect",)


def known_skeletons(layout):
    """The simulator's takes and the views that ``layout`` has."""
    return SEQUENCES, VIEWS


def check_skeleton_request(args):
    """`GaitError` for flags that make no sense without pictures."""
    for flag in ("size", "train_subjects"):
        if getattr(args, flag) is not None:
            raise GaitError(f"--{flag} does not go with --layout {args.layout}: leave it out.")


def write_recordings(job):
    """Simulate one take and write a file for each view, unless all are there.

    ``job``: (folder, subject, sequence, views, frames, seed). Returns whether anything was written.
    """
    folder, subject, sequence, views, frames, seed = job
    paths = [Path(folder, f"{subject:03d}", f"{sequence}-{view}.npy") for view in views]
    if all(path.is_file() for path in paths):
        return False
    takes = simulate_skeletons(subject, *sequence.split("-"), views, frames, seed)
    for path, skeletons in zip(paths, takes, strict=True):
        with written_whole(path) as temporary:
            np.save(temporary, skeletons)
    return True
