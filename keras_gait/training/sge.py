"""SGE's order of training: encoders, one for each task and axis; features on disk; recognition; one model."""

import copy
from pathlib import Path

import numpy as np

from keras_gait.checkpoints import load_model
from keras_gait.errors import GaitError
from keras_gait.models.sge import AXES, SGE
from keras_gait.training import sge_data
from keras_gait.training.checkpointing import export
from keras_gait.training.recognition import features_of, train_recognition
from keras_gait.training.runs import FEATURES, FINAL_MODEL, is_complete, open_run, sge_name
from keras_gait.training.sge_encoder import SCHEDULES, train_encoder

# What encoders do not hang on: recognition may be tried out with trained ones.
FREE_OF_ENCODERS = ("recognition.", "model.manner", "model.features", "model.hidden")


def train(recipe):
    """Train what a recipe says -> the run's folder.

    Its subfolders are those of the encoders ("rev_rec-x") and of the recognition network ("recognition"),
    each with its own state and ``history.csv``. Goes on where a stopped run was; returns at once if the run
    is complete. Features, which `SGE` gives again at any time, are removed in the end.

    Raises:
        GaitError: no such data set, too few windows or people, other encoders than needed, devices missing,
            or a folder with other settings or another data set.
    """
    _check(recipe)
    dataset = sge_data.training_set(recipe)
    recipe = _resolved(recipe, dataset)
    model = make_model(recipe, dataset)
    judged = sge_data.test_set(recipe, dataset) if _chooses_by_test(recipe) else None
    folder = open_run(run_folder(recipe), recipe, dataset)
    if recipe["train"]["verbose"]:
        print(f"run folder: {folder}")
    if is_complete(folder):
        print(f"{folder / FINAL_MODEL} is there already: nothing to train")
        return folder
    training, validation = sge_data.divided(recipe, dataset)
    for task, axis, path in _encoders(recipe, model, dataset, training, validation, folder):
        _take(model, task, axis, path)
    chosen = {"final": None}
    if model.nclasses:
        chosen = _recognition(
            recipe, model, dataset, training, validation if judged is None else judged, folder
        )
    for file in (folder / "recognition").glob(FEATURES.replace("training", "*")):
        file.unlink()  # before the run is complete, for then nothing is done again
    for name, weights in sorted(chosen.items(), key=lambda item: item[0] == "final"):
        if weights is not None:
            model.get_layer("hidden").set_weights(weights[:2])
            model.get_layer("logits").set_weights(weights[2:])
        file = folder / f"model-{name}.keras"
        export(model, *[file.with_suffix(".hdf5")] * (name == "final"), file)
    return folder


def _check(recipe):
    train, name = recipe["train"], recipe["schedule"]["name"]
    if train["stage"] == 2:
        raise GaitError("--train_flag 2 evaluates a trained model: run mains/test.py on the run's folder")
    if name not in SCHEDULES:
        raise GaitError(f"unknown schedule {name!r} (schedule.name). Known: {', '.join(SCHEDULES)}")
    if train["mixed_precision"]:
        raise GaitError(
            "SGE trains in single precision, for its losses are sums beyond the range of half precision: "
            "leave --mixed_precision out"
        )


def _resolved(recipe, dataset):
    """The recipe with what it leaves to the data set."""
    recipe = copy.deepcopy(recipe)
    recipe["data"] |= sge_data.described(dataset)
    if recipe["losses"]["temperature"] is None:
        recipe["losses"]["temperature"] = sge_data.temperature_for(recipe["data"]["dataset"])
    return recipe


def _chooses_by_test(recipe):
    return recipe["train"]["selection"] == "published" and recipe["recognition"]["epochs"]


def run_folder(recipe, **changes):
    """The folder of a resolved recipe's run, or of one with other values for keys of its sections."""
    recipe = {name: recipe[name] | changes.get(name, {}) for name in ("model", "data", "train", "losses")}
    return Path(recipe["train"]["experdir"]) / sge_name(recipe)


