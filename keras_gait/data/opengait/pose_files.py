"""Poses as the data sets deliver them: OpenGait's pickles, text files (Gait3D, GREW), JSON (OU-MVLP).

All become ``(T, V, 3)``: x and y in pixels and the score, of ``V`` joints (17 of COCO or 18 of OpenPose).
"""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from keras_gait.data.opengait.pickles import read_array_pickle
from keras_gait.data.unpickle import loads
from keras_gait.errors import GaitError
from keras_gait.vision.images import image_names, read_image

SELECTION = "pose_selection_idx.pkl"  # which person to take, by frame
GREW_TEXT = "_2d_pose.txt"  # GREW's folders hold other text files, too
LEADING = 2  # numbers before the 17 joints in a line of text, and in a row of GREW's pickles


class Poses(NamedTuple):
    """One file to make of a sequence.

    Attributes:
        name: its name, "090.pkl".
        joints: ``(T, V, 3)``.
        kept: positions of the T frames in the raw sequence; count: how many frames that had.
    """

    name: str
    joints: np.ndarray
    kept: np.ndarray
    count: int


def read_poses(folder, view, pattern="*.pkl", selection=None, silhouettes=None):
    """The poses of one sequence's folder, whatever they lie there as -> list of `Poses`, by file name.

    Args:
        folder: it holds pickles, or a text or JSON file a frame.
        view: name of the file that text and JSON become.
        pattern: which pickles are poses.
        selection: for JSON frames of several people, the file that says whom to take; in the folder itself
            it is found without. silhouettes: folder of silhouettes that decide where it says nothing.

    Raises:
        GaitError: files of several kinds or none, or any that is damaged or of a wrong shape.
    """
    folder = Path(folder)
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    pickles = [name for name in names if fnmatch(name, pattern) and name != SELECTION]
    texts = [name for name in names if name.endswith(GREW_TEXT)]
    texts = texts or [name for name in names if name.endswith(".txt")]
    jsons = [name for name in names if name.endswith(".json")]
    kinds = [what for what, found in ((".pkl", pickles), (".txt", texts), (".json", jsons)) if found]
    if len(kinds) != 1:
        found = f"{' and '.join(kinds)} files side by side" if kinds else "none"
        raise GaitError(
            f"{folder}: expected one kind of pose files ({pattern}, .txt or .json), found {found}."
        )
    if pickles:
        found = [(name, joints_of(read_array_pickle(folder / name), folder / name)) for name in pickles]
        return [Poses(name, joints, np.arange(len(joints)), len(joints)) for name, joints in found]
    if texts:
        joints = np.stack([read_pose_text(folder / name) for name in texts])
        return [Poses(f"{view}.pkl", joints, np.arange(len(joints)), len(joints))]
    chosen = read_selection(selection or folder / SELECTION)
    images = _images_by_number(silhouettes)
    people = [read_pose_json(folder / name) for name in jsons]
    joints = {
        place: everybody[_person(folder / name, everybody, chosen, images)]
        for place, (name, everybody) in enumerate(zip(jsons, people, strict=True))
        if len(everybody)
    }
    if not joints:
        raise GaitError(f"{folder}: nobody is in any of its {len(jsons)} frames.")
    return [Poses(f"{view}.pkl", _stack(joints.values(), folder), np.array(list(joints)), len(jsons))]


def joints_of(array, place):
    """``(T, V, 3)`` joints, from such an array or from GREW's rows ``(T, 53)``."""
    if array.ndim == 2 and array.shape[1] == LEADING + 51:
        return array[:, LEADING:].reshape(-1, 17, 3)
    if array.ndim != 3 or array.shape[2] != 3:
        raise GaitError(f"{place}: expected poses (frames, joints, 3) or (frames, 53), found {array.shape}.")
    return array


def read_pose_text(path):
    """The joints ``(17, 3)`` of a frame: one line of 53 numbers, of which the first two are dropped."""
    try:
        numbers = [float(number) for number in Path(path).read_text(encoding="utf-8").strip().split(",")]
    except (OSError, ValueError) as error:
        raise GaitError(f"{path} is no line of numbers with commas: {error}.") from error
    if len(numbers) != LEADING + 51:
        raise GaitError(f"{path}: expected 53 numbers (two and 17 joints), found {len(numbers)}.")
    return np.array(numbers[LEADING:]).reshape(17, 3)


def read_pose_json(path):
    """The people of a frame, a list of joints ``(V, 3)``; nobody is an empty list."""
    try:
        people = json.loads(Path(path).read_text(encoding="utf-8"))["people"]
        return [np.array(person["pose_keypoints_2d"], np.float64).reshape(-1, 3) for person in people]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise GaitError(f"{path} is no JSON frame of OU-MVLP's poses: {error!r}.") from error


def read_selection(path):
    """``{frame: person}`` from a ``pose_selection_idx.pkl``; empty where there is none."""
    path = Path(path)
    if not path.is_file():
        return {}
    found = loads(path.read_bytes(), path)
    try:
        return {str(frame): int(person) for frame, person in found.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise GaitError(f"{path}: expected a dict of frame and person, found {found!r:.60}.") from error


def frame_number(name):
    """The frame of a file: the digits before its ending, else the first four digits together, or None."""
    found = re.search(r"(\d+)\.[a-z]+$", name) or re.search(r"(\d{4})", name)
    return found and found[1]


def silhouette_scores(poses, silhouette):
    """How far each pose lies on a silhouette: the sum of the grey values under its joints.

    Args:
        poses: ``(people, V, 3)``. silhouette: ``(H, W)`` uint8.

    Returns:
        ``(people,)`` float64, -inf for a pose with a joint outside.
    """
    x, y = np.trunc(poses[..., 0]), np.trunc(poses[..., 1])
    height, width = silhouette.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    rows, columns = np.where(inside, y, 0).astype(int), np.where(inside, x, 0).astype(int)
    scores = silhouette[rows, columns].sum(axis=-1, dtype=np.float64)
    return np.where(inside.all(axis=-1), scores, -np.inf)


def _images_by_number(folder):
    """``{frame: path}`` of a folder of images, the first of a number; empty where there is no folder."""
    names = image_names(folder) if folder and Path(folder).is_dir() else ()
    numbered = {frame_number(name): Path(folder, name) for name in reversed(names)}
    return {number: path for number, path in numbered.items() if number}


def _person(path, people, selection, silhouettes):
    """Which of the ``people`` of a frame to take: by the selection, the silhouette, or else the first."""
    number = frame_number(path.name)
    if number not in selection and number in silhouettes and len(people) > 1:
        silhouette = read_image(silhouettes[number], cv2.IMREAD_GRAYSCALE)
        if silhouette is not None:
            return int(silhouette_scores(_stack(people, path), silhouette).argmax())
    person = selection.get(number, 0)
    if not 0 <= person < len(people):
        raise GaitError(f"{path} has {len(people)} people, {SELECTION} asks for number {person}, from 0.")
    return person


def _stack(poses, place):
    counts = sorted({len(joints) for joints in poses})
    if len(counts) > 1:
        raise GaitError(f"{place}: poses with {' and '.join(map(str, counts))} joints in one sequence.")
    return np.stack(list(poses))
