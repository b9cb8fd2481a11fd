"""Simulated walkers in the layouts of the published poses. Nothing is rendered, so it is fast.

OUT/casia-b_pose_coco.csv                       CASIA-B, one file
OUT/openpose/00001/090_00/0001_keypoints.json   OU-MVLP-Pose, a file a frame
OUT/ID_list.csv                                 its subjects for training and for testing
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from keras_gait.data.opengait.simulated import known_sequences, openpose_joints, place_of
from keras_gait.data.poses.casiab import COLUMNS, FILE, SUBJECTS, Walk
from keras_gait.data.poses.oumvlp import ID_LIST, VIEWS
from keras_gait.data.simulate import SEQUENCES, simulate_poses
from keras_gait.data.simulate import VIEWS as CASIA_VIEWS
from keras_gait.errors import GaitError
from keras_gait.files import write_whole, written_whole

SIZES = {"casia-b-pose": 240, "oumvlp-pose": 960}  # height of a frame in the published videos
MISSED = 0.02  # share of OU-MVLP's frames in which nobody is detected
_ROW = "%s" + ",%.2f,%.2f,%.3f" * ((len(COLUMNS) - 1) // 3) + "\n"
_MISSED_FRAMES = 2  # last part of a generator's place


def known_poses(layout):
    """The simulator's takes and the views that ``layout`` has."""
    if layout == "oumvlp-pose":
        return known_sequences("oumvlp"), VIEWS
    return SEQUENCES, CASIA_VIEWS


def check_pose_request(layout, subjects, sequences, train_subjects):
    """`GaitError` for what the layout has no place for."""
    known = known_poses(layout)[0]
    missing = sorted(set(sequences) - set(known))
    if missing:
        raise GaitError(f"--sequences: {layout} has no {' '.join(missing)}; use some of {' '.join(known)}")
    if layout == "casia-b-pose":
        if train_subjects is not None:
            raise GaitError("--train_subjects: casia-b-pose is divided by generate_pose_dataset_casiab.py")
        if subjects > SUBJECTS:
            raise GaitError(f"--subjects: CASIA-B has {SUBJECTS}. Received: {subjects}")
    elif train_subjects is not None and not 0 <= train_subjects <= subjects:
        raise GaitError(f"--train_subjects must be 0 to {subjects}, --subjects. Received: {train_subjects}")


def write_casiab_part(job):
    """Simulate one subject and write the rows to a file of their own, unless it is there.

    ``job``: (output, subject, sequences, views, frames, size, seed). Returns whether anything was written.
    """
    output, subject, sequences, views, *settings = job
    part = _part(output, subject)
    if part.is_file() or Path(output, FILE).is_file():
        return False
    with written_whole(part) as temporary, open(temporary, "w", encoding="ascii") as file:
        for sequence in sequences:
            condition, take = sequence.split("-")
            walks = simulate_poses(subject, condition, take, views, *settings)
            for view, poses in zip(views, walks, strict=True):
                walk = Walk(subject, condition, int(take), int(view))
                for number, frame in enumerate(poses.reshape(len(poses), -1).tolist(), start=1):
                    file.write(_ROW % (f"./{walk}/{number:06d}.jpg", *frame))
    return True


def _part(output, subject):
    return Path(output, ".parts", f"{subject:03d}.csv")


def join_casiab_parts(output, subjects):
    """Join the parts of all subjects to the CSV file, where none is missing. Returns whether it is there."""
    parts = [_part(output, subject) for subject in range(1, subjects + 1)]
    if Path(output, FILE).is_file():
        return True
    if not all(part.is_file() for part in parts):
        return False
    try:
        with written_whole(Path(output, FILE)) as temporary, open(temporary, "wb") as file:
            file.write(",".join(COLUMNS).encode() + b"\n")
            for part in parts:
                with open(part, "rb") as rows:
                    shutil.copyfileobj(rows, file)
    except FileNotFoundError:  # another shard has joined them meanwhile
        if not Path(output, FILE).is_file():
            raise
    shutil.rmtree(parts[0].parent, ignore_errors=True)
    return True


def write_oumvlp_sequence(job):
    """Simulate one sequence and write its folder of JSON files, unless it is there.

    ``job``: (output, subject, sequence, view, frames, size, seed). Returns whether anything was written.
    """
    output, subject, sequence, view, frames, size, seed = job
    place = place_of("oumvlp", subject, sequence, view, True)
    folder = Path(output, "openpose", place.subject, f"{view}_{place.kind}")
    if folder.is_dir():
        return False
    draft = Path(output, ".partial", "-".join(place))
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (poses,) = simulate_poses(subject, *sequence.split("-"), [view], frames, size, seed)
    joints = openpose_joints(poses).reshape(frames, -1).round(3).tolist()
    missed = _missed_frames(subject, sequence, view, frames, seed)
    for number, values in enumerate(joints, start=1):
        people = [] if missed[number - 1] else [{"pose_keypoints_2d": values}]
        (draft / f"{number:04d}_keypoints.json").write_text(json.dumps({"people": people}), encoding="ascii")
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.replace(draft, folder)
    return True


def _missed_frames(subject, sequence, view, frames, seed):
    place = (subject, SEQUENCES.index(sequence), int(view), _MISSED_FRAMES)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))
    return rng.uniform(size=frames) < MISSED


def write_id_list(output, subjects, train_subjects):
    """Write ``ID_list.csv``: the first ``train_subjects`` in its first column, the others in its second."""
    train, test = range(1, train_subjects + 1), range(train_subjects + 1, subjects + 1)
    rows = ["train,test"]
    for row in range(max(len(train), len(test))):
        rows.append(",".join(f"{ids[row]:05d}" if row < len(ids) else "" for ids in (train, test)))
    write_whole(Path(output, ID_LIST), "\n".join(rows) + "\n")
