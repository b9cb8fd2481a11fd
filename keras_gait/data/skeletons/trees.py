"""The published trees of skeleton sequences (.npy): BIWI, IAS, KGBD, KS20, KinectReID, CASIA-B.

Datasets/BIWI/6/BIWI_train_npy_data/  source_x_BIWI_6.npy  target_x_BIWI_6.npy  ids_BIWI_6.npy
Datasets/BIWI/6/BIWI_test_npy_data/   t_source_x_BIWI_6.npy ...

An array holds one coordinate, ``(sequences * f, joints)``, a row a frame; the target is the same sequence
backwards, so it is only compared. ``ids_*`` tells the persons: `keras_gait.data.skeletons.ids`.
"""

import re
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_gait.data.layouts import check_folder, folders
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import read_source
from keras_gait.data.skeletons.ids import read_ids, rows_of_persons
from keras_gait.data.skeletons.sets import AXES, Part, write_skeleton_sets
from keras_gait.errors import GaitError

CHUNK = 4096  # sequences that are compared at a time


@dataclass(frozen=True)
class Tree:
    """How one published data set lies on disk.

    Attributes:
        joints: of a skeleton. layout: the name in our data sets.
        files: what the data set is called in the names of its files and inner folders.
        views: numbers of the folders ``view_<v>``. degrees: of one step of that number, 0: none are told.
        needs_view: whether there is nothing without a view.
        tests: condition -> (folder in the test folder, name in its files).
    """

    joints: int
    layout: str
    files: str
    folders: tuple
    views: tuple = ()
    degrees: int = 0
    needs_view: bool = False
    tests: dict = field(default_factory=dict)

    def view_label(self, view):
        """The view in the index: the angle where it is known, else the number."""
        return f"{int(view) * self.degrees:03d}" if self.degrees and view else view or ""


def _kinect(name, joints=20, **more):
    settings = {"tests": {"": ("", name)}} | more
    return Tree(joints, name.lower(), name, (name,), **settings)


def _casiab(layout, *folders, **more):
    return Tree(14, layout, "CASIA_B", folders, **more)


TREES = {
    "BIWI": _kinect("BIWI"),
    "IAS": _kinect("IAS", tests={"A": ("", "IAS-A"), "B": ("", "IAS-B")}),
    "KGBD": _kinect("KGBD"),
    "KS20": _kinect("KS20", 25, views=tuple("01234")),
    "KinectReID": _kinect("KinectReID"),
    # The published documentation calls the folders otherwise than the published code.
    "CASIA_B": _casiab(
        "casia-b-cve",
        "CASIA_B",
        "CASIA",
        views=tuple(map(str, range(11))),
        degrees=18,
        needs_view=True,
        tests={"": ("", "CASIA_B")},
    ),
    "CASIA_B_match": _casiab(
        "casia-b-cme",
        "CASIA_B_match",
        "CASIA_match",
        tests={condition: (condition, "CASIA_B") for condition in ("nm", "bg", "cl")},
    ),
}


def write_published_sets(input_path, name, length, output, view=None, workers=1, shard=(0, 1)):
    """Write the training set and the test set of the tree of data set ``name`` -> list of `Problem`.

    Args:
        input_path: folder of ``Datasets``, or that folder, or one further in. name: a key of `TREES`.
        length: frames of a sequence. view: number of the view as text, or None.
    """
    tree = TREES[name]
    folder = find_folder(input_path, name, length, view)
    train, problems = read_part(folder / f"{tree.files}_train_npy_data", "", tree.files, tree, length)
    tests = []
    for condition, (inner, tag) in tree.tests.items():
        place = folder / f"{tree.files}_test_npy_data" / inner
        part, found = read_part(place, "t_", tag, tree, length)
        tests.append(part._replace(condition=condition, view=tree.view_label(view)))
        problems += found
    return problems + write_skeleton_sets(
        output,
        name,
        length,
        {"train": [train], "test": tests},
        layout=tree.layout,
        source=_source(folder, name),
        view=view,
        workers=workers,
        shard=shard,
    )


def _source(folder, name):
    """What the note in the tree says, in whichever of its folders it lies; else the data set's name."""
    for place in [folder.absolute(), *folder.absolute().parents][:5]:
        source = read_source(place)
        if source:
            return source
    return name


def find_folder(input_path, name, length, view=None):
    """The folder that holds the training and the test folder, however far in ``input_path`` is.

    Raises GaitError, which names what there is, where the data set, the length or the view is not.
    """
    tree, root = TREES[name], check_folder(input_path, "--input_path")
    if view and view not in tree.views:
        views = f"its views are {', '.join(tree.views)}" if tree.views else "leave --view out"
        raise GaitError(f"--view {view}: {name} has no such view; {views}.")
    if tree.needs_view and not view:
        raise GaitError(f"{name} has a folder for each view: give --view, one of {', '.join(tree.views)}.")
    inner = [str(length), *([f"view_{view}"] if view else [])]
    for own in tree.folders:
        parts = ["Datasets", own, *inner]
        for start in range(len(parts) + 1):
            folder = root.joinpath(*parts[start:])
            if _holds_sets(folder, tree) and _is_of_view(folder, view):
                return folder
    raise GaitError(_what_is_there(root, name, length, view))


