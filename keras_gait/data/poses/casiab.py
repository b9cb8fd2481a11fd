"""CASIA-B's published poses: one CSV file of gigabytes, of which an index says where each sequence lies.

    image_name,nose_x,nose_y,nose_conf,left_eye_x,...,right_ankle_conf
    ./001-bg-01-000/000001.jpg,99.83,50.08,0.81,...

Rows of a sequence follow each other in file order, wherever in the file they are; the number of the frame
is not used (GaitGraph2). One pass over the file notes the runs of rows of each sequence, and a sequence is
read from its runs when it is asked for: memory holds the index only.
"""

import io
import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gait.data.layouts import CASIA_TEST, CASIA_TRAIN
from keras_gait.data.poses.sets import write_pose_sets
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import read_source
from keras_gait.data.writer import Sequence
from keras_gait.errors import GaitError
from keras_gait.vision.joint_graphs import GRAPHS

FILE = "casia-b_pose_coco.csv"
STATUSES = ("nm", "bg", "cl")  # the published codes 0, 1, 2
JOINTS = tuple(joint.replace(" ", "_") for joint in GRAPHS["coco"].joints)
SUBJECTS = CASIA_TRAIN + CASIA_TEST
COLUMNS = ("image_name", *(f"{joint}_{value}" for joint in JOINTS for value in ("x", "y", "conf")))

_CHUNK = 1 << 24  # bytes of one step over the file
_BLOCK = 1 << 15  # rows that are looked at together
_LONGEST_LINE = 1 << 16
_MOST_STRANGE_ROWS = 10_000
_HEAD = 96  # bytes of a row that hold the image's folder
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NEWLINE, _RETURN, _SLASH, _COMMA = b"\n\r/,"


class Walk(NamedTuple):
    """Which sequence a row belongs to; ``status`` is one of `STATUSES`."""

    subject: int
    status: str
    number: int
    view: int

    def __str__(self):
        return f"{self.subject:03d}-{self.status}-{self.number:02d}-{self.view:03d}"


class Run(NamedTuple):
    """Rows that follow each other: first byte, count of bytes, number of the first line (from 1)."""

    start: int
    size: int
    line: int


@dataclass(frozen=True, order=True)
class Rows:
    """Where the rows of one sequence lie; a path-like object, the path is the file's.

    ``changed``: when the file that was indexed had last changed, in nanoseconds.
    """

    path: str
    walk: Walk
    runs: tuple
    changed: int

    def __fspath__(self):
        return self.path

    def __str__(self):
        return f"{self.path}, {self.walk}"


def find_file(data_path):
    """The CSV file that ``--data_path`` means: the file itself, or the folder that holds it."""
    path = Path(data_path)
    if path.is_dir():
        path = path / FILE
    if not path.is_file():
        raise GaitError(
            f"--data_path {data_path}: {path} does not exist; expected the published {FILE} there, or "
            "the table's own path."
        )
    return path


def index_rows(path):
    """One pass over the file -> (list of `Rows` in the order of their first rows, list of `Problem`).

    Raises GaitError where the file has a header of other columns, or is no such table at all.
    """
    runs, problems = {}, []
    with open(path, "rb") as file:
        changed = os.fstat(file.fileno()).st_mtime_ns
        line = _skip_header(file, path, problems)
        for start, data in _whole_lines(file, path):
            line = _add_runs(runs, problems, path, start, data, line)
            if len(problems) > _MOST_STRANGE_ROWS:
                raise GaitError(
                    f"{path}: more than {_MOST_STRANGE_ROWS} rows are of no CASIA-B sequence, such as "
                    f"{problems[-1].place.removeprefix(f'{path}, ')} ({problems[-1].what}); expected the "
                    f"published {FILE}."
                )
    return [Rows(str(path), walk, tuple(found), changed) for walk, found in runs.items()], problems


