"""OU-MVLP-Pose: a JSON file a frame, and the list of its subjects for training and for testing.

<dataset_path>/ID_list.csv                                     column 0 trains, column 1 tests
<dataset_path>/openpose/00001/000_00/0001_keypoints.json       <subject>/<view>_<sequence>/
{"people": [{"pose_keypoints_2d": [54 numbers]}, ...]}         the first of the people is the walker
"""

import csv
import os
import re
from pathlib import Path

import numpy as np

from keras_gait.data.layouts import folders
from keras_gait.data.opengait.pose_files import read_pose_json
from keras_gait.data.poses.sets import write_pose_sets
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import read_source
from keras_gait.data.writer import Sequence
from keras_gait.errors import GaitError
from keras_gait.vision.joint_graphs import GRAPHS

ID_LIST = "ID_list.csv"
KEYPOINTS = ("openpose", "alphapose")
VIEWS = tuple(f"{degrees:03d}" for degrees in (*range(0, 91, 15), *range(180, 271, 15)))
VIDEOS = ("00", "01")
SHAPE = (len(GRAPHS["oumvlp"].joints), 3)


def read_id_list(path):
    """The subjects for training and for testing -> (dict of split and list of numbers, problems).

    The first row is a header (one of numbers is used and told); the columns may differ in length.
    """
    path, splits, problems = Path(path), {"train": [], "test": []}, []
    if not path.is_file():
        raise GaitError(
            f"{path} does not exist: the list of training and test subjects is on OU-MVLP-Pose's own page "
            f"(Osaka University); put it there as {ID_LIST}."
        )
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise GaitError(f"{path} is no CSV file ({error}): get it again.") from error
    first = [cell for cell in rows[0][: len(splits)] if cell.strip()] if rows else []
    header = 0 if first and all(_is_id(cell) and int(cell) for cell in first) else 1
    if not header:
        problems.append(Problem(f"{path}, line 1", "no header: this line names subjects, and is used", True))
    for line, row in enumerate(rows[header:], start=header + 1):
        for split, cell in zip(splits, row, strict=False):
            cell = cell.strip()
            if _is_id(cell):
                splits[split].append(int(cell))
            elif cell:
                problems.append(Problem(f"{path}, line {line} ({cell[:20]})", "no subject's number", True))
    both = sorted(set(splits["train"]) & set(splits["test"]))
    if both:
        raise GaitError(f"{path} names subject {both[0]} for training and for testing: get it again.")
    if not any(splits.values()):
        raise GaitError(
            f"{path} names no subjects; expected a header, then rows of a number for training and one for "
            "testing."
        )
    return splits, problems


def _is_id(cell):
    cell = cell.strip()
    return cell.isascii() and cell.isdigit()


def list_sequences(root, subjects):
    """The sequences of ``subjects`` (numbers) below ``root``, in the order of their folders, and problems."""
    root, wanted, sequences, problems = str(root), set(subjects), [], []
    for name in folders(root):
        if not (name.isascii() and name.isdigit() and int(name) in wanted):
            continue
        for inner in folders(os.path.join(root, name)):
            path = os.path.join(root, name, inner)
            found = re.fullmatch(r"([0-9]+)_([0-9]+)", inner)
            view, video = (f"{int(found[1]):03d}", f"{int(found[2]):02d}") if found else ("", "")
            if view in VIEWS and video in VIDEOS:
                sequences.append(Sequence(f"{int(name):05d}", "", view, video, path))
            else:
                problems.append(Problem(path, "no folder of a known view and sequence, such as 090_00", True))
    return sequences, problems


def frame_number(name):
    """The number in a frame's name, "0012_keypoints.json" or "00001-clip_pose-0012.json" -> 12; else None."""
    parts = name.split("_")
    if "-" in parts[0]:
        found = re.fullmatch(r"(?:.*-)?([0-9]+)[.]json", parts[-1])
    else:
        found = re.fullmatch("([0-9]+)", parts[0])
    return int(found[1]) if found else None


def read_sequence(folder):
    """The first person of each frame -> (float32 ``(frames, 18, 3)``, numbers ``(frames,)``, problems).

    x and y in pixels, and confidence; frames in the order of their files' names. Frames without people are
    left out, as are files that are damaged or hold anything else.
    """
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith("."))
    poses, numbers, empty, problems = [], [], [], []
    for name in names:
        path, number = os.path.join(folder, name), frame_number(name)
        try:
            if number is None:
                raise GaitError("no frame number in the file's name")
            joints = _first_person(path)
        except GaitError as error:
            problems.append(Problem(path, str(error), True))
            continue
        if joints is None:
            empty.append(path)
        else:
            poses.append(joints)
            numbers.append(number)
    if empty:
        what = "some frames without people" if poses else "no frame with people"
        problems.append(Problem(f"{empty[0]} ({len(empty)} of {len(names)} frames)", what))
    return np.array(poses, np.float32).reshape(-1, *SHAPE), np.array(numbers, int), problems


def _first_person(path):
    """The joints of a frame's walker, float32 ``(18, 3)``; None where nobody is seen.

    Raises GaitError, which says what is wrong but not with which file.
    """
    try:
        people = read_pose_json(path)
    except GaitError as error:
        raise GaitError("damaged, or no JSON frame of OU-MVLP-Pose") from error
    if not people:
        return None
    if people[0].shape != SHAPE:
        raise GaitError(f"{people[0].size} numbers of a person, expected {SHAPE[0] * SHAPE[1]}")
    with np.errstate(over="ignore"):
        joints = people[0].astype(np.float32)
    if not np.isfinite(joints).all():
        raise GaitError("a value that is no finite number")
    return joints


def load_folder(folder):
    """`read_sequence` for the writer, without the frames' numbers."""
    poses, _, problems = read_sequence(folder)
    return poses, problems


def write_oumvlp_sets(dataset_path, output, keypoints, workers=1, shard=(0, 1)):
    """Write the training set and the test set of one of `KEYPOINTS` -> list of `Problem`."""
    subjects, problems = read_id_list(Path(dataset_path, ID_LIST))
    root = Path(dataset_path, keypoints)
    if not root.is_dir():
        there = [name for name in KEYPOINTS if Path(dataset_path, name).is_dir()]
        hint = f"give --keypoints {there[0]}" if there else "expected <subject>/<view>_<sequence>/ in it"
        raise GaitError(f"--dataset_path {dataset_path} has no folder {keypoints}: {hint}.")
    splits = {}
    for split, numbers in subjects.items():
        sequences, strangers = list_sequences(root, numbers)
        problems += strangers
        count = len(set(numbers))
        splits[split] = (count, sequences)
        found = len({sequence.subject for sequence in sequences})
        print(f"OU-MVLP-Pose {split}: {found} of the {count} subjects in {ID_LIST} have sequences")
    if not any(sequences for _, sequences in splits.values()):
        raise GaitError(
            f"{root} holds no sequences of the subjects in {ID_LIST}: expected <subject>/<view>_<sequence>/, "
            f"found {', '.join(folders(root)[:5]) or 'no folders'}."
        )
    return problems + write_pose_sets(
        output,
        splits,
        load_folder,
        layout="oumvlp",
        joints="oumvlp",
        keypoints=keypoints,
        source=read_source(dataset_path, "OU-MVLP"),
        workers=workers,
        shard=shard,
    )
