"""Supervised training with ``model.fit``: runs that go on where they stopped, whatever the way of training.

What differs from system to system is a module of its own (`attengait`, `opengait`, `gaitgraph`, `selfgait`)
with the same functions. What is trained, the learner, may hold the model in something larger.
"""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_gait.checkpoints.loading import PUBLISHED, load_model
from keras_gait.data.label_split import without
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.errors import GaitError
from keras_gait.training import attengait, gaitgraph, opengait, selfgait
from keras_gait.training.checkpointing import STATE_FILE, export, restore_state, save_state
from keras_gait.training.devices import distribute, half_precision_policy
from keras_gait.training.epochs import run_epochs
from keras_gait.training.recipes import model_class
from keras_gait.training.runs import FINAL_MODEL, is_complete, open_run, run_name
from keras_gait.training.settings import METHODS

WAYS = {"attengait": attengait, "opengait": opengait, "gaitgraph": gaitgraph, "selfgait": selfgait}


def way_of(recipe):
    """The module that says how a recipe's system is trained."""
    return WAYS[METHODS[recipe["method"]].way]


def train(recipe):
    """Train what a recipe says -> the run's folder (a list of folders where views are left out).

    Goes on where a stopped run was; returns at once if the run is complete.

    Raises:
        GaitError: no data set, too few usable sequences or subjects, devices missing, or a run folder
            with other settings or another data set.
    """
    data = recipe["data"]
    per_view = way_of(recipe).leaves_out_views(recipe)
    role = "ft" if per_view else "train"
    dataset = open_dataset(
        find_dataset(data["datadir"], role, data["nclasses"], keypoints=data.get("keypoints"))
    )
    if data.get("channels"):
        dataset = dataset.take_channels(data["channels"])
    if data.get("leave_out"):
        dataset = without(dataset, data["leave_out"])
    if not per_view:
        return _train_on(recipe, dataset)
    return [
        _train_on(recipe, dataset.select(dataset.view != view), f"without-view-{view}")
        for view in np.unique(dataset.view)
    ]


def _train_on(recipe, dataset, subfolder=""):
    batches = way_of(recipe).make_batches(recipe, dataset)
    classes = len(dataset.subjects)
    name = run_name(recipe, classes, batches.sampler.batch_size)
    folder = open_run(Path(recipe["train"]["experdir"]) / name / subfolder, recipe, dataset)
    if recipe["train"]["verbose"]:
        print(f"run folder: {folder}")
    if is_complete(folder):
        print(f"{folder / FINAL_MODEL} is there already: nothing to train")
        return folder
    keras.utils.set_random_seed(recipe["train"]["seed"])
    policy = keras.config.dtype_policy()
    if recipe["train"]["mixed_precision"]:
        keras.config.set_dtype_policy(half_precision_policy())
    try:
        with distribute(recipe["train"]["multi_gpu"]):
            _fit(recipe, dataset, batches, classes, folder)
    finally:
        keras.config.set_dtype_policy(policy)
    return folder


def make_model(recipe, dataset, classes):
    """The recipe's model for a data set, with random weights."""
    options = recipe["model"] | way_of(recipe).model_options(recipe, dataset)
    try:
        return model_class(recipe["method"]).for_classes(
            classes, classifier=bool(recipe["losses"].get("cross_weight")), **options
        )
    except ValueError as error:
        raise GaitError(f"the model cannot be built for {dataset.path}: {error}") from error


def label_outputs(learner):
    """What the labels of a batch are for: all outputs but the logits, or what the learner names itself."""
    own = getattr(learner, "label_outputs", None)
    return own or tuple(name for name in learner.output if name != "logits")


def start_weights(model, recipe, batches):
    """What a run starts with that is not random: what the data tells, the weights of ``init_net``."""
    way_of(recipe).prepare(model, batches)
    if recipe["train"]["init_net"]:
        _start_from(model, recipe["train"]["init_net"])


def _start_from(model, path):
    """Take over another model's weights, from its file or its run's folder; a classifier for other classes
    and heads that the other lacks are left as they are, and said so.
    """
    path = _model_file(path)
    source = load_model(path)
    _check_alike(model, source, path)
    ours, theirs = ({w.path: w for w in each.weights} for each in (model, source))
    unlike = []
    for name in [name for name in ours if name in theirs]:
        if theirs[name].shape == ours[name].shape:
            ours[name].assign(ops.convert_to_numpy(theirs[name].value))
        else:
            unlike.append(name)
    if unlike and source.nclasses != model.nclasses:
        print(f"{path}: classifier for {source.nclasses} classes not taken over, training {model.nclasses}")
    elif unlike:
        print(f"{path}: of another size, so not taken over: {', '.join(unlike)}")
    lacking = sorted({name.split("/")[0] for name in ours if name not in theirs})
    if lacking:
        print(f"{path}: has no {', '.join(lacking)}, which start from random weights")


def _model_file(path):
    """The file of weights that ``init_net`` names, of a run's folder the final model."""
    path = Path(path)
    if not path.is_dir():
        return path
    if not is_complete(path):
        raise GaitError(
            f"--init_net {path} is a folder without {FINAL_MODEL}: has the run ended? Go on with it first, "
            "or give one of its model-state files"
        )
    return path / FINAL_MODEL


def _check_alike(model, source, path):
    """`GaitError` where the encoder of ``source``, which is from ``path``, is another."""
    ours, theirs = ({w.path: w for w in each.weights} for each in (model, source))
    needed, offered = ([w.path for w in each.encoder.weights] for each in (model, source))
    unlike = [
        f"{name} {tuple(theirs[name].shape)} instead of {tuple(ours[name].shape)}"
        for name in needed
        if name in theirs and theirs[name].shape != ours[name].shape
    ]
    bins = [tuple(getattr(each, "bins", ())) for each in (source, model)]
    # in another order the weights look alike; published ones do not tell it
    if all(bins) and bins[0] != bins[1] and path.suffix not in PUBLISHED:
        unlike.insert(0, f"bins {bins[0]} instead of {bins[1]}")
    if not (unlike or set(needed) - set(theirs) or set(offered) - set(ours)):
        return
    if type(source) is not type(model):
        raise GaitError(
            f"{path} holds the model {type(source).__name__}, the run trains {type(model).__name__}: "
            "give a file of the same method"
        )
    found = ", ".join(unlike[:3]) or f"{len(offered)} weights instead of {len(needed)}"
    raise GaitError(f"{path} holds a model of another size: {found}. Give the options it was trained with")


def _fit(recipe, dataset, batches, classes, folder):
    train, way, state = recipe["train"], way_of(recipe), folder / STATE_FILE
    steps = way.steps_per_epoch(recipe, batches)
    model = make_model(recipe, batches.dataset, classes)
    if not state.exists():
        start_weights(model, recipe, batches)
    learner = way.make_learner(recipe, model, dataset)
    batches.label_outputs = label_outputs(learner)
    compile_phase = way.make_compiler(recipe, learner, batches.sampler, steps)
    phases = way.phases(recipe)
    compile_phase(phases[0][1])
    learner.optimizer.build(learner.trainable_variables)
    done = restore_state(learner, state) if state.exists() else 0
    for last, cross_weight in phases:
        if done < last:
            compile_phase(cross_weight)
            own = way.make_callbacks(recipe, learner, dataset, folder, done)
            run_epochs(learner, batches, done, last, steps, folder, train, own)
            save_state(learner, state, last)
            done = last
    way.finish(recipe, learner, batches, done * steps)
    export(learner, folder / "model-final.hdf5", folder / FINAL_MODEL)
