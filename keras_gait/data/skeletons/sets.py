"""Data sets of 3-D skeletons: one record a sequence of ``f`` frames, float32 ``(f, joints, 3)`` in metres.

A sequence's video is its row in the published file, so that the file's order, which is that of time, is
known: `in_file_order`.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gait.data.writer import Sequence, write_dataset

AXES = ("x", "y", "z")


class Part(NamedTuple):
    """Sequences that lie in three arrays of one coordinate each, ``(sequences * f, joints)``.

    Attributes:
        files: paths of the .npy files of x, y and z. joints: their columns.
        rows: dict of subject (text) -> numbers of its sequences in the files.
        condition, view: of all of them; may be empty.
    """

    files: tuple
    joints: int
    rows: dict
    condition: str = ""
    view: str = ""

    def of(self, condition, view):
        """The part with these labels."""
        return self._replace(condition=condition, view=view)


@dataclass(frozen=True, order=True)
class Window:
    """Where one sequence of ``length`` frames lies; a path-like object, the path is the newest file's.

    ``changed``: when that file had last changed, in nanoseconds.
    """

    path: str
    changed: int
    files: tuple
    row: int
    length: int

    def __fspath__(self):
        return self.path

    def __str__(self):
        return f"{self.files[0]}, sequence {self.row}"


@lru_cache(maxsize=16)
def _opened(path, changed):
    """A file's memory map, opened once a process, and anew when it has ``changed``."""
    return np.asarray(np.lib.format.open_memmap(path, mode="r"))  # plain: slicing np.memmap is slow


def load_window(window):
    """The writer's reader -> (float32 ``(length, joints, 3)``, no problems)."""
    start = window.row * window.length
    axes = [_opened(path, window.changed)[start : start + window.length] for path in window.files]
    return np.stack(axes, axis=-1).astype(np.float32), []


def set_name(name, count, split, length, view=None):
    """``tfimdb_biwi_N028_train_skeleton_f6``, and ``_view2`` behind it where there is a view."""
    short = "".join(letter for letter in name.lower() if letter.isalnum())
    return f"tfimdb_{short}_N{count:03d}_{split}_skeleton_f{length}" + (f"_view{view}" if view else "")


def write_skeleton_sets(output, name, length, splits, *, layout, source, view=None, workers=1, shard=(0, 1)):
    """Write a data set for each split; the training subjects' number is in both names.

    Args:
        output: the data sets become folders in here.
        name: of the data set, "BIWI". length: frames of a sequence.
        splits: dict of "train" and "test" -> list of `Part`.
        layout: "biwi", "ias", "kgbd", ... source: where the skeletons are from.
        view: number of the view (text) where the tree has one for each, or None.

    Returns the list of `Problem` of all sets.
    """
    subjects = {subject for part in splits["train"] for subject, rows in part.rows.items() if len(rows)}
    problems = []
    for split, parts in splits.items():
        problems += write_dataset(
            Path(output, set_name(name, len(subjects), split, length, view)),
            [sequence for part in parts for sequence in _sequences(part, length)],
            load_window,
            modality="skeleton",
            source=source,
            split=split,
            frame_shape=(parts[0].joints, len(AXES)),
            dtype="float32",
            channels=AXES,
            about={"layout": layout, "dataset": name, "length": length} | ({"view": view} if view else {}),
            workers=workers,
            shard=shard,
            fewest=length,
            length=length,
        )
    return problems


def _sequences(part, length):
    files = tuple(map(str, part.files))
    changed, newest = max((os.stat(path).st_mtime_ns, path) for path in files)
    return [
        Sequence(
            subject,
            part.condition,
            part.view,
            f"{row:07d}",
            Window(newest, changed, files, row, length),
        )
        for subject, rows in part.rows.items()
        for row in rows.tolist()
    ]


def in_file_order(dataset):
    """The sequences as they follow in the published files, one condition's file after the other's."""
    return dataset.select(np.lexsort((dataset.video, dataset.condition)))
