"""Simulated walkers in the layouts of OpenGait's data sets: silhouettes, poses and the partition.

    OUT/silhouettes/<id>/<type>/<view>/0001.png    frames, for GREW aligned to 64x64 as it is delivered
    OUT/poses/<id>/<type>/<view>/<view>.pkl        (frames, joints, 3); SUSTech1K: 03-<view>-Camera-Pose.pkl
    OUT/<data set>.json                            TRAIN_SET, TEST_SET, for Gait3D PROBE_SET

The views keep the simulator's angles, and the types say which take of CASIA-B's ten it is. Clothes are
drawn anew for each take; so CCPG's types tell the kind of change (a coat, a bag, other clothes) only.
"""

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gait.data.opengait.layouts import GREW_PROBES, LAYOUTS, Partition
from keras_gait.data.opengait.pickles import write_array_pickle
from keras_gait.data.simulate import SEQUENCES, VIEWS, simulate_walk
from keras_gait.data.trees import write_image
from keras_gait.errors import GaitError
from keras_gait.files import write_whole
from keras_gait.vision.silhouette import opengait_silhouette

OPENPOSE_OF_COCO = (0, 5, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
NECK, SHOULDERS = 1, (5, 6)  # of OpenPose's order; of COCO's
_OPENPOSE = ("oumvlp", "ccpg")

_OUMVLP_TYPES = {"nm-01": "00", "nm-02": "01"}
_GREW_TYPES = {"nm-01": "01", "nm-02": "02", "nm-03": "01", "nm-04": "02"}  # the gallery; others are probes
_CCPG_TYPES = {
    **{"nm-01": "U0_D0", "nm-02": "U0_D0", "nm-03": "U0_D3", "nm-04": "U0_D3", "nm-05": "U3_D3"},
    **{"nm-06": "U2_D2", "bg-01": "U0_D0_BG", "bg-02": "U0_D0_BG", "cl-01": "U1_D1", "cl-02": "U1_D0"},
}


class Place(NamedTuple):
    """Where a sequence lies in a tree."""

    subject: str
    kind: str
    view: str


def known_sequences(layout):
    """Those of the simulator's takes that ``layout`` has types for."""
    return tuple(_OUMVLP_TYPES) if layout == "oumvlp" else SEQUENCES


def place_of(layout, subject, sequence, view, trains):
    """The `Place` of a take: a subject's number, "nm-01", "090", and whether that subject is for training."""
    condition, take = sequence.split("-")
    if layout == "casia-b":
        return Place(f"{subject:03d}", sequence, view)
    if layout == "oumvlp":
        return Place(f"{subject:05d}", _OUMVLP_TYPES[sequence], view)
    if layout == "grew":
        if trains:
            return Place(f"{subject:05d}train", "00", f"{sequence}-{view}")
        if sequence in _GREW_TYPES:
            return Place(f"{subject:05d}", _GREW_TYPES[sequence], f"{sequence}-{view}")
        return Place(GREW_PROBES, "03", f"{subject:05d}-{sequence}-{view}")  # tells whom to answer
    if layout == "gait3d":
        camera, video = VIEWS.index(view) + 1, SEQUENCES.index(sequence) + 1
        return Place(f"{subject:04d}", f"camid{camera}_videoid{video}", "seq0")
    if layout == "ccpg":
        return Place(f"{subject:03d}", _CCPG_TYPES[sequence], f"{view}_{int(take)}")
    number = int(take) - 1 if condition == "nm" else int(take)  # SUSTech1K: 00-nm is the gallery
    return Place(f"{subject:04d}", f"{number:02d}-{condition}", view)


def simulated_partition(layout, subjects, sequences, views, train_subjects):
    """The first ``train_subjects`` train. Gait3D: all views of one take of each test subject are probes."""

    def ids(numbers):
        places = (
            place_of(layout, subject, sequence, views[0], subject <= train_subjects)
            for subject in numbers
            for sequence in sequences
        )
        return tuple(sorted({place.subject for place in places}))

    probes = ()
    if layout == "gait3d":
        probes = tuple(
            "-".join(place_of(layout, subject, sequences[subject % len(sequences)], view, False))
            for subject in range(train_subjects + 1, subjects + 1)
            for view in views
        )
    numbers = range(1, train_subjects + 1), range(train_subjects + 1, subjects + 1)
    return Partition(*map(ids, numbers), probes)


def write_partition(output, layout, partition):
    """Write ``partition`` to a JSON file named after the data set."""
    content = {"TRAIN_SET": partition.train, "TEST_SET": partition.test}
    if layout == "gait3d":
        content["PROBE_SET"] = partition.probes
    write_whole(Path(output, f"{LAYOUTS[layout].title}.json"), json.dumps(content, indent=1) + "\n")


def check_layout_request(layout, subjects, sequences, train_subjects):
    """`GaitError` for what the layout has no place for."""
    missing = sorted(set(sequences) - set(known_sequences(layout)))
    if missing:
        raise GaitError(
            f"--sequences: {LAYOUTS[layout].title} has no type for {' '.join(missing)}; use some of "
            f"{' '.join(known_sequences(layout))}"
        )
    if not 0 <= train_subjects <= subjects:
        raise GaitError(f"--train_subjects must be 0 to {subjects}, --subjects. Received: {train_subjects}")
    if layout == "gait3d" and len(sequences) < 2:
        raise GaitError("--sequences: Gait3D needs two or more, a probe and its gallery")


def write_layout_sequence(job):
    """Simulate one sequence and write its silhouettes and poses, unless both are there.

    ``job``: (output, layout, trains, subject, sequence, view, frames, size, seed). What is written gets
    its name when it is whole. Returns whether anything was written.
    """
    output, layout, trains, subject, sequence, view, frames, size, seed = job
    place = place_of(layout, subject, sequence, view, trains)
    pictures = Path(output, "silhouettes", *place)
    poses = Path(output, "poses", *place, _pose_file(layout, place.view))
    if pictures.is_dir() and poses.is_file():
        return False
    walk = simulate_walk(subject, *sequence.split("-"), view, frames, size, seed)
    if not pictures.is_dir():
        draft = Path(output, ".partial", "-".join(place))
        shutil.rmtree(draft, ignore_errors=True)
        for number, silhouette in enumerate(walk.silhouettes, start=1):
            write_image(
                draft / f"{number:04d}.png", _delivered(silhouette) if layout == "grew" else silhouette
            )
        pictures.parent.mkdir(parents=True, exist_ok=True)
        os.replace(draft, pictures)
    write_array_pickle(poses, openpose_joints(walk.poses) if layout in _OPENPOSE else walk.poses)
    return True


def _pose_file(layout, view):
    return f"03-{view}-Camera-Pose.pkl" if layout == "sustech1k" else f"{view}.pkl"


def _delivered(silhouette):
    """A silhouette as GREW delivers it; where nobody is in the picture a black frame keeps the count."""
    aligned = opengait_silhouette(silhouette)
    return np.zeros((64, 64), np.uint8) if aligned is None else aligned


def openpose_joints(poses):
    """COCO's 17 joints ``(T, 17, 3)`` in OpenPose's order of 18; the neck is midway between the shoulders.

    The neck's score is the lower one of the shoulders; it is missed (0, 0, 0) with either of them.
    """
    joints = poses[:, OPENPOSE_OF_COCO].copy()
    shoulders = poses[:, SHOULDERS]
    neck = shoulders.mean(axis=1)
    neck[:, 2] = shoulders[..., 2].min(axis=1)
    joints[:, NECK] = np.where(neck[:, 2:] > 0, neck, 0)
    return joints
