"""Simulated walkers as skeletons of a depth sensor. Nothing is rendered, so it is fast.

OUT/skeletons/001/nm-01-090.npy    recordings: (F, 20, 3) float32, metres from the camera
OUT/Datasets/BIWI/6/...            windows as published: `keras_gait.data.skeletons.tree_writer`

Clothes do not show in a skeleton, but a coat changes the walk: takes with it are IAS's first test set.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_gait.data.provenance import SIMULATED, note_source
from keras_gait.data.simulate import KINECT_JOINTS, KINECT_V2_JOINTS, SEQUENCES, VIEWS, simulate_skeletons
from keras_gait.data.skeletons.tree_writer import PersonFrames, remove_drafts, write_npy_tree
from keras_gait.data.skeletons.windows import frames_needed, published_rules
from keras_gait.errors import GaitError
from keras_gait.files import written_whole

FRAMES = 60  # of a recording, unless it is asked for: the first and the last 10 are cut later
LENGTH = 6  # of a window, unless it is asked for
_NORMAL = tuple(name for name in SEQUENCES if name.startswith("nm"))


@dataclass(frozen=True)
class SkeletonLayout:
    """What a data set has.

    Attributes:
        name: as in the tree; empty: recordings only.
        takes, views: those of the simulator. joints: names, in the sensor's order.
        tests: dict of test set -> its takes; the others are for training.
        view_folders: whether there is a tree for each view, too: its test takes, and the training takes of
            all other views.
    """

    name: str = ""
    takes: tuple = SEQUENCES
    views: tuple = VIEWS
    joints: tuple = KINECT_JOINTS
    tests: tuple = (("test", ("nm-05", "nm-06")),)
    view_folders: bool = False

    def split_of(self, take):
        return next((split for split, takes in self.tests if take in takes), "train")


_FACING = ("000", "030", "060")
SKELETON_LAYOUTS = {
    "kinect": SkeletonLayout(),
    "biwi": SkeletonLayout("BIWI", _NORMAL, _FACING),
    "ias": SkeletonLayout(
        "IAS",
        (*_NORMAL, "cl-01", "cl-02"),
        _FACING,
        tests=(("test-A", ("cl-01", "cl-02")), ("test-B", ("nm-05", "nm-06"))),
    ),
    "kgbd": SkeletonLayout("KGBD", _NORMAL, _FACING),
    "ks20": SkeletonLayout(
        "KS20", _NORMAL, ("000", "030", "090", "130", "180"), KINECT_V2_JOINTS, view_folders=True
    ),
}


def check_skeleton_request(args):
    """`GaitError` for flags that do not go with ``--layout``, and for too little to divide."""
    layout = SKELETON_LAYOUTS[args.layout]
    for flag in ("size", "train_subjects") + (() if layout.name else ("length",)):
        if getattr(args, flag) is not None:
            raise GaitError(f"--{flag} does not go with --layout {args.layout}: leave it out.")
    if not layout.name:
        return
    wrong = sorted(set(args.sequences or ()) - set(layout.takes))
    if wrong:
        known = " ".join(layout.takes)
        raise GaitError(f"--sequences: {args.layout} has no {' '.join(wrong)}; use some of {known}")
    found = {layout.split_of(take) for take in args.sequences or layout.takes}
    for split in ("train", *dict(layout.tests)):
        if split not in found:
            takes = [take for take in layout.takes if layout.split_of(take) == split]
            raise GaitError(f"--sequences: {split} of {args.layout} needs some of {' '.join(takes)}.")
    if args.length is not None and args.length < 2:
        raise GaitError(f"--length must be at least 2. Received: {args.length}")
    least = max(frames_needed(rules) for rules in _rules(layout, args.length or LENGTH).values())
    frames = FRAMES if args.frames is None else args.frames
    if frames < least:
        raise GaitError(f"--frames must be at least {least} for a window. Received: {frames}")


def _rules(layout, length):
    return {role: published_rules(layout.name, length, role) for role in ("train", "test")}


def write_recordings(job):
    """Simulate one take and write a file for each view, unless all are there or what is made from them is.

    ``job``: (folder, made, subject, sequence, views, joints, frames, seed); ``made`` is a folder or None.
    Returns whether anything was written.
    """
    folder, made, subject, sequence, views, joints, frames, seed = job
    paths = [recording_path(folder, subject, sequence, view) for view in views]
    if all(path.is_file() for path in paths) or (made and made.is_dir()):
        return False
    takes = simulate_skeletons(subject, *sequence.split("-"), views, frames, seed, joints)
    for path, skeletons in zip(paths, takes, strict=True):
        with written_whole(path) as temporary:
            np.save(temporary, skeletons)
    return True


def recording_path(folder, subject, sequence, view):
    """Where a recording lies: ``<folder>/001/nm-01-090.npy``."""
    return Path(folder, f"{subject:03d}", f"{sequence}-{view}.npy")


def simulation_places(output, layout, length):
    """Where recordings go, and what is made of them last: None for recordings that are to stay."""
    layout = SKELETON_LAYOUTS[layout]
    if not layout.name:
        return Path(output, "skeletons"), None
    return Path(output, ".parts"), _tree(output, layout, length) / f"{layout.name}_test_npy_data"


def _tree(output, layout, length):
    return Path(output, "Datasets", layout.name, str(length))


def join_recordings(output, layout, length, subjects, sequences, views, alone):
    """Make the published trees of all recordings, where none is missing. Returns whether they are there.

    ``alone``: no other run writes to ``output``, so what killed ones left can be removed.
    """
    parts, last = simulation_places(output, layout, length)
    layout = SKELETON_LAYOUTS[layout]
    places = [(subject, take, view) for subject in subjects for take in sequences for view in views]
    if last.is_dir():
        return True
    if not all(recording_path(parts, *place).is_file() for place in places):
        return False
    try:
        recordings = [(place, np.load(recording_path(parts, *place))) for place in places]
    except FileNotFoundError:  # another shard has joined them meanwhile
        if last.is_dir():
            return True
        raise
    tree = _tree(output, layout, length)
    for view in views if layout.view_folders and len(views) > 1 else ():
        _write(tree / f"view_{layout.views.index(view)}", layout, length, recordings, view, alone)
    _write(tree, layout, length, recordings, None, alone)
    shutil.rmtree(parts, ignore_errors=True)
    return True


def _write(folder, layout, length, recordings, view, alone):
    """Write one tree; with a ``view`` it tests that one and trains with all others."""
    splits = {split: [] for split in ("train", *dict(layout.tests))}
    for (subject, take, seen_from), frames in recordings:
        split = layout.split_of(take)
        if view is None or (seen_from == view) == (split != "train"):
            splits[split].append(PersonFrames(subject, frames))
    folder.mkdir(parents=True, exist_ok=True)
    note_source(folder, SIMULATED)
    if alone:
        remove_drafts(folder)
    write_npy_tree(folder, layout.name, splits, _rules(layout, length))
