"""What SGE trains on: the data set, its windows in the order of time, those held out, the published test."""

from pathlib import Path

import numpy as np

from keras_gait.data.opening import find_dataset, name_word, open_dataset
from keras_gait.data.skeletons.checks import check_windows
from keras_gait.data.skeletons.held_out import held_out
from keras_gait.data.skeletons.sets import in_file_order
from keras_gait.errors import GaitError

COMMAND = "preprocessing/generate_skeleton_dataset.py"
TEMPERATURES = {"kgbd": 0.5, "casiab": 0.15, "casiabmatch": 0.15}  # of the contrast, as published


def temperature_for(name):
    """The published temperature of the contrast for a data set of this name."""
    return TEMPERATURES.get(name_word(name), 0.1)


def training_set(recipe):
    """The windows of the recipe's training set in the order of time.

    Raises:
        GaitError: none such, windows of another length, not so many people, or a single one.
    """
    data = recipe["data"]
    dataset = open_dataset(_find(data["datadir"], "train", data))
    length = check_windows(dataset)
    for key, found in described(dataset).items():
        if data[key] not in (None, found) and name_word(data[key]) != name_word(found):
            raise GaitError(
                f"{dataset.path} has data.{key} {found}, asked for is {data[key]}: give another --{key}, or "
                f"make that set by {COMMAND}"
            )
    people = len(dataset.subjects)
    if data["nclasses"] not in (None, people):
        raise GaitError(
            f"{dataset.path} has {people} people, asked for are {data['nclasses']} (--nclasses): drop it, "
            "or give another data set"
        )
    if recipe["recognition"]["epochs"] and people < 2:
        raise GaitError(
            f"{dataset.path} has {people} person, who cannot be told from another. Give two or more, "
            "or train encoders alone by --recognition.epochs 0"
        )
    if len(dataset) < 2:
        raise GaitError(
            f"{dataset.path} has {len(dataset)} window of {length} frames: two or more are needed"
        )
    return in_file_order(dataset)


def described(dataset):
    """What a data set tells of itself, by the names of the recipe's ``data`` section."""
    view = dataset.info.get("view")
    return {
        "dataset": dataset.info.get("dataset", dataset.name),
        "length": int(dataset.frames[0]),
        "view": None if view in (None, "") else int(view),
    }


def _find(datadir, role, data):
    wanted = {key: data[key] for key in ("dataset", "length", "view")}
    try:
        return find_dataset(datadir, role, data["nclasses"], **wanted)
    except GaitError as error:
        tree = _published_tree(Path(datadir))
        if tree is None and not Path(datadir).is_dir():
            raise
        told = " ".join(f"--{key} {value}" for key, value in wanted.items() if value is not None)
        make = f"{COMMAND} {told}".strip()
        if tree is None:
            raise GaitError(f"{error} Sets of skeletons are made by {make}") from error
        raise GaitError(
            f"{datadir} holds the published .npy files ({tree}), no data set: convert them by {make}, then "
            "give its output by --datadir"
        ) from error


def _published_tree(datadir):
    """The first folder or file of the published layout there, or None."""
    tree = datadir / "Datasets"
    patterns = [(datadir, f"{'*/' * depth}*_npy_data") for depth in range(3)]
    patterns += [(tree, f"{'*/' * depth}*_npy_data") for depth in (2, 3)]
    patterns += [(datadir, "*source_?_*.npy")]
    return next((path for folder, pattern in patterns for path in folder.glob(pattern)), None)


def divided(recipe, dataset):
    """Masks of the windows to learn from and of those held out; the second is None where none are."""
    everything = np.ones(len(dataset), bool)
    if recipe["train"]["selection"] != "held-out":
        return everything, None
    share = recipe["train"]["held_out"]
    if not share:
        raise GaitError(
            "train.held_out 0 holds nothing out to choose by: raise it, or give --train.selection last"
        )
    training, validation = held_out(dataset, share)
    if validation.sum() < 2:
        raise GaitError(
            f"train.held_out {share} of {dataset.path} leaves {validation.sum()} window apart, and two are "
            "compared: raise it, or give --train.selection last"
        )
    return training, validation


def test_set(recipe, dataset):
    """The published test set of the people in ``dataset``, in the order of time -> (data set, labels).

    Raises:
        GaitError: it is not there, or of other people.
    """
    datadir = Path(recipe["data"]["datadir"])
    folder = dataset.path.parent if datadir.resolve() == dataset.path.resolve() else datadir
    test = in_file_order(open_dataset(_find(folder, "test", recipe["data"])))
    if check_windows(test) != recipe["data"]["length"] or test.frame_shape != dataset.frame_shape:
        raise GaitError(
            f"{test.path} has skeletons of another length or other joints than {dataset.path}: make both "
            f"by one run of {COMMAND}"
        )
    known = np.isin(test.subject, dataset.subjects)
    if not known.any():
        raise GaitError(
            f"not one person of {test.path} is in {dataset.path}: give the test set of these people"
        )
    test = test.select(known)
    place = {name: label for label, name in enumerate(dataset.subjects.tolist())}
    return test, np.array([place[name] for name in test.subject.tolist()], np.int32)
