"""From OpenGait's trees of pickles to our data sets: listed as published, read with care, joined."""

import hashlib
import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gait.data.layouts import folders
from keras_gait.data.opengait.layouts import GREW_PROBES, Partition, find_partition
from keras_gait.data.opengait.pickles import read_array_pickle
from keras_gait.data.opengait.rates import LEFT_OUT, check_division, divide_by_rate
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import read_source
from keras_gait.data.unpickle import RefusedPickle
from keras_gait.data.writer import write_dataset
from keras_gait.errors import GaitError

CHANNELS = {
    "heatmap": ("limb", "joint"),
    "silhouette": ("silhouette",),
    "joined": ("limb", "joint", "silhouette"),
}
_LOOKED_AT = 8  # sequences from which the set's kind and frame size are told


class Listed(NamedTuple):
    """One sequence of a tree: the names of its folders, and its files in the order they are loaded."""

    subject: str
    kind: str
    view: str
    folder: str
    files: tuple


def list_sequences(root, ids, data_in_use=None, name=""):
    """The sequences of ``ids`` in OpenGait's order: ids as given, then types, views and files sorted.

    Args:
        root: folder of ``<id>/<type>/<view>/*.pkl``.
        ids: those that are no folders are left out, as are views without files.
        data_in_use: which files of a sequence. Booleans keep or drop them place by place, the files
            beyond the list are dropped; numbers pick them in this order. None: all.
        name: of the data set; with "d-gait" in it the types are told apart by subject.

    Raises GaitError where a folder lies where files are expected.
    """
    root, there, listed = str(root), set(folders(root)), []
    for subject in (name for name in ids if name in there):
        for kind in folders(os.path.join(root, subject)):
            for view in folders(os.path.join(root, subject, kind)):
                folder = os.path.join(root, subject, kind, view)
                files = _pickle_names(folder)
                if files:
                    told = f"{subject}-{kind}" if "d-gait" in name else kind
                    listed.append(Listed(subject, told, view, folder, _in_use(files, data_in_use)))
    return listed


def published_labels(listed, name="", self_supervised=False):
    """OpenGait's label of each sequence; ``name`` of the data set in training, empty in testing.

    A class is the place of the label in ``sorted(set(labels))``, sorted as text.
    """
    parts = [(entry.subject, entry.kind, entry.view) if self_supervised else entry[:1] for entry in listed]
    return ["-".join([name, *part] if name else part) for part in parts]


def _pickle_names(folder):
    entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    for entry in entries:
        if entry.is_dir():
            raise GaitError(
                f"{entry.path} is a folder where .pkl files are expected: name the folder that holds the "
                "ids, <id>/<type>/<view>/<name>.pkl."
            )
    return tuple(sorted(entry.name for entry in entries if entry.name.endswith(".pkl")))


def _in_use(files, data_in_use):
    if data_in_use is None:
        return files
    if all(isinstance(use, bool) for use in data_in_use):
        return tuple(file for file, use in zip(files, data_in_use, strict=False) if use)
    return tuple(files[place] for place in data_in_use if place < len(files))


def _frame_files(files, layout, data_in_use):
    """Of several files the maps and aligned silhouettes, by their names; with a choice, the chosen."""
    if len(files) <= 1 or data_in_use is not None:
        return files
    known = ("heatmap.pkl", "_sil.pkl", layout.silhouettes)
    return tuple(name for name in files if name.endswith(known) and "sync" not in name)


def read_frames(path):
    """Maps [T, 2, H, W] or silhouettes [T, H, W] of a pickle -> uint8 ``(T, H, W, 2)`` or ``(T, H, W, 1)``.

    Raises GaitError where the pickle holds anything else.
    """
    array = read_array_pickle(path)
    if array.dtype == np.uint8 and array.ndim == 3:
        return array[..., None]
    if array.dtype == np.uint8 and array.ndim == 4 and array.shape[1] == 2:
        return array.transpose(0, 2, 3, 1)
    raise GaitError(
        f"{path}: {array.dtype} array of {array.ndim} dimensions, expected uint8 maps [T, 2, H, W] or "
        "silhouettes [T, H, W]"
    )


