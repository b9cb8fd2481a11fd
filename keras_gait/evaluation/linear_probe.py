"""What a frozen embedding tells of people: nearest neighbours among them, and a linear probe."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_gait.evaluation.ranking import rank

STEPS = 1000  # of the probe's optimiser, at most


def odd_walks(labels, types):
    """Which sequences ``(n,)`` are of the first, third, ... walk of their person, by the names of the walks.

    All views of a walk are on one side.

    Args:
        labels: the person of each sequence, whole numbers ``(n,)``.
        types: the walk of each, ``(n,)`` ("nm-01").
    """
    names, which = np.unique(types, return_inverse=True)
    walks, walk = np.unique(np.asarray(labels, np.int64) * len(names) + which, return_inverse=True)
    people = walks // len(names)
    places = np.arange(len(walks)) - np.searchsorted(people, people)
    return places[walk] % 2 == 0


def linear_probe(embeddings, labels, training):
    """The share of sequences whose person a logistic regression on the others names right.

    On features of mean 0 and variance 1, with scikit-learn's regularisation (C = 1).

    Args:
        embeddings: ``(n, parts, dim)``, flat for the regression.
        labels: the person of each, ``(n,)``.
        training: which are learned from, ``(n,)`` bool, of two people or more; the others are named.
    """
    features = np.reshape(embeddings, (len(embeddings), -1))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=STEPS))
    probe.fit(features[training], labels[training])
    return float(probe.score(features[~training], labels[~training]))


def nearest_is_right(embeddings, labels, apart):
    """The share of sequences whose nearest is of the same person.

    Args:
        embeddings: ``(n, parts, dim)``, compared by the mean over parts of the Euclidean distance.
        labels: the person of each, ``(n,)``.
        apart: what the sequences compared must not share, views and walks, ``(n,)`` or, several,
            ``(n, k)``; who has no other of his own that is apart is not counted.
    """
    found = rank(embeddings, labels, embeddings, labels, apart, apart, "parts")
    return float(found.summary(ranks=(1,))["rank-1"])
