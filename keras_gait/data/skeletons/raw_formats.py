"""Readers of raw recordings of 3-D skeletons: a file, or a folder with a file a frame -> ``(F, J, 3)``.

Every reader takes the path of a recording and returns float32 in metres and a list of `Problem`; what
cannot be read is a `GaitError`, "<file>, line <n>: <what>".
"""

import os
import re
import zipfile
from typing import NamedTuple

import numpy as np

from keras_gait.data.problems import Problem
from keras_gait.errors import GaitError

KINECT, KINECT_V2 = 20, 25  # joints of the first and of the second sensor
STATE = 5  # where a line of BIWI and IAS tells how the joint was tracked: 0 is not at all


class Format(NamedTuple):
    """How recordings lie on disk.

    Attributes:
        end: how the names of its files end.
        read: path of a recording -> (``(F, J, 3)``, list of `Problem`).
        folders: whether a recording is a folder with a file a frame.
    """

    end: str
    read: callable
    folders: bool = False


def _array(values, path):
    """``(F, J, 3)`` float32, or a `GaitError` for another shape or kind and for what is no finite number."""
    if values.ndim != 3 or values.shape[2] != 3 or values.dtype.kind not in "fiu" or not values.shape[1]:
        raise GaitError(f"{path}: {values.dtype} {values.shape}, expected numbers (frames, joints, 3)")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=(1, 2)))
    if len(wrong):
        raise GaitError(f"{path}, frame {wrong[0]}: a value that is no finite number")
    return values


def _loaded(path):
    """What `numpy.load` makes of a file that may be damaged; pickles are not read."""
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise GaitError(f"{path}: damaged, or no NumPy file of numbers") from error


def read_npy(path):
    """An array ``(F, J, 3)``."""
    values = _loaded(path)
    if not isinstance(values, np.ndarray):
        values.close()
        raise GaitError(f"{path}: an archive: name it .npz")
    return _array(values, path), []


def read_npz(path):
    """The array ``skeletons`` ``(F, J, 3)`` of an archive, as the walk simulator writes."""
    archive = _loaded(path)
    if isinstance(archive, np.ndarray):
        raise GaitError(f"{path}: one array, no archive: name it .npy")
    with archive:
        if "skeletons" not in archive.files:
            found = ", ".join(archive.files) or "nothing"
            raise GaitError(f"{path}: no array 'skeletons', only {found}")
        try:
            values = archive["skeletons"]
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise GaitError(f"{path}: damaged") from error
    return _array(values, path), []


def read_csv(path):
    """A row a frame, x0, y0, z0, x1, ...; a header is skipped. Commas, semicolons or tabs."""
    lines = _lines(path)
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if numbered and _is_header(numbered[0][1]):
        del numbered[0]
    values = _table(numbered, path)
    if len(values) > 1 and values[0, 0] in (0, 1) and (np.diff(values[:, 0]) == 1).all():
        raise GaitError(f"{path}, line {numbered[0][0]}: the first column counts the frames, leave it out")
    if values.shape[1] % 3:
        columns = values.shape[1]
        raise GaitError(f"{path}, line {numbered[0][0]}: {columns} columns, expected x, y, z of each joint")
    return _array(values.reshape(len(values), -1, 3), path), []


def read_biwi(folder):
    """A file a frame, a line for each of 20 joints, columns x, y, z (BIWI, IAS).

    Column 6, where there is one, is how the joint was tracked: frames with a joint of state 0 are left out.
    """
    values = _frame_files(folder, "skel.txt", KINECT)
    if values.shape[2] <= STATE:
        return _array(values[..., :3], folder), []
    tracked, problems = (values[..., STATE] != 0).all(axis=1), []
    if not tracked.all():
        lost = f"{folder} ({np.count_nonzero(~tracked)} of {len(tracked)} frames)"
        problems.append(Problem(lost, "frames with a joint that was not tracked, left out"))
    return _array(values[tracked, :, :3], folder), problems


def read_ks20(folder):
    """The same with the 25 joints of the second sensor; only x, y, z are read."""
    return _array(_frame_files(folder, ".txt", KINECT_V2)[..., :3], folder), []