def _holds_sets(folder, tree):
    return all((folder / f"{tree.files}_{split}_npy_data").is_dir() for split in ("train", "test"))


def _is_of_view(folder, view):
    found = re.fullmatch("view_([0-9]+)", folder.absolute().name)
    return found[1] == view if found else not view


def _what_is_there(root, name, length, view):
    """Why `find_folder` found nothing."""
    tree = TREES[name]
    inside = root / "Datasets" if (root / "Datasets").is_dir() else root
    homes = [inside / own for own in tree.folders if (inside / own).is_dir()] or [root]
    lengths = sorted((folder for folder in folders(homes[0]) if folder.isdecimal()), key=int)
    here = homes[0] / str(length)
    if here.is_dir():
        views = [folder.removeprefix("view_") for folder in folders(here) if folder.startswith("view_")]
        if view and view not in views:
            return f"{here} has no view_{view}; there are {', '.join(views) or 'no views, leave --view out'}."
        if views and not view:
            return f"{here} has no sequences of all views: give --view {' or '.join(views)}."
        place = here / f"view_{view}" if view else here
        missing = ", ".join(f"{tree.files}_{split}_npy_data" for split in ("train", "test"))
        return f"{place} lacks the folder {missing}: found {', '.join(folders(place)[:5]) or 'no folders'}."
    if lengths:
        return f"{homes[0]} has no sequences of {length} frames: give --length {' or '.join(lengths)}."
    sets = [key for key, other in TREES.items() if any((inside / own).is_dir() for own in other.folders)]
    if sets:
        return f"{inside} has no folder {tree.folders[0]}: give --dataset {' or '.join(sets)}."
    return (
        f"--input_path {root} holds no tree of {name}: expected Datasets/{tree.folders[0]}/{length}/"
        f"{tree.files}_train_npy_data, found {', '.join(folders(root)[:5]) or 'no folders'}."
    )


def read_part(folder, prefix, tag, tree, length):
    """The sequences of one folder that are of one tag ("BIWI", "IAS-A") -> (`Part`, list of `Problem`).

    ``prefix`` is what the names of sources and targets begin with: "" or "t_". Raises GaitError where the
    files cannot be used at all.
    """
    sources = [folder / f"{prefix}source_{axis}_{tag}_{length}.npy" for axis in AXES]
    ids = folder / f"ids_{tag}_{length}.npy"
    _check_there(folder, [*sources, ids], tag, length)
    arrays = [open_axis(path, tree.joints, length) for path in sources]
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        told = ", ".join(f"{path.name} {len(array)}" for path, array in zip(sources, arrays, strict=True))
        raise GaitError(
            f"{folder}: the arrays of x, y and z have unequal numbers of rows ({told}); get them again."
        )
    rows, problems = rows_of_persons(read_ids(ids), len(arrays[0]) // length, ids)
    return Part(tuple(sources), rows), problems


def _check_there(folder, wanted, tag, length):
    """`GaitError` where one of the files is missing; it tells the lengths that there are."""
    missing = [path.name for path in wanted if not path.is_file()]
    if not missing:
        return
    found = [
        re.fullmatch(rf"(?:t_)?source_x_{re.escape(tag)}_([0-9]+)[.]npy", path.name)
        for path in folder.glob("*")
    ]
    lengths = sorted({int(match[1]) for match in found if match} - {length})
    hint = (
        f"its files are of length {' and '.join(map(str, lengths))}: give --length"
        if lengths
        else "get them again"
    )
    raise GaitError(f"{folder} lacks {', '.join(missing)}; {hint}.")


def open_axis(path, joints, length):
    """The memory map of one coordinate, ``(sequences * length, joints)``; GaitError where it is not that."""
    try:
        array = np.load(path, mmap_mode="r")
    except (ValueError, EOFError, SyntaxError, OverflowError, TypeError, tokenize.TokenError) as error:
        raise GaitError(f"{path} is damaged or no .npy file of numbers ({error}): get it again.") from error
    if array.dtype.kind not in "fiu":
        raise GaitError(f"{path} holds {array.dtype} where numbers are expected: get it again.")
    if array.ndim != 2 or not array.size or (joints and array.shape[1] != joints):
        raise GaitError(
            f"{path} is {array.shape}; expected (sequences x {length} frames, {joints or 'joints'}): give the "
            "--dataset that it is of."
        )
    if len(array) % length:
        raise GaitError(
            f"{path} has {len(array)} rows, no whole number of sequences of {length} frames: it is cut off or "
            "of another length; get it again."
        )
    return array
