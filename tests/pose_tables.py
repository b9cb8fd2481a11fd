"""Small tables and trees of poses in the published layouts, told by the tests how they are damaged."""

import json
from pathlib import Path

from keras_gait.data.poses.casiab import COLUMNS, FILE

HEADER = ",".join(COLUMNS)


def row(walk, frame, value=1.0, numbers=51):
    """A row of the table: ``row("001-nm-01-090", 7)``; its numbers count on from ``value``."""
    return f"./{walk}/{frame:06d}.jpg," + ",".join(str(value + 0.25 * place) for place in range(numbers))


def walk_rows(walk, frames=6, value=1.0):
    return [row(walk, frame, value) for frame in range(1, frames + 1)]


def write_table(folder, rows, header=HEADER, end="\n"):
    """``casia-b_pose_coco.csv`` of such rows -> its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = Path(folder, FILE)
    path.write_bytes(("\n".join([header, *rows] if header else rows) + end).encode())
    return path


def casiab_walks(subjects=(1, 2, 75)):
    """Rows of two walks a subject, six frames each; the first number is the subject's."""
    kinds = ("nm-01-090", "bg-02-000")
    return [row for s in subjects for kind in kinds for row in walk_rows(f"{s:03d}-{kind}", value=float(s))]


def frame_text(value=1.0, numbers=54, people=1):
    """A JSON frame; the numbers of its first person count on from ``value``."""
    joints = [[value + person + 0.25 * place for place in range(numbers)] for person in range(people)]
    return json.dumps({"people": [{"pose_keypoints_2d": person} for person in joints]})


def write_frames(root, place, texts):
    """A folder of JSON frames such as ``openpose/00001/090_00``, numbered from 1 -> its path."""
    folder = Path(root, place)
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts, start=1):
        (folder / f"{number:04d}_keypoints.json").write_text(text)
    return folder


def oumvlp_tree(root, subjects=(1, 2), keypoints="openpose"):
    """Both sequences of two views for each subject, six frames each; odd ones train."""
    for subject in subjects:
        for inner in ("000_00", "000_01", "270_00", "270_01"):
            write_frames(root, f"{keypoints}/{subject:05d}/{inner}", [frame_text(float(subject))] * 6)
    odd, even = [s for s in subjects if s % 2], [s for s in subjects if not s % 2]
    lines = [
        ",".join(f"{ids[line]:05d}" if line < len(ids) else "" for ids in (odd, even))
        for line in range(max(len(odd), len(even)))
    ]
    Path(root, "ID_list.csv").write_text("\n".join(["train,test", *lines]) + "\n")
    return root
