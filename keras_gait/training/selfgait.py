"""What SelfGait trains with: two views of walks and a momentum target, triplets of labelled walks, or both.

A batch is that of all devices together; statistics of normalisation and the triplets are taken over all of
it, so an update hangs on the batch alone, however many devices share it.
"""

from keras_gait.data.label_split import labelled
from keras_gait.data.sampling import ClipSampling, TripletSampler
from keras_gait.data.view_augmentation import ViewAugmentation
from keras_gait.data.view_batches import ViewBatches
from keras_gait.errors import GaitError
from keras_gait.losses import BatchAllTriplet, BatchHardTriplet
from keras_gait.models.selfgait import target_of
from keras_gait.training.byol import Byol
from keras_gait.training.coupled_decay import make_coupled_optimizer
from keras_gait.training.devices import OverReplicas
from keras_gait.training.epochs import epochs_of
from keras_gait.training.frames import frame_shape
from keras_gait.training.frozen_evaluation import FrozenEvaluation
from keras_gait.training.samplers import check_pairs, long_enough, make_sampler
from keras_gait.training.validation import held_out

LABELLED = {"byol": 0.0, "mixed": 1.0, "triplet": 1.0}  # by the loss: share with labels, if nothing is said
TRIPLETS = {"full": BatchAllTriplet, "hard": BatchHardTriplet}


def leaves_out_views(recipe):
    """Whether one model is trained for each view, without that view: never."""
    return False


def make_batches(recipe, dataset):
    """The recipe's `ViewBatches`: of two views for a target, of one for triplets alone.

    Learning without labels takes what is not labelled; whatever learns from triplets what is.
    """
    loss, settings = _loss(recipe), recipe["sampler"]
    if loss != "triplet" and recipe["target"]["frames"] == "next" and settings["frames"] < 2:
        raise GaitError(
            "target.frames next needs two frames or more, the last of which is told from those before. "
            f"Received: sampler.frames {settings['frames']}"
        )
    if loss != "byol":
        check_pairs(settings)
    training = _divide(recipe, dataset)[0]
    _check_people(training, f"by data.label_rate {recipe['data']['label_rate']} and losses.name {loss}")
    clips = ClipSampling(settings["frames"], repeat=settings["repeat"])
    training = training.select(long_enough(training, clips))
    _check_people(training, f"who have {clips.frames} frames in a row")
    return ViewBatches(
        training,
        training.labels,
        make_sampler(recipe, training.labels, TripletSampler),
        clips,
        ViewAugmentation(**recipe["augmentation"]),
        views=1 if loss == "triplet" else 2,
    )


def _loss(recipe):
    name = recipe["losses"]["name"]
    if name not in LABELLED:
        raise GaitError(f"unknown loss {name!r} (losses.name). Known: {', '.join(LABELLED)}")
    return name


def _divide(recipe, dataset):
    """The sequences that are trained on and those of the subjects held out, two data sets."""
    data, loss = recipe["data"], _loss(recipe)
    apart = held_out(dataset, recipe["train"]["validation_subjects"])
    training = dataset.select(~apart)
    rate = LABELLED[loss] if data["label_rate"] is None else data["label_rate"]
    mask = labelled(training, rate, data["label_by"])
    return training.select(mask if LABELLED[loss] else ~mask), dataset.select(apart)


def _check_people(dataset, why):
    people = len(dataset.subjects)
    if people < 2:
        raise GaitError(
            f"{people} subject{'s' * (people != 1)} of {dataset.path} would train, {why}: two or more are "
            "needed"
        )


def model_options(recipe, dataset):
    """Constructor arguments of the model that the recipe's ``model`` section does not hold."""
    return {"frame_shape": frame_shape(dataset), "heads": _loss(recipe) != "triplet"}


def prepare(model, batches):
    """Give a new model what it needs of the data: nothing."""


def make_learner(recipe, model, dataset):
    """What is trained: the model with its target, or by itself where triplets are all it learns from."""
    losses, target = recipe["losses"], recipe["target"]
    if losses["name"] == "triplet":
        return model
    try:
        return Byol(
            model,
            target_of(model),
            cosine=losses["cosine"],
            frames=target["frames"],
            momentum=target["momentum"],
            ramp=recipe["train"]["iterations"] if target["schedule"] == "cosine" else 0,
            triplet=make_triplet(losses) if losses["name"] == "mixed" else None,
            triplet_every=losses["triplet_every"],
        )
    except ValueError as error:
        raise GaitError(f"the model cannot learn from two views: {error}") from error


def make_triplet(settings):
    """The triplet loss of a recipe's section, over the samples of all replicas."""
    return OverReplicas(TRIPLETS[settings["triplets"]](settings["margin"]))


def steps_per_epoch(recipe, batches):
    return recipe["train"]["steps_per_epoch"]


def phases(recipe):
    """One phase, ``[(last epoch, weight of the cross-entropy)]``; there is no cross-entropy."""
    return [(epochs_of(recipe["train"]), 0.0)]


def make_callbacks(recipe, learner, dataset, folder, done):
    """What else is done at the end of an epoch: evaluation of the frozen encoder."""
    train = recipe["train"]
    training, apart = _divide(recipe, dataset)
    held = len(apart) > 0
    watched = apart if held else training
    return [FrozenEvaluation(folder, done, watched, train["validate_every"], train["verbose"], held)]


def finish(recipe, model, batches, number):
    """What is done with the weights after the last epoch: nothing."""


def make_compiler(recipe, learner, sampler, steps):
    """A function that compiles the learner; optimizer and losses are the same in all phases."""
    optimizer = make_coupled_optimizer(recipe["optimizer"], recipe["schedule"])
    if recipe["losses"]["name"] == "triplet":
        loss = {"embeddings": make_triplet(recipe["losses"])}
        return lambda cross_weight: learner.compile(optimizer, loss=loss)
    return lambda cross_weight: learner.compile(optimizer)
