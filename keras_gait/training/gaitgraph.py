"""What GaitGraph2, GaitGraph and ST-GCN train with: batches of poses, contrast, one cycle, averaged weights.

A batch is that of all devices together; statistics of normalisation and the contrast are taken over all of
it, so an update hangs on the batch alone, however many devices share it.
"""

import numbers

from keras_gait.data.pose_augmentation import PoseAugmentation
from keras_gait.data.pose_batches import PoseBatches
from keras_gait.data.sampling import PoseSampling
from keras_gait.errors import GaitError
from keras_gait.evaluation.embedding import check_joints
from keras_gait.losses import SupCon, SupConCosine
from keras_gait.training.averaging import UpdateAverages, WeightAverages, first_averaged, renew_statistics
from keras_gait.training.cycled_adam import make_cycled_adam
from keras_gait.training.devices import OverReplicas, share_batches
from keras_gait.training.samplers import check_pairs, make_sampler
from keras_gait.training.validation import Validation, held_out
from keras_gait.vision.joint_graphs import find_graph

LOSSES = {"supcon": SupCon, "supcon-v1": SupConCosine}


def leaves_out_views(recipe):
    """Whether one model is trained for each view, without that view: never."""
    return False


def make_batches(recipe, dataset):
    """The recipe's `PoseBatches` over a data set, without the subjects that are held out."""
    graph = _graph(recipe)
    check_joints(graph, dataset)
    settings = dict(recipe["augmentation"])
    sampling = PoseSampling(recipe["model"]["frames"], settings.pop("flip_sequence"), settings.pop("shuffle"))
    views = settings.pop("views")
    if len(dataset.subjects) < 2:
        raise GaitError(
            f"{dataset.path} has {len(dataset.subjects)} subject(s): contrast needs sequences of two or more"
        )
    check_pairs(recipe["sampler"], views)
    training = dataset.select(~held_out(dataset, recipe["train"]["validation_subjects"]))
    return PoseBatches(
        training,
        training.labels,
        make_sampler(recipe, training.labels),
        sampling,
        make_augmentation(settings, graph),
        views,
    )


def _graph(recipe):
    try:
        return find_graph(recipe["model"]["joints"])
    except ValueError as error:
        raise GaitError(f"model.joints: {error}") from error


def make_augmentation(settings, graph):
    """The `PoseAugmentation` of a recipe's section, for poses of this graph."""
    move = settings["random_move"]
    pair = move if isinstance(move, list | tuple) else [move, move]
    if len(pair) != 2 or not all(_is_number(value) for value in pair):
        raise GaitError(
            "augmentation.random_move must be a number of pixels or two of them, for x and y. Received: "
            f"{move}"
        )
    return PoseAugmentation(graph.flip_index, **settings | {"random_move": tuple(map(float, pair))})


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def model_options(recipe, dataset):
    """Constructor arguments of the model that the recipe's ``model`` section does not hold: none."""
    return {}


def prepare(model, batches):
    """Give a new model what it needs of the data: nothing."""


def make_learner(recipe, model, dataset):
    """What is trained: the model itself."""
    return model


def steps_per_epoch(recipe, batches):
    return batches.sampler.steps_per_epoch


def phases(recipe):
    """One phase, ``[(last epoch, weight of the cross-entropy)]``; there is no cross-entropy."""
    return [(recipe["train"]["epochs"], 0.0)]


def make_callbacks(recipe, model, dataset, folder, done):
    """What else is done at the end of an epoch: averaging, validation."""
    train = recipe["train"]
    first = first_averaged(recipe["averaging"], train["epochs"])
    callbacks = [] if first is None else [UpdateAverages(first)]
    if train["validation_subjects"]:
        apart = dataset.select(held_out(dataset, train["validation_subjects"]))
        loss, batch_size = make_loss(recipe["losses"]), recipe["sampler"]["batch_size"]
        every, verbose = train["validate_every"], train["verbose"]
        callbacks.append(Validation(folder, done, apart, loss, batch_size, every, verbose))
    return callbacks


def finish(recipe, model, batches, number):
    """After the last epoch: the averaged weights, if any, with statistics of their own from one more pass."""
    if recipe["averaging"]["start"] is not None:
        model.averages.assign_to(model.trainable_variables)
        renew_statistics(model, batches, number, steps_per_epoch(recipe, batches))


def make_compiler(recipe, model, sampler, steps):
    """A function that compiles the model."""
    epochs = recipe["train"]["epochs"]
    first, aside = first_averaged(recipe["averaging"], epochs), None
    if first is not None:
        model.averages = WeightAverages(model.trainable_variables, name="averages")
        aside = {
            "update": first * steps,
            "target": recipe["averaging"]["rate"],
            "epochs": recipe["averaging"]["anneal_epochs"],
            "steps_per_epoch": steps,
        }
    share_batches(model, max(1, recipe["train"]["multi_gpu"]))
    optimizer = make_cycled_adam(recipe["optimizer"], recipe["schedule"], epochs * steps, aside)
    loss = OverReplicas(make_loss(recipe["losses"]))
    return lambda cross_weight: model.compile(optimizer, loss={"embeddings": loss})


def make_loss(settings):
    """The loss of a recipe's section."""
    name, options = settings["name"], {key: settings[key] for key in settings if key != "name"}
    if name not in LOSSES:
        raise GaitError(f"unknown loss {name!r} (losses.name). Known: {', '.join(LOSSES)}")
    try:
        return LOSSES[name](**options)
    except ValueError as error:
        raise GaitError(f"recipe section 'losses': {error}") from error