def join_frames(maps, silhouettes):
    """Maps and silhouettes of one sequence as SkeletonGait++ takes them: limb, joint, silhouette.

    ``(T, H, W, 2)``, ``(T, H, w, 1)`` -> ``(T, H, w, 3)``. Square maps beside silhouettes that are not
    are cut by (H - w) // 2 columns a side (published). Raises ValueError where the sizes differ still.
    """
    height, width = silhouettes.shape[1:3]
    if height != width and maps.shape[1] == maps.shape[2]:
        cut = (height - width) // 2
        maps = maps[:, :, cut : maps.shape[2] - cut]
    return np.concatenate([maps, silhouettes], axis=-1)


class _UnusableError(Exception):
    """A sequence that cannot be used; carries its `Problem`."""

    def __init__(self, place, what):
        super().__init__(Problem(str(place), what, mendable=True))


def load_sequence(modality, frame_shape, layout, data_in_use, folder):
    """The frames of one folder for the writer -> ``(uint8 (T, *frame_shape), problems)``."""
    files = _frame_files(_in_use(_pickle_names(folder), data_in_use), layout, data_in_use)
    try:
        frames = _frames_of(folder, files, modality)
        if frames.shape[1:] != frame_shape:
            expected = "x".join(map(str, frame_shape[:2]))
            raise _UnusableError(f"{folder} ({_size(frames)})", f"frames of another size than {expected}")
    except _UnusableError as unusable:
        return np.zeros((0, *frame_shape), np.uint8), list(unusable.args)
    return frames, []


def _frames_of(folder, files, modality):
    """The frames of the set's modality from the ``files`` of a folder; raises `_UnusableError`."""
    found = {}
    for name in files:
        path = os.path.join(folder, name)
        try:
            frames = read_frames(path)
        except RefusedPickle:
            raise
        except GaitError as error:
            raise _UnusableError(path, str(error).removeprefix(f"{path}: ")) from error
        found["heatmap" if frames.shape[-1] == 2 else "silhouette"] = frames
    wanted = ("heatmap", "silhouette") if modality == "joined" else (modality,)
    missing = [kind for kind in wanted if kind not in found]
    if missing or len(files) != len(wanted):
        held = " and ".join(sorted(found)) or "no file that is known"
        raise _UnusableError(
            folder, f"{held} without {missing[0]}" if missing else f"{len(files)} files in use"
        )
    if modality != "joined":
        return found[modality]
    maps, silhouettes = found["heatmap"], found["silhouette"]
    if len(maps) != len(silhouettes):
        place = f"{folder} ({len(maps)} maps, {len(silhouettes)} silhouettes)"
        raise _UnusableError(place, "maps and silhouettes differ in number")
    try:
        return join_frames(maps, silhouettes)
    except ValueError as error:
        place = f"{folder} ({_size(maps)}, {_size(silhouettes)})"
        raise _UnusableError(place, "maps and silhouettes differ in size") from error


def _size(frames):
    return f"{frames.shape[1]}x{frames.shape[2]}"


def _kind_of_set(listed, layout, data_in_use):
    """Modality and frame shape of the set, from the files' names and a look at the first sequences."""
    files = [_frame_files(entry.files, layout, data_in_use) for entry in listed]
    counts = Counter(len(names) for names in files)
    if not counts.keys() & {1, 2}:
        raise GaitError(
            f"{listed[0].folder} holds {', '.join(listed[0].files)}: which of them are maps (heatmap.pkl) or "
            f"silhouettes (_sil.pkl, {layout.silhouettes}) is not told by the names; give --data_in_use."
        )
    seen = Counter()
    for entry, names in list(zip(listed, files, strict=True))[:_LOOKED_AT]:
        for modality in ["joined"] if counts[2] >= counts[1] else ["heatmap", "silhouette"]:
            try:
                seen[modality, _frames_of(entry.folder, names, modality).shape[1:]] += 1
            except _UnusableError as unusable:
                last = unusable.args[0]
    if not seen:
        raise GaitError(f"{last.place}: {last.what}; none of the first sequences can be read.")
    return seen.most_common(1)[0][0]


