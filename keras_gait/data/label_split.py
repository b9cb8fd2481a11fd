"""Which sequences train, are fine-tuned on and test, by rates (SelfGait, section 2)."""

from typing import NamedTuple

import numpy as np

from keras_gait.errors import GaitError

WAYS = ("subjects", "sequences")


class Split(NamedTuple):
    """Rows of the three sets, each a sorted int array."""

    train: np.ndarray
    finetune: np.ndarray
    test: np.ndarray


def check_rate(rate, name):
    """Refuse what is no share; ``name`` is where the user gave it."""
    if not 0 <= rate <= 1:
        raise GaitError(f"{name} must be a share from 0 to 1. Received: {rate}")


def check_way(by, name):
    """Refuse what is none of `WAYS`."""
    if by not in WAYS:
        raise GaitError(f"{name} must be {' or '.join(WAYS)}. Received: {by}")


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
        mask = np.isin(dataset.subject, dataset.subjects[: _share(len(dataset.subjects), rate, by)])
    else:
        mask = np.zeros(len(dataset), bool)
        mask[walking_order(dataset)[: _share(len(dataset), rate, by)]] = True
    found = len(set(dataset.subject[mask].tolist()))
    if rate > 0 and found < 2:
        raise GaitError(
            f"data.label_rate {rate} of {len(dataset.subjects)} subjects with {len(dataset)} sequences "
            f"leaves {found} with labels, and telling people apart takes two or more. Use a greater rate"
        )
    return mask


def without(dataset, subjects):
    """The data set without these subjects. Names that it does not hold are no error, but told in a line.

    Raises GaitError where a name is none: YAML reads 005 without quotes as a number.
    """
    if not all(isinstance(name, str) for name in subjects):
        raise GaitError(f"data.leave_out must be subjects' names in quotes: ['005']. Received: {subjects}")
    names = set(subjects)
    there = np.isin(dataset.subject, sorted(names))
    unknown = sorted(names - set(dataset.subject[there].tolist()))
    if unknown:
        print(f"{dataset.path} has no subject {', '.join(unknown)} to leave out")
    return dataset.select(~there) if there.any() else dataset


def walking_order(dataset):
    """Rows in the order of folders: subject, type, view, all as text."""
    return np.lexsort((dataset.view, dataset.types, dataset.subject))


def by_rates(subjects, partition_rate, label_rate=0.0, by="subjects", published=False):
    """Divide sequences in walking order -> `Split`.

    The first ``partition_rate`` of them, or of their subjects, are to train and the rest to test. Of all,
    the first ``label_rate`` are for fine-tuning, and self-supervised training takes what is between.

    Args:
        subjects: of each sequence, ``(n,)`` text, in walking order.
        partition_rate, label_rate: shares from 0 to 1, rounded down; the latter not above the former.
        by: "subjects" or "sequences", which cuts through a subject (published).
        published: fine-tune on as many sequences, but on the first ones of those trained on (a defect).
    """
    check_rate(partition_rate, "partition_rate")
    check_rate(label_rate, "label_rate")
    check_way(by, "partition_by")
    if label_rate > partition_rate:
        raise GaitError(
            f"label_rate {label_rate} exceeds partition_rate {partition_rate}: what is fine-tuned on would "
            "be tested, too. Use a lesser one"
        )
    total, place = len(subjects), np.arange(len(subjects))
    if by == "subjects":
        names, place = np.unique(subjects, return_inverse=True)
        total = len(names)
    border, labels = _share(total, partition_rate, by), _share(total, label_rate, by)
    train, finetune = np.flatnonzero((labels <= place) & (place < border)), np.flatnonzero(place < labels)
    if published:
        finetune = train[: len(finetune)]
    return Split(train, finetune, np.flatnonzero(place >= border))


def _share(count, rate, by):
    """``count * rate`` rounded down. 0.29 of 100 are 29 subjects, but 28 sequences, as published."""
    return int(count * rate if by == "sequences" else round(count * rate, 9))


def windows(counts, length, random):
    """One window of ``length`` frames in each sequence that has so many, drawn once and for all (published).

    Args:
        counts: frames of each sequence, ``(n,)`` int.
        random: a `numpy.random.RandomState`, whose draws are the published ones.

    Returns ``(rows, starts)``, both ``(m,)``: the sequences long enough, and where their windows begin.

    Raises GaitError where all are too short.
    """
    counts = np.asarray(counts, int)
    rows = np.flatnonzero(counts >= length)
    if not len(rows):
        raise GaitError(
            f"none of {len(counts)} sequences has the {length} frames of a clip, the longest has "
            f"{counts.max(initial=0)}: use shorter clips, or longer sequences"
        )
    return rows, random.randint(0, counts[rows] - length + 1)
