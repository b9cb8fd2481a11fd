"""Supervised training on clips: triplet loss and cross-entropy with ``model.fit``."""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_gait.checkpoints import load_model
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.data.pipeline import ClipBatches
from keras_gait.data.sampling import ClipSampling, PKSampler
from keras_gait.errors import GaitError
from keras_gait.losses import BatchAllTriplet, MarginState, PartsCrossentropy
from keras_gait.training import opengait
from keras_gait.training.checkpointing import (
    STATE_FILE,
    History,
    KeepState,
    SaveState,
    export,
    not_finite,
    restore_state,
    save_state,
)
from keras_gait.training.devices import distribute, half_precision_policy
from keras_gait.training.optimizers import DECOUPLED, make_optimizer
from keras_gait.training.recipes import is_opengait, model_class
from keras_gait.training.runs import FINAL_MODEL, is_complete, open_run, run_name
from keras_gait.vision.clips import check_cut, cut_columns

GALLERY_CLASSES = (50,)  # published sets of which one model is tuned for each view that it leaves out


def train(recipe):
    """Train what a recipe says -> the run's folder (a list of folders where views are left out).

    Goes on where a stopped run was; returns at once if the run is complete.

    Raises:
        GaitError: no data set, too few usable sequences or subjects, devices missing, or a run folder
            with other settings or another data set.
    """
    data = recipe["data"]
    per_view = not is_opengait(recipe) and (data["leave_out_views"] or data["nclasses"] in GALLERY_CLASSES)
    role = "ft" if per_view else "train"
    dataset = open_dataset(find_dataset(data["datadir"], role, data["nclasses"]))
    if data.get("channels"):
        dataset = dataset.take_channels(data["channels"])
    if not per_view:
        return _train_on(recipe, dataset)
    return [
        _train_on(recipe, dataset.select(dataset.view != view), f"without-view-{view}")
        for view in np.unique(dataset.view)
    ]


def _train_on(recipe, dataset, subfolder=""):
    batches = make_batches(recipe, dataset)
    classes, batch = len(dataset.subjects), batches.sampler.p * batches.sampler.k
    name = run_name(recipe, classes, batch)
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
            _fit(recipe, batches, classes, folder)
    finally:
        keras.config.set_dtype_policy(policy)
    return folder


def make_batches(recipe, dataset):
    """The recipe's `ClipBatches` over a data set's usable sequences."""
    if is_opengait(recipe):
        return opengait.make_batches(recipe, dataset)
    settings = recipe["sampler"]
    if recipe["data"]["cut"]:
        check_cut(dataset)
    clips = ClipSampling(
        settings["frames"], settings["shuffled"], settings["varying_length"], settings["repeat"]
    )
    classes = len(dataset.subjects) if recipe["losses"]["cross_weight"] else 0
    labels = dataset.labels
    usable = clips.usable(dataset.frames) & ~_left_out(dataset)
    if not usable.any():
        raise GaitError(
            f"no sequence of {dataset.path} has the {clips.frames} frames that a clip needs (the longest has "
            f"{dataset.frames.max(initial=0)}). Lower --sampler.frames or use --repeat_data"
        )
    p, k = _batch_layout(settings)
    sampler = PKSampler(labels[usable], p * max(1, recipe["train"]["multi_gpu"]), k, recipe["train"]["seed"])
    return ClipBatches(
        dataset.select(usable),
        labels[usable],
        classes,
        sampler,
        clips,
        mixing=recipe["augmentation"],
        transform=cut_columns if recipe["data"]["cut"] else None,
    )


def _left_out(dataset):
    """Subject 005 of CASIA-B's 74 training subjects, whose published walks are damaged; its class stays."""
    if len(dataset.subjects) != 74:
        return np.zeros(len(dataset), bool)
    return np.char.lstrip(dataset.subject, "0") == "5"


def _batch_layout(settings):
    if settings["pk"]:
        return settings["p"], settings["k"]
    if settings["batch_size"] % settings["k"] or settings["batch_size"] < 2 * settings["k"]:
        raise GaitError(
            f"--bs {settings['batch_size']} must be a multiple of --k {settings['k']}, two subjects or more; "
            "or give --pk --p --k"
        )
    return settings["batch_size"] // settings["k"], settings["k"]


def make_model(recipe, dataset, classes):
    """The recipe's model for a data set, with random weights."""
    options = dict(recipe["model"])
    if is_opengait(recipe):
        options["frame_shape"] = opengait.frame_shape(dataset)
    else:
        optimizer = recipe["optimizer"]
        options["frame_shape"] = dataset.frame_shape
        options["weight_decay"] = 0.0 if optimizer["name"] in DECOUPLED else optimizer["weight_decay"]
    try:
        return model_class(recipe["method"]).for_classes(
            classes, classifier=bool(recipe["losses"]["cross_weight"]), **options
        )
    except ValueError as error:
        raise GaitError(f"the model cannot be built for {dataset.path}: {error}") from error


def start_weights(model, recipe, batches):
    """What a run starts with that is not random: the mean frame, the weights of ``init_net`` where given."""
    if getattr(model, "subtract_mean", False):
        model.mean_frame.assign(mean_frame(batches.dataset, batches.transform))
    if recipe["train"]["init_net"]:
        _start_from(model, recipe["train"]["init_net"])