def write_opengait_sets(
    root, output, layout, partition=None, data_in_use=None, encoding="raw", workers=1, shard=(0, 1), rate=None
):
    """Write the training set and the test set (gallery and probes) of a tree of pickles.

    Args:
        root: folder of ``<id>/<type>/<view>/*.pkl``: maps, silhouettes, or one of each.
        output: the data sets become folders in here.
        layout: the `keras_gait.data.opengait.layouts.Layout`.
        partition: path of the partition file; None where the published partition is a rule.
        data_in_use, encoding, workers, shard: as `list_sequences` and `write_dataset` take them.
        rate: a `keras_gait.data.opengait.rates.Rate` in place of a partition, or None.

    Returns the list of `Problem` of both sets. Raises GaitError where no set can be made at all.
    """
    if rate is None:
        (named, listed), told = _divide(root, layout, partition, data_in_use), {}
    else:
        named, listed, told = _divide_by_rate(root, layout, rate, data_in_use)
    modality, frame_shape = _kind_of_set(listed["train"] + listed["test"], layout, data_in_use)
    problems = []
    for role, entries in listed.items():
        count = len({entry.subject for entry in entries} - {GREW_PROBES})
        wanted = len(set(getattr(named, role)) - {GREW_PROBES})
        print(
            f"{layout.title} {role}: {count} subject(s) have sequences, the partition names {wanted}, "
            f"the published one {getattr(layout, role)}"
        )
        if not entries:
            continue
        stem = f"tfimdb_{layout.key.replace('-', '')}_N{count:03d}_{role}_{modality}"
        about = {"layout": layout.key, "files": _digest(root, entries)} | told
        problems += write_dataset(
            Path(output, f"{stem}_{frame_shape[0]}x{frame_shape[1]}"),
            [layout.sequence(entry.subject, entry.kind, entry.view, entry.folder) for entry in entries],
            partial(load_sequence, modality, frame_shape, layout, data_in_use),
            modality=modality,
            source=read_source(root, layout.title),
            split=role,
            frame_shape=frame_shape,
            encoding=encoding,
            channels=CHANNELS[modality],
            about=about | ({"probe_set": list(named.probes)} if role == "test" and named.probes else {}),
            workers=workers,
            shard=shard,
        )
    return problems


def _divide(root, layout, partition, data_in_use):
    """The `Partition`, and the sequences of each of its roles, ``{"train": [...], "test": [...]}``."""
    ids = folders(root)
    named = find_partition(partition, layout, ids)
    listed = {role: list_sequences(root, getattr(named, role), data_in_use) for role in ("train", "test")}
    if not any(listed.values()):
        raise GaitError(_nothing_found(root, named, ids))
    tests = {f"{entry.subject}-{entry.kind}-{entry.view}" for entry in listed["test"]}
    if tests and named.probes and not tests & set(named.probes):
        raise GaitError(
            f"--dataset_partition {partition}: none of its PROBE_SET, such as {named.probes[0]}, is a test "
            f"sequence of {root}."
        )
    return named, listed


def _divide_by_rate(root, layout, rate, data_in_use):
    """As `_divide`, and what ``dataset.json`` is to tell of it."""
    check_division(rate, layout)
    ids = [name for name in folders(root) if name.isdecimal()]
    left_out = sorted(set(LEFT_OUT[layout.key]) & set(ids))
    if left_out:
        print(f"{layout.title}: subject {', '.join(left_out)} is left out, as published")
    ids = [name for name in ids if name not in left_out]
    listed = list_sequences(root, ids, data_in_use)
    if not listed:
        raise GaitError(_nothing_found(root, Partition(tuple(ids), ()), folders(root)))
    return divide_by_rate(listed, rate)


def _nothing_found(root, named, ids):
    wanted = named.train + named.test
    expected = f"{root} holds no sequences of the partition: expected <id>/<type>/<view>/<name>.pkl"
    if set(ids) & set(wanted):
        return f"{expected}; the ids are there, but no .pkl files in folders at that level."
    better = [name for name in ids if list_sequences(Path(root, name), wanted)]
    remedy = f" Name the folder {Path(root, better[0])} itself." if better else ""
    examples = ", ".join(wanted[:3]) or "the published ones"
    found = ", ".join(ids[:5]) or "no folders"
    return f"{expected} with ids such as {examples}, found {found}.{remedy}"


def _digest(root, listed):
    """Hex digest of the files and their times of change, so that a set of other files is not gone on with."""
    digest, above = hashlib.sha256(), len(os.path.join(root, ""))
    for entry in listed:
        for path in (os.path.join(entry.folder, name) for name in entry.files):
            try:
                changed = os.stat(path).st_mtime_ns
            except FileNotFoundError:  # a link to what is gone costs only its sequence
                changed = None
            digest.update(repr((path[above:], changed)).encode())
    return digest.hexdigest()
