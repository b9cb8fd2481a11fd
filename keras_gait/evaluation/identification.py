"""Closed-set identification: which of the known people a classifier's scores name, and how surely."""

from dataclasses import dataclass

import numpy as np

from keras_gait.errors import GaitError


@dataclass(frozen=True)
class Identification:
    """What became of ``n`` sequences that were scored against ``C`` classes; fractions from 0 to 1.

    Attributes:
        rank_n: ``(C,)`` share of sequences whose class is among the 1, 2, ..., C highest scores: the CMC.
        nauc: area under the micro-averaged ROC curve, see `micro_roc_area`.
        classes: the ``k`` classes that are true or named of any sequence, ascending.
        confusion: int64 ``(k, k)``, rows true, columns named.
        true, named: class of each sequence, int64 ``(n,)``.
    """

    rank_n: np.ndarray
    nauc: float
    classes: np.ndarray
    confusion: np.ndarray
    true: np.ndarray
    named: np.ndarray

    @property
    def rank_1(self):
        return float(self.rank_n[0])

    def __len__(self):
        return len(self.true)


def identify(scores, labels):
    """Figures of ``scores (n, C)`` for sequences of the classes ``labels (n,)``, 0..C-1 -> `Identification`.

    Of equal scores the first class counts as the higher. No sequence at all is a `GaitError`.
    """
    scores, labels = np.asarray(scores), np.asarray(labels, np.int64)
    if not len(scores):
        raise GaitError("no sequences: there is nothing that could be scored")
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    before = (scores > own) | ((scores == own) & (np.arange(scores.shape[1]) < labels[:, None]))
    places = before.sum(axis=1)
    rank_n = np.cumsum(np.bincount(places, minlength=scores.shape[1])) / len(scores)
    named = scores.argmax(axis=1).astype(np.int64)
    classes, codes = np.unique(np.concatenate([labels, named]), return_inverse=True)
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (codes[: len(labels)], codes[len(labels) :]), 1)
    return Identification(rank_n, micro_roc_area(scores, labels), classes, confusion, labels, named)


def micro_roc_area(scores, labels):
    """nAUC: how likely the score of a true pair (sequence, class) is above that of a false pair; ties 1/2.

    All pairs of ``scores (n, C)`` are pooled. It is no area under the CMC curve. By the ranks of the scores
    (Mann and Whitney): ``(sum of the true ranks - p (p + 1) / 2) / (p q)`` for p true and q false pairs. NaN
    for a single class, where no pair is false.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # equal scores share the mean of their ranks
    true = ranks[inverse.reshape(scores.shape)][np.arange(len(scores)), labels]
    right, wrong = len(scores), scores.size - len(scores)
    if not wrong:
        return float("nan")
    return float((true.sum() - right * (right + 1) / 2) / (right * wrong))


def published_windows(scores, labels, batch_size=128, frames=1):
    """The sequences that the published evaluation counts -> scores ``(n, C)``, labels ``(n,)``.

    Rows beyond the last full batch are dropped, unless there is not one full batch. ``frames`` rows at a time
    are a sequence, with the mean of their scores; it counts only where all its rows have one label, and
    whole. ``frames`` 1 leaves each row alone (manner ``sc``).
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    rows = len(scores) - len(scores) % batch_size or len(scores)
    count = rows // frames
    windows = labels[: count * frames].reshape(count, frames)
    pure = (windows == windows[:, :1]).all(axis=1)
    means = scores[: count * frames].reshape(count, frames, -1).mean(axis=1)
    return means[pure], windows[pure, 0]