def make_model(recipe, dataset):
    """The recipe's `SGE` for a data set, with random weights."""
    people = [str(name) for name in dataset.subjects] if recipe["recognition"]["epochs"] else []
    try:
        return SGE(
            nclasses=len(people),
            subjects=people or None,
            frames=recipe["data"]["length"],
            joints=dataset.frame_shape[0],
            **recipe["model"],
        )
    except ValueError as error:
        raise GaitError(f"the model cannot be built for {dataset.path}: {error}") from error


def _encoders(recipe, model, dataset, training, validation, folder):
    """``(task, axis, model file)`` of every encoder the model needs; those of this run are trained first."""
    names = [(task, axis, f"{task}-{AXES[axis]}") for task in model.tasks for axis in range(len(AXES))]
    if recipe["train"]["transfer"]:
        source = _transferred(recipe, [name for *_, name in names])
        return [(task, axis, source / name / FINAL_MODEL) for task, axis, name in names]
    source = folder
    if not recipe["train"]["stage"]:
        source = _trained(recipe, folder, [name for *_, name in names])
    learnt, apart = dataset.select(training), None if validation is None else dataset.select(validation)
    compiled = {}
    for task, axis, name in names:
        own = open_run(source / name, recipe, dataset, FREE_OF_ENCODERS)
        if not is_complete(own):
            train_encoder(recipe, model.axis_options(task), task, axis, learnt, apart, own, compiled)
    return [(task, axis, source / name / FINAL_MODEL) for task, axis, name in names]


def _trained(recipe, folder, names):
    """The folder with these encoders: this run's, or the one of the other manner."""
    other = run_folder(recipe, model={"manner": {"ap": "sc", "sc": "ap"}[recipe["model"]["manner"]]})
    for source in (folder, other):
        if all(is_complete(source / name) for name in names):
            return source
    missing = next(name for name in names if not is_complete(folder / name))
    raise GaitError(
        f"{folder} has no trained encoder {missing}, nor has {other.name}: train encoders first, by "
        "--train_flag 1, or take another run's by --transfer"
    )


def _transferred(recipe, names):
    """The run folder that ``train.transfer`` names, with encoders of these names."""
    word = recipe["train"]["transfer"]
    changes = {
        "data": {"dataset": word, "view": None},
        "train": {"transfer": None},
        "losses": {"temperature": sge_data.temperature_for(word)},
    }
    by_name = run_folder(recipe, **changes)
    folder = Path(word) if Path(word).is_dir() else by_name
    missing = [name for name in names if not is_complete(folder / name)]
    if not folder.is_dir():
        raise GaitError(
            f"--transfer {word}: neither is there a run folder of that name, nor {by_name}, where a run on "
            "that data set with these settings would lie. Train its encoders first, or give a run's folder"
        )
    if missing:
        raise GaitError(
            f"{folder} has no trained encoder {missing[0]}: finish that run first, or give one that was "
            f"trained with --model {recipe['model']['pretext']} by --transfer"
        )
    return folder


def _take(model, task, axis, path):
    """Take an encoder's weights over from its file."""
    source = load_model(path)
    try:
        model.take_axis(task, axis, source)
    except ValueError as error:
        raise GaitError(
            f"{path} does not fit: {error}. Give data of the length and the joints that it was trained on "
            "(--length), and the same model options"
        ) from error


def _recognition(recipe, model, dataset, training, judged, folder):
    """Features of the chosen windows, then the recognition network on them -> see `train_recognition`."""
    own, verbose = open_run(folder / "recognition", recipe, dataset), recipe["train"]["verbose"]
    chosen = dataset.select(training)
    learnt = features_of(model, chosen, dataset.labels[training], own / FEATURES, verbose)
    if judged is None:
        return train_recognition(recipe, model.nclasses, learnt, None, own)
    if isinstance(judged, np.ndarray):
        chosen, labels, name = dataset.select(judged), dataset.labels[judged], "validation"
    else:
        (chosen, labels), name = judged, "test"
    asked = features_of(model, chosen, labels, own / FEATURES.replace("training", name), verbose)
    return train_recognition(recipe, model.nclasses, learnt, asked, own)
