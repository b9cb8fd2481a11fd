"""What OpenGait trains with: batches, losses and optimizer of SkeletonGait and its relatives.

The published batch of P x K is that of all devices together; statistics of normalisation and the triplets are
taken over all of it, so an update hangs on the batch alone, however many devices share it.
"""

from keras_gait.data.pipeline import ClipBatches
from keras_gait.data.sampling import FrameSampling, TripletSampler
from keras_gait.data.warps import SequenceAugmentation
from keras_gait.losses import BatchAllTriplet, PartsCrossentropy
from keras_gait.losses.crossentropy import parts_accuracy
from keras_gait.training.coupled_decay import make_coupled_optimizer
from keras_gait.training.devices import OverReplicas, check_division, share_batches
from keras_gait.training.epochs import epochs_of
from keras_gait.training.frames import frame_shape


def leaves_out_views(recipe):
    """Whether one model is trained for each view, without that view: never."""
    return False


def make_batches(recipe, dataset):
    """The recipe's `ClipBatches` over a data set."""
    settings, train = recipe["sampler"], recipe["train"]
    p, k = settings["p"], settings["k"]
    check_division(p, k, max(1, train["multi_gpu"]))
    unfixed = settings["lengths"] == "unfixed"
    clips = FrameSampling(
        settings["frames"],
        settings["skip"],
        settings["order"] == "ordered",
        (settings["frames_min"], settings["frames_max"]) if unfixed else None,
    )
    labels = dataset.labels
    shape = frame_shape(dataset)
    augment = make_augmentation(recipe["augmentation"], dataset.frame_shape[1], shape[1])
    return ClipBatches(
        dataset,
        labels,
        len(dataset.subjects) if recipe["losses"]["cross_weight"] else 0,
        TripletSampler(labels, p, k, train["seed"]),
        clips,
        augment=augment,
        frame_shape=shape,
    )


def make_augmentation(settings, raw_width, width):
    """The `SequenceAugmentation` of a recipe's section, for frames so wide."""
    options = dict(settings)
    published = options.pop("rotate_centre") == "published"
    augment = SequenceAugmentation(width, published_centre=published, **options)
    augment.check(raw_width)
    return augment


def model_options(recipe, dataset):
    """Constructor arguments of the model that the recipe's ``model`` section does not hold."""
    return {"frame_shape": frame_shape(dataset)}


def prepare(model, batches):
    """Give a new model what it needs of the data: nothing."""


def make_learner(recipe, model, dataset):
    """What is trained: the model itself."""
    return model


def steps_per_epoch(recipe, batches):
    return recipe["train"]["steps_per_epoch"]


def phases(recipe):
    """One phase, ``[(last epoch, weight of the cross-entropy)]``, as long as ``train.iterations``."""
    return [(epochs_of(recipe["train"]), recipe["losses"]["cross_weight"])]


def make_callbacks(recipe, model, dataset, folder, done):
    """What else is done at the end of an epoch: nothing."""
    return []


def finish(recipe, model, batches, number):
    """What is done with the weights after the last epoch: nothing."""


def triplet_output(model):
    """The output that the triplets are made of: what comes before the normalised embeddings, if anything."""
    return "features" if "features" in model.output else "embeddings"


def make_compiler(recipe, model, sampler, steps):
    """A function that compiles the model; optimizer and losses are the same in all phases."""
    losses = recipe["losses"]
    share_batches(model, max(1, recipe["train"]["multi_gpu"]))
    optimizer = make_coupled_optimizer(recipe["optimizer"], recipe["schedule"])
    name, triplets = triplet_output(model), OverReplicas(BatchAllTriplet(losses["margin"]))

    def compile_phase(cross_weight):
        functions, weights, metrics = {name: triplets}, {name: 1.0}, None
        if model.nclasses:
            functions["logits"] = PartsCrossentropy(
                scale=losses["scale"], label_smoothing=losses["smoothing"]
            )
            weights["logits"] = cross_weight
            metrics = {"logits": [parts_accuracy]}
        model.compile(
            getattr(model, "optimizer", None) or optimizer,
            loss=functions,
            loss_weights=weights,
            metrics=metrics,
        )

    return compile_phase