def _frame_files(folder, end, joints):
    """All columns of a folder's files, in the order of the numbers in their names -> ``(F, J, columns)``.

    A first column that only counts the joints is left out.
    """
    names = sorted((name for name in os.listdir(folder) if _is_data(name, end)), key=_by_number)
    paths = [os.path.join(folder, name) for name in names]
    frames = [_frame_lines(path, joints) for path in paths]
    values = [_table(lines, path) for lines, path in zip(frames, paths, strict=True)]
    width = values[0].shape[1]
    odd = [path for path, each in zip(paths, values, strict=True) if each.shape[1] != width]
    if odd:
        raise GaitError(f"{odd[0]}: another number of columns than {paths[0]}")
    values = np.stack(values)
    counted = values[..., 0] - values[..., :1, 0] == np.arange(joints)
    if counted.all():
        values = values[..., 1:]
    if values.shape[2] < 3:
        raise GaitError(f"{paths[0]}, line 1: {values.shape[2]} columns, expected x, y, z of a joint")
    return values


def read_kgbd(path):
    """20 lines a frame, ``joint;x;y;z``; the joint may be a number or a name (KGBD)."""
    numbered = [(number, line) for number, line in enumerate(_lines(path), start=1) if line.strip()]
    if len(numbered) % KINECT:
        raise GaitError(f"{path}, line {numbered[-1][0]}: the file ends within a frame of {KINECT} lines")
    numbered = [(number, line.partition(";")[2]) for number, line in numbered]
    values = _table(numbered, path, columns=3)
    return _array(values[:, :3].reshape(-1, KINECT, 3), path), []


def _lines(path):
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read().splitlines()
    except UnicodeDecodeError as error:
        raise GaitError(f"{path}: no text file") from error


def _frame_lines(path, joints):
    """The first ``joints`` lines of a frame's file, numbered."""
    lines = [(number, line) for number, line in enumerate(_lines(path), start=1) if line.strip()]
    if len(lines) < joints:
        raise GaitError(f"{path}: {len(lines)} lines, expected one for each of {joints} joints")
    return lines[:joints]


def _numbers(line):
    """The numbers in a line, or None where there is anything else, or a cell without a number."""
    cells = _cells(line)
    return cells if all(isinstance(cell, float) for cell in cells) else None


def _cells(line):
    """The cells of a line, as numbers where they are; the last one may be empty."""
    mark = next((mark for mark in ";,\t" if mark in line), None)
    cells = line.split(mark)
    if mark and not cells[-1].strip():
        del cells[-1]
    if mark == ";":
        cells = [cell.replace(",", ".") for cell in cells]
    return [_number(cell) for cell in cells]


def _number(text):
    try:
        return float(text)
    except ValueError:
        return text


def _is_header(line):
    """Whether a first line names the columns, or only counts them."""
    cells = _cells(line)
    return not any(isinstance(cell, float) for cell in cells) or cells == list(range(len(cells)))


def _table(numbered, path, columns=0):
    """Lines of equally many numbers -> ``(lines, columns)``; a `GaitError` names the line that is not so.

    ``columns``: how many there must be at least; left out: as many as the first line has.
    """
    if not numbered:
        raise GaitError(f"{path}: no frames")
    rows = [_numbers(line) for _, line in numbered]
    wanted = columns or len(rows[0] or ())
    for (number, line), row in zip(numbered, rows, strict=True):
        if row is None:
            raise GaitError(f"{path}, line {number}: {line[:40]!r} is no row of numbers")
        if len(row) < wanted or len(row) > len(rows[0]):
            raise GaitError(f"{path}, line {number}: {len(row)} columns, expected {wanted}")
    return np.array([row[: len(rows[0])] for row in rows])


def _by_number(name):
    """Sorts frame-2 before frame-10."""
    return [int(part) if part.isdecimal() else part for part in re.split("([0-9]+)", name)]


def _is_data(name, end):
    return name.lower().endswith(end) and not name.startswith(".")


FORMATS = {
    "npy": Format(".npy", read_npy),
    "npz": Format(".npz", read_npz),
    "csv": Format(".csv", read_csv),
    "biwi": Format("skel.txt", read_biwi, folders=True),
    "kgbd": Format(".txt", read_kgbd),
    "ks20": Format(".txt", read_ks20, folders=True),
}
