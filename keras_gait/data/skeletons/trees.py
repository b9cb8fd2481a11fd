"""The published trees of skeleton sequences: BIWI, IAS, KGBD, KS20, KinectReID, CASIA-B; own ones alike.

Datasets/BIWI/6/BIWI_train_npy_data/         length 6; `keras_gait.data.skeletons.parts` has the files
Datasets/BIWI/6/BIWI_test_npy_data/
Datasets/KS20/6/view_2/KS20_train_npy_data/  where there is a tree for each view
"""

import re
from dataclasses import dataclass, field

from keras_gait.data.layouts import check_folder, folders
from keras_gait.data.provenance import read_source
from keras_gait.data.skeletons.parts import note_strangers, read_part
from keras_gait.data.skeletons.sets import write_skeleton_sets
from keras_gait.errors import GaitError


@dataclass(frozen=True)
class Tree:
    """How one data set lies on disk.

    Attributes:
        joints: of a skeleton; 0: as many as the files have. layout: its name in our data sets.
        files: what it is called in the names of its files and inner folders.
        folders: names that its own folder may have.
        views: numbers of the folders ``view_<v>``; None: any. degrees: of one step of that number, if known.
        needs_view: whether there is nothing without a view.
        tests: condition -> (folder in the test folder, name in its files); empty: as the files are called.
    """

    joints: int
    layout: str
    files: str
    folders: tuple
    views: tuple | None = ()
    degrees: int = 0
    needs_view: bool = False
    tests: dict = field(default_factory=dict)

    def view_label(self, view):
        """The view in the index: the angle where it is known, else the number."""
        return f"{int(view) * self.degrees:03d}" if self.degrees and view else view or ""

    def inner(self, split):
        return f"{self.files}_{split}_npy_data"


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


def published_name(name):
    """A published data set's name as it is published, "biwi" -> "BIWI"; any other as it is."""
    return {key.lower(): key for key in TREES}.get(name.lower(), name)


def tree_of(name):
    """The published tree of that name, or one of the user's own recordings."""
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise GaitError(f"--dataset {name!r} is no name of letters, digits, _ and -, such as BIWI.")
    return TREES.get(name) or _kinect(name, 0, views=None, tests={})


def write_published_sets(input_path, name, length, output, view=None, workers=1, shard=(0, 1)):
    """Write the training set and the test set of the tree of data set ``name`` -> list of `Problem`.

    Args:
        input_path: folder of ``Datasets``, or that folder, or one further in.
        name: a key of `TREES`, or the name of an own tree. length: frames of a sequence.
        view: number of the view as text, or None. The training sequences of such a tree are of views that
            it does not tell, so theirs is empty.
    """
    name = published_name(name)
    tree = tree_of(name)
    folder = find_folder(input_path, name, length, view)
    train, problems = read_part(folder / tree.inner("train"), "", tree.files, tree.joints, length)
    problems += note_strangers(folder / tree.inner("train"), "", [tree.files], length)
    tests, places = [], {}
    for condition, (inner, tag) in (tree.tests or _own_tests(folder, tree, length)).items():
        place = folder / tree.inner("test") / inner
        part, found = read_part(place, "t_", tag, train.joints, length)
        tests.append(part.of(condition, tree.view_label(view)))
        problems += found
        places.setdefault(place, []).append(tag)
    places.setdefault(folder / tree.inner("test"), []).append(tree.files)
    for place, tags in places.items():
        problems += note_strangers(place, "t_", tags, length)
    return problems + write_skeleton_sets(
        output,
        name,
        length,
        {"train": [train], "test": tests},
        layout=tree.layout,
        source=_source(folder, 4 + bool(view)) or name,
        view=view,
        workers=workers,
        shard=shard,
    )


def _own_tests(folder, tree, length):
    """The test sets of an own tree by its files' names: one called as the data set, or ``<name>-A`` etc."""
    pattern = re.compile(rf"t_source_x_({re.escape(tree.files)}(?:-([A-Za-z0-9]+))?)_{length}[.]npy")
    names = sorted(path.name for path in (folder / tree.inner("test")).iterdir())
    found = [match for match in map(pattern.fullmatch, names) if match]
    return {match[2] or "": ("", match[1]) for match in found} or {"": ("", tree.files)}


def _source(folder, levels):
    """What the tree's note says, in whichever of its ``levels`` folders it lies; None without one."""
    folder = folder.absolute()
    notes = map(read_source, [folder, *folder.parents][:levels])
    return next(filter(None, notes), None)


def find_folder(input_path, name, length, view=None):
    """The folder that holds the training and the test folder, however far in ``input_path`` is.

    Raises GaitError, which names what there is, where the data set, the length or the view is not.
    """
    tree, root = tree_of(name), check_folder(input_path, "--input_path")
    if view and not (view.isdecimal() if tree.views is None else view in tree.views):
        hints = {None: "a view is a number", (): "leave --view out"}
        hint = hints.get(tree.views) or f"its views are {', '.join(tree.views)}"
        raise GaitError(f"--view {view}: {name} has no such view; {hint}.")
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
    return all((folder / tree.inner(split)).is_dir() for split in ("train", "test"))


def _is_of_view(folder, view):
    found = re.fullmatch("view_([0-9]+)", folder.absolute().name)
    return found[1] == view if found else not view


def _what_is_there(root, name, length, view):
    """Why `find_folder` found nothing."""
    tree = tree_of(name)
    inside = root / "Datasets" if (root / "Datasets").is_dir() else root
    homes = [inside / own for own in tree.folders if (inside / own).is_dir()]
    if homes or _lengths(root):
        return _what_is_of_it((homes or [root])[0], tree, length, view)
    sets = [own for own in folders(inside) if _lengths(inside / own)]
    if sets:
        known = {own: key for key, other in TREES.items() for own in other.folders}
        there = " or ".join(known.get(own, own) for own in sets)
        return f"{inside} has no folder {tree.folders[0]}: give --dataset {there}."
    return (
        f"--input_path {root} holds no tree of {name}: expected Datasets/{tree.folders[0]}/{length}/"
        f"{tree.inner('train')}, found {_some(folders(root))}."
    )


def _what_is_of_it(home, tree, length, view):
    """What is there of the data set whose own folder is ``home``."""
    here, lengths = home / str(length), _lengths(home)
    if not here.is_dir():
        hint = f"give --length {' or '.join(lengths)}" if lengths else f"found {_some(folders(home))}"
        return f"{home} has no sequences of {length} frames: {hint}."
    views = [folder.removeprefix("view_") for folder in folders(here) if folder.startswith("view_")]
    if view and view not in views:
        hint = f"give --view {' or '.join(views)}" if views else "leave --view out"
        return f"{here} has no folder view_{view}: {hint}."
    if views and not view:
        return f"{here} has no sequences of all views in one: give --view {' or '.join(views)}."
    place = here / f"view_{view}" if view else here
    return (
        f"{place} lacks one of the folders {tree.inner('train')} and {tree.inner('test')}: found "
        f"{_some(folders(place))}."
    )


def _lengths(home):
    """Names of the folders of the lengths in a data set's own folder."""
    return sorted((folder for folder in folders(home) if folder.isdecimal()), key=int)


def _some(names):
    return ", ".join(names[:5]) or "no folders"