def _skip_header(file, path, problems):
    """Check the header and go to the row after it -> the number of that row's line."""
    first = file.readline(_LONGEST_LINE)
    mark = len(_BYTE_ORDER_MARK) if first.startswith(_BYTE_ORDER_MARK) else 0
    cells = first[mark:].decode("utf-8", "replace").strip().split(",")
    names = tuple(cell.strip().strip('"').lower() for cell in cells)
    if names == COLUMNS:
        return 2
    if isinstance(_walk_of(first[mark:][:_HEAD].rpartition(b"/")[0]), Walk):
        problems.append(_problem(path, 1, "no header: this line is a row, and is used"))
        file.seek(mark)
        return 1
    expected = f"expected {len(COLUMNS)}: image_name, then x, y, conf of {', '.join(JOINTS)}"
    if not first:
        raise GaitError(f"{path} is empty: copy it again.")
    if len(names) != len(COLUMNS):
        raise GaitError(f"{path}: the header has {len(names)} columns ({', '.join(names)[:60]}), {expected}.")
    place = next(i for i, (name, wanted) in enumerate(zip(names, COLUMNS, strict=True)) if name != wanted)
    raise GaitError(f"{path}: column {place + 1} is {cells[place]!r}, not {COLUMNS[place]!r}; {expected}.")


def _problem(path, line, what):
    return Problem(f"{path}, line {line}", what, mendable=True)


def _whole_lines(file, path):
    """Some MB of whole lines at a time, as ``(first byte, bytes)``."""
    start, rest = file.tell(), b""
    while data := file.read(_CHUNK):
        data = rest + data
        end = data.rfind(b"\n") + 1
        if len(data) - end > _LONGEST_LINE:
            raise GaitError(f"{path} has a row of more than {_LONGEST_LINE} bytes: it is no table of poses.")
        if end:
            yield start, data[:end]
        start, rest = start + end, data[end:]
    if rest:
        yield start, rest


def _add_runs(runs, problems, path, start, data, line):
    """Add the rows of ``data`` to the dict ``runs`` of walks -> the number of the line after them."""
    text = np.frombuffer(data + b"\n" * _HEAD, np.uint8)
    borders = np.concatenate([[0], np.flatnonzero(text[: len(data)] == _NEWLINE) + 1])
    if borders[-1] < len(data):  # the last row of the file, without a newline
        borders = np.append(borders, len(data))
    for block in range(0, len(borders) - 1, _BLOCK):  # rows may be as short as damage makes them
        rows = borders[block : block + _BLOCK + 1]
        heads = _heads(text, rows[:-1])
        changes = np.flatnonzero((heads[1:] != heads[:-1]).any(axis=1)) + 1
        for first, last in itertools.pairwise([0, *changes.tolist(), len(heads)]):
            walk, number = _walk_of(heads[first].tobytes().rstrip(b"\0")), line + block + first
            if isinstance(walk, Walk):
                run = Run(start + int(rows[first]), int(rows[last] - rows[first]), number)
                _append(runs.setdefault(walk, []), run)
            elif walk:
                few = min(last, first + _MOST_STRANGE_ROWS + 1)
                problems += [_problem(path, number + row, walk) for row in range(few - first)]
    return line + len(borders) - 1


def _append(runs, run):
    """Add a run, joined to the last one where that ends at its first byte."""
    if runs and runs[-1].start + runs[-1].size == run.start:
        run = runs[-1]._replace(size=runs[-1].size + run.size)
        runs.pop()
    runs.append(run)


def _heads(text, starts):
    """The first bytes of each row up to its second slash, then zeros: uint8 ``(rows, _HEAD)``."""
    heads = np.lib.stride_tricks.sliding_window_view(text, _HEAD)[starts]
    heads[heads == 0] = _COMMA  # zeros, which broken copies have, are no blank row and no image name
    slashes = np.cumsum(heads == _SLASH, axis=1, dtype=np.uint8)
    newlines = np.cumsum(heads == _NEWLINE, axis=1, dtype=np.uint8)
    heads[(slashes >= 2) | (newlines >= 1) | (heads == _RETURN)] = 0
    return heads


def _walk_of(folder):
    """The `Walk` of ``b"./001-bg-01-000"``; else what is wrong with it, nothing where it is empty."""
    found = re.fullmatch(rb"[^/,]*/(\d+)-([^/,-]*)-(\d+)-(\d+)", folder)
    if not found:
        return "no image name such as ./001-nm-01-090/000001.jpg" if folder.strip() else ""
    subject, status, number, view = (part.decode("utf-8", "replace") for part in found.groups())
    if status not in STATUSES:
        return f"unknown walking status (known: {', '.join(STATUSES)})"
    return Walk(int(subject), status, int(number), int(view))