def mean_frame(dataset, transform=None):
    """Mean over all frames of a data set, float32 ``(height, width, channels)``, streamed.

    ``transform`` is applied to the frames before, as for training.
    """
    total = np.zeros(dataset.frame_shape, np.float64)
    for i in range(len(dataset)):
        frames = dataset.read(i)
        total += (frames if transform is None else transform(frames)).sum(axis=0, dtype=np.float64)
    return (total / dataset.frames.sum()).astype(np.float32)


def _start_from(model, path):
    """Take over another model's weights; a classifier for other classes is left as it is, and said so."""
    source = load_model(path)
    ours, theirs = ({w.path: w for w in each.weights} for each in (model, source))
    needed, offered = ([w.path for w in each.encoder.weights] for each in (model, source))
    unlike = [
        f"{name} {tuple(theirs[name].shape)} instead of {tuple(ours[name].shape)}"
        for name in needed
        if name in theirs and theirs[name].shape != ours[name].shape
    ]
    if unlike or set(needed) - set(theirs) or set(offered) - set(ours):
        found = ", ".join(unlike[:3]) or f"{len(offered)} weights instead of {len(needed)}"
        raise GaitError(
            f"{path} holds a model of another size: {found}. Give the options it was trained with"
        )
    for name in ours.keys() & theirs.keys():
        if theirs[name].shape == ours[name].shape:
            ours[name].assign(ops.convert_to_numpy(theirs[name].value))
        else:
            print(
                f"{path}: classifier for {source.nclasses} classes not taken over, training {model.nclasses}"
            )


def _fit(recipe, batches, classes, folder):
    train, sampler = recipe["train"], batches.sampler
    steps = _steps_per_epoch(recipe, batches)
    model = make_model(recipe, batches.dataset, classes)
    batches.label_outputs = tuple(name for name in model.output if name != "logits")
    compile_phase = _compiler(recipe, model, sampler, steps)
    compile_phase(recipe["losses"]["cross_weight"])
    model.optimizer.build(model.trainable_variables)
    state = folder / STATE_FILE
    if state.exists():
        done = restore_state(model, state)
    else:
        done = 0
        start_weights(model, recipe, batches)
    for last, cross_weight in _phases(recipe):
        if done < last:
            compile_phase(cross_weight)
            _run_epochs(model, batches, done, last, steps, folder, train)
            save_state(model, state, last)
            done = last
    export(model, folder / "model-final.hdf5", folder / FINAL_MODEL)


def _steps_per_epoch(recipe, batches):
    if is_opengait(recipe):
        return recipe["train"]["steps_per_epoch"]
    sampler = batches.sampler
    if recipe["sampler"]["pk"]:
        return sampler.steps_per_epoch
    return max(1, len(batches.labels) // (sampler.p * sampler.k))


def _phases(recipe):
    """``(last epoch, weight of the cross-entropy)`` of each phase.

    The published code switches the cross-entropy off at the end of epoch index ``epochs``, so the first
    phase has one epoch more than it says.
    """
    weight = recipe["losses"]["cross_weight"]
    if is_opengait(recipe):
        return [(opengait.epochs(recipe), weight)]
    epochs, extra = recipe["train"]["epochs"], recipe["train"]["extra_epochs"]
    if not (extra and weight):
        return [(epochs + extra, weight)]
    return [(epochs + 1, weight), (epochs + extra, 0.0)]


def _compiler(recipe, model, sampler, steps):
    """A function that compiles the model for a phase; optimizer and margins are the same in all."""
    if is_opengait(recipe):
        return opengait.make_compiler(recipe, model)
    losses, settings, train = recipe["losses"], recipe["optimizer"], recipe["train"]
    replicas = max(1, train["multi_gpu"])
    optimizer = make_optimizer(
        settings["name"],
        settings["learning_rate"] * replicas,
        settings["weight_decay"],
        recipe["schedule"],
        train["epochs"] + train["extra_epochs"],
        steps,
    )
    parts = model.output["embeddings"].shape[1]
    if losses["adaptive"]:
        model.margin_state = MarginState(parts, losses["margin"])
    # MirroredStrategy computes a loss on each replica; JAX hands over the whole batch
    blocks = replicas if keras.backend.backend() == "jax" else 1
    try:
        triplet = BatchAllTriplet(
            losses["margin"],
            losses["soft"],
            losses["normalise"],
            blocks,
            getattr(model, "margin_state", None),
        )
    except ValueError as error:
        raise GaitError(f"recipe section 'losses': {error}") from error
    # the published sum over parts, divided by the batch of all replicas and summed over them
    triplet_weight = parts * replicas / (sampler.p * sampler.k)

    def compile_phase(cross_weight):
        functions, weights = {"embeddings": triplet}, {"embeddings": triplet_weight}
        if model.nclasses:
            functions["logits"], weights["logits"] = PartsCrossentropy(), cross_weight
        model.compile(getattr(model, "optimizer", None) or optimizer, loss=functions, loss_weights=weights)

    return compile_phase


def _run_epochs(model, batches, first, last, steps, folder, train):
    callbacks = [
        KeepState(model),
        History(folder / "history.csv", first),
        keras.callbacks.TerminateOnNaN(),
        SaveState(folder, train["save_epoch"]),
        keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False),
    ]
    with batches.own_errors():
        model.fit(
            batches.to_tf_data(first * steps),
            initial_epoch=first,
            epochs=last,
            steps_per_epoch=steps,
            callbacks=callbacks,
            verbose=train["verbose"],
            shuffle=False,
        )
    if model.stop_training:
        raise not_finite("loss", folder)
