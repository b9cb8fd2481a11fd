"""Which sequences train, are fine-tuned on and test, by rates (SelfGait, section 2)."""

from typing import NamedTuple

import numpy as np

from keras_gait.errors import GaitError

WAYS = ("subjects", "sequences")
LEFT_OUT = {"casia-b": ("005",)}  # as published: subjects that take no part at all


class Split(NamedTuple):
    """Rows of the three sets, each a sorted int array."""

    train: np.ndarray
    finetune: np.ndarray
    test: np.ndarray


def check_rate(rate, name):
    """Refuse what is no share; ``name`` is where the user gave it."""
    if not 0 <= rate <= 1:
        raise GaitError(f"{name} must be a share from 0 to 1. Received: {rate}")


def check_way(way, name):
    if way not in WAYS:
        raise GaitError(f"{name} must be {' or '.join(WAYS)}. Received: {way}")


def labelled(dataset, rate, by="subjects"):
    """Which sequences count as labelled: those of the first subjects, or the first ones, ``(n,)`` bool.

    Args:
        dataset: of n sequences, see `keras_gait.data.dataset`.
        rate: share of the subjects, or of the sequences, from 0 to 1, rounded down.
        by: "subjects", the first in sorted order; "sequences", the first in walking order (subject, type,
            view, all as text), which may cut through a subject (published).

    Raises GaitError where the share holds one subject or none, unless the rate is 0.
    """
    check_rate(rate, "data.label_rate")
    check_way(by, "data.label_by")
    if by == "subjects":
        mask = np.isin(dataset.subject, dataset.subjects[: share(len(dataset.subjects), rate)])
    else:
        mask = np.zeros(len(dataset), bool)
        mask[walking_order(dataset)[: share(len(dataset), rate)]] = True
    found = len(set(dataset.subject[mask].tolist()))
    if rate > 0 and found < 2:
        raise GaitError(
            f"data.label_rate {rate} of {len(dataset.subjects)} subjects and {len(dataset)} sequences leaves "
            f"{found or 'no'} subject{'s' * (not found)} with labels, and telling people apart takes two or "
            "more. Use a greater rate"
        )
    return mask


def without(dataset, subjects):
    """The data set without these subjects. Names that it does not hold are no error, but told in a line."""
    there = np.isin(dataset.subject, [str(name) for name in subjects])
    unknown = sorted({str(name) for name in subjects} - set(dataset.subject[there].tolist()))
    if unknown:
        print(f"{dataset.path} has no subject {', '.join(unknown)} to leave out")
    return dataset.select(~there) if there.any() else dataset


def walking_order(dataset):
    """Rows in the order of folders: subject, type, view, all as text."""
    return np.lexsort((dataset.view, dataset.types, dataset.subject))


def share(count, rate):
    """``floor(count * rate)``; 0.29 of 100 are 29, though the product in floating point is less.

    A share that is meant to be whole must not lose one by its binary fraction.
    """
    return int(np.floor(count * rate + 1e-9))


def by_rates(subjects, partition_rate, label_rate, by="subjects", published=False):
    """Divide sequences in walking order -> `Split`.

    The first ``partition_rate`` of them, or of their subjects, are for training and the rest tests; of all,
    the first ``label_rate`` are for fine-tuning and the others of the former for self-supervised training.

    Args:
        subjects: of each sequence, ``(n,)`` text, in walking order.
        by: "subjects" or "sequences"; the latter cuts through a subject (published).
        published: fine-tune on as many sequences, but the first ones of those trained on (a defect).
    """
    check_rate(partition_rate, "partition_rate")
    check_rate(label_rate, "label_rate")
    check_way(by, "partition_by")
    if by == "sequences":
        place = np.arange(len(subjects))
        count = len(subjects)
    else:
        names, place = np.unique(subjects, return_inverse=True)
        count = len(names)
    border, labels = share(count, partition_rate), share(count, label_rate)
    train = np.flatnonzero((labels <= place) & (place < border))
    finetune = np.flatnonzero(place < labels)
    if published:
        finetune = train[: len(finetune)]
    return Split(train, finetune, np.flatnonzero(place >= border))


def windows(counts, length, rng):
    """One window of ``length`` frames in each sequence long enough, as drawn once and for all (published).

    Args:
        counts: frames of each sequence, ``(n,)`` int.
        rng: a legacy `numpy.random.RandomState`, so that published draws can be made again.

    Returns ``(rows, starts)``: those that are kept, ``(m,)``, and the place of their first frame.

    Raises GaitError where all are too short.
    """
    counts = np.asarray(counts)
    kept = np.flatnonzero(counts >= length)
    if not len(kept):
        raise GaitError(
            f"none of {len(counts)} sequences has the {length} frames of a clip (the longest has "
            f"{counts.max(initial=0)}): use fewer frames, or longer sequences"
        )
    return kept, np.array([rng.randint(0, count - length + 1) for count in counts[kept]])