def load_rows(rows):
    """The poses of a sequence -> (float32 ``(frames, 17, 3)``: x and y in pixels, confidence; problems).

    Raises GaitError where the file has changed since `index_rows`: the rows may lie elsewhere.
    """
    parts, problems = [], []
    with open(rows.path, "rb") as file:
        if os.fstat(file.fileno()).st_mtime_ns != rows.changed:
            raise GaitError(
                f"{rows.path} has changed while it was read: delete what was made from it and run this again."
            )
        for run in rows.runs:
            file.seek(run.start)
            lines = file.read(run.size).split(b"\n")
            numbered = [(run.line + i, line.rstrip(b"\r")) for i, line in enumerate(lines)]
            whole = os.fstat(file.fileno()).st_size > run.start + run.size or not lines[-1]
            parts.append(_numbers(rows.path, [row for row in numbered if row[1]], whole, problems))
    return np.concatenate(parts).reshape(-1, len(JOINTS), 3), problems


def _numbers(path, numbered, whole, problems):
    """The numbers of lines ``(number, bytes)`` -> float32 ``(rows, 51)``; the others become problems.

    ``whole``: whether the last line ends with a newline.
    """
    good = []
    for number, line in numbered:
        columns = line.count(b",") + 1
        if columns == len(COLUMNS) and line.count(b"/", 0, line.index(b",")) == 2:
            good.append((number, line))
        elif columns < len(COLUMNS) and not whole and number == numbered[-1][0]:
            problems.append(_problem(path, number, "the file ends in the middle of a row"))
        elif columns != len(COLUMNS):
            problems.append(_problem(path, number, f"{columns} columns, expected {len(COLUMNS)}"))
        else:
            problems.append(_problem(path, number, "no image name such as ./001-nm-01-090/000001.jpg"))
    if not good:
        return np.zeros((0, len(COLUMNS) - 1), np.float32)
    try:
        table = _parse(b"\n".join(line for _, line in good))
    except ValueError:
        table = np.concatenate([_parse_alone(line) for _, line in good])
    with np.errstate(over="ignore"):
        table = table.astype(np.float32)
    finite = np.isfinite(table).all(axis=1)
    problems += [
        _problem(path, good[row][0], "a value that is no finite number") for row in np.flatnonzero(~finite)
    ]
    return table[finite]


def _parse(text):
    columns = range(1, len(COLUMNS))
    return np.loadtxt(io.BytesIO(text), delimiter=",", usecols=columns, comments=None, quotechar='"', ndmin=2)


def _parse_alone(line):
    """One row ``(1, 51)``; NaN where it does not hold numbers only."""
    try:
        return _parse(line)
    except ValueError:
        return np.full((1, len(COLUMNS) - 1), np.nan)


def casiab_splits(found, train_subjects=CASIA_TRAIN):
    """`Rows` of all subjects -> the dict of splits of `write_pose_sets`, and the problems.

    Ids up to ``train_subjects`` train, those above test. By the published division there are no more than
    124; whoever divides otherwise may have people of their own.
    """
    splits, problems = {"train": [], "test": []}, []
    published = train_subjects == CASIA_TRAIN
    for rows in found:
        walk, line = rows.walk, rows.runs[0].line
        if published and not 1 <= walk.subject <= SUBJECTS:
            what = f"a subject that is not 1 to {SUBJECTS}; own people need --train_subjects"
            problems.append(_problem(rows.path, line, what))
            continue
        sequence = Sequence(
            f"{walk.subject:03d}", walk.status, f"{walk.view:03d}", f"{walk.number:02d}", rows
        )
        splits["train" if walk.subject <= train_subjects else "test"].append(sequence)
    count = CASIA_TEST
    if not published:
        count = len({sequence.subject for sequence in splits["test"]})
    return {"train": (train_subjects, splits["train"]), "test": (count, splits["test"])}, problems


def write_casiab_sets(path, output, train_subjects=CASIA_TRAIN, workers=1, shard=(0, 1)):
    """Write the training set and the test set of the CSV file ``path`` -> list of `Problem`."""
    found, problems = index_rows(path)
    if not found:
        raise GaitError(f"{path} holds no rows of poses below its header: copy it again.")
    splits, strangers = casiab_splits(found, train_subjects)
    source = read_source(path.parent, "CASIA-B")
    return [
        *problems,
        *strangers,
        *write_pose_sets(
            output,
            splits,
            load_rows,
            layout="casia-b",
            joints="coco",
            keypoints="hrnet",
            source=source,
            workers=workers,
            shard=shard,
        ),
    ]
