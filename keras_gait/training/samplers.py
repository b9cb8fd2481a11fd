"""Which sequences of a data set a recipe trains on, and in what batches."""

from keras_gait.data.sampling import PKSampler, ShuffledSampler
from keras_gait.errors import GaitError
from keras_gait.training.devices import check_division


def long_enough(dataset, clips):
    """Which sequences give a clip of a `ClipSampling`, ``(n,)`` bool; `GaitError` where none does."""
    usable = clips.usable(dataset.frames)
    if not usable.any():
        raise GaitError(
            f"no sequence of {dataset.path} has the {clips.frames} frames that a clip needs (the longest has "
            f"{dataset.frames.max(initial=0)}). Lower --sampler.frames or use --repeat_data"
        )
    return usable


def make_sampler(recipe, labels, balanced=PKSampler):
    """All sequences in random order, or P x K with ``sampler.pk``; a batch divides among the devices.

    Args:
        labels: of the sequences, ``(n,)``.
        balanced: the sampler of P x K, a `PKSampler`.
    """
    settings, train = recipe["sampler"], recipe["train"]
    devices = max(1, train["multi_gpu"])
    if not settings["pk"]:
        return ShuffledSampler(labels, settings["batch_size"], train["seed"], devices)
    check_division(settings["p"], settings["k"], devices)
    return balanced(labels, settings["p"], settings["k"], train["seed"])


def check_pairs(settings, views=1):
    """`GaitError` where no batch can hold two samples of one subject and one of another.

    Args:
        settings: a recipe's section ``sampler``.
        views: samples that are made of each sequence.
    """
    if settings["pk"] and settings["k"] * views < 2:
        raise GaitError("contrast needs two sequences of a subject or more. Received: sampler.k 1 (--k)")
    if not settings["pk"] and 0 < settings["batch_size"] < (2 if views > 1 else 3):
        raise GaitError(
            "contrast needs two sequences of one subject and one of another in a batch. Received: "
            f"sampler.batch_size {settings['batch_size']} (--bs)"
        )
