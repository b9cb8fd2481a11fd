"""What AttenGait trains with: mixed clips, triplets of each device by itself, cross-entropy of parts."""

import keras
import numpy as np

from keras_gait.data.pipeline import ClipBatches
from keras_gait.data.sampling import ClipSampling, PKSampler
from keras_gait.errors import GaitError
from keras_gait.losses import BatchAllTriplet, MarginState, PartsCrossentropy
from keras_gait.training.optimizers import DECOUPLED, make_optimizer
from keras_gait.training.samplers import long_enough
from keras_gait.vision.clips import check_cut, cut_columns

GALLERY_CLASSES = (50,)  # published sets of which one model is tuned for each view that it leaves out


def leaves_out_views(recipe):
    """Whether one model is trained for each view, without that view."""
    return recipe["data"]["leave_out_views"] or recipe["data"]["nclasses"] in GALLERY_CLASSES


def make_batches(recipe, dataset):
    """The recipe's `ClipBatches` over a data set's usable sequences."""
    settings = recipe["sampler"]
    if recipe["data"]["cut"]:
        check_cut(dataset)
    clips = ClipSampling(
        settings["frames"], settings["shuffled"], settings["varying_length"], settings["repeat"]
    )
    classes = len(dataset.subjects) if recipe["losses"]["cross_weight"] else 0
    labels = dataset.labels
    usable = long_enough(dataset, clips) & ~_left_out(dataset)
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


def model_options(recipe, dataset):
    """Constructor arguments of the model that the recipe's ``model`` section does not hold."""
    optimizer = recipe["optimizer"]
    return {
        "frame_shape": dataset.frame_shape,
        "weight_decay": 0.0 if optimizer["name"] in DECOUPLED else optimizer["weight_decay"],
    }


def prepare(model, batches):
    """Give a model that is new what it needs of the data: the mean frame, with ``subtract_mean``."""
    if model.subtract_mean:
        model.mean_frame.assign(mean_frame(batches.dataset, batches.transform))


def mean_frame(dataset, transform=None):
    """Mean over all frames of a data set, float32 ``(height, width, channels)``, streamed.

    ``transform`` is applied to the frames before, as for training.
    """
    total = np.zeros(dataset.frame_shape, np.float64)
    for i in range(len(dataset)):
        frames = dataset.read(i)
        total += (frames if transform is None else transform(frames)).sum(axis=0, dtype=np.float64)
    return (total / dataset.frames.sum()).astype(np.float32)


def make_learner(recipe, model, dataset):
    """What is trained: the model itself."""
    return model


def steps_per_epoch(recipe, batches):
    sampler = batches.sampler
    if recipe["sampler"]["pk"]:
        return sampler.steps_per_epoch
    return max(1, len(batches.labels) // (sampler.p * sampler.k))


def phases(recipe):
    """``(last epoch, weight of the cross-entropy)`` of each phase.

    The published code switches the cross-entropy off at the end of epoch index ``epochs``, so the first
    phase has one epoch more than it says.
    """
    weight = recipe["losses"]["cross_weight"]
    epochs, extra = recipe["train"]["epochs"], recipe["train"]["extra_epochs"]
    if not (extra and weight):
        return [(epochs + extra, weight)]
    return [(epochs + 1, weight), (epochs + extra, 0.0)]


def make_callbacks(recipe, model, dataset, folder, done):
    """What else is done at the end of an epoch: nothing."""
    return []


def finish(recipe, model, batches, number):
    """What is done with the weights after the last epoch: nothing."""


def make_compiler(recipe, model, sampler, steps):
    """A function that compiles the model for a phase; optimizer and margins are the same in all."""
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
