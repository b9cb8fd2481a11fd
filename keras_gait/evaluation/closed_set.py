"""The parts of a closed-set evaluation: whom the classifier knows, its test sets, their figures."""

from typing import NamedTuple

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.evaluation.identification import Identification, identify

SHOWN = 5  # people named in a message


class TestSet(NamedTuple):
    """Sequences that are told together: all, or those of one condition ("IAS-A")."""

    name: str
    condition: str
    members: np.ndarray

    __test__ = False  # no test of pytest's


class Identified(NamedTuple):
    """The figures of one test set, and the names of all classes in order."""

    name: str
    found: Identification
    people: tuple


def people_of(model, gallery):
    """Names of the model's classes, in order; where it does not tell, those of the training set ``gallery``.

    Raises:
        GaitError: neither tells.
    """
    if model.subjects is not None:
        return tuple(model.subjects)
    if gallery is not None and len(gallery.subjects) == model.nclasses:
        return tuple(gallery.subjects.tolist())
    found = f"{gallery.name} has {len(gallery.subjects)}" if gallery is not None else "there is none"
    raise GaitError(
        f"the model knows {model.nclasses} people and does not tell whom; the training set would, but "
        f"{found}: give its own training set by --gallery"
    )


def known_only(dataset, people):
    """The sequences of ``people`` alone; who else there is, is printed.

    Raises:
        GaitError: there are none.
    """
    unknown = [name for name in dataset.subjects.tolist() if name not in set(people)]
    if not unknown:
        return dataset
    kept = dataset.select(~np.isin(dataset.subject, unknown))
    listed = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
    if not len(kept):
        raise GaitError(
            f"no sequences: not one of the {len(unknown)} people of {dataset.name} ({listed}) is known to "
            f"the model (which knows {', '.join(people[:SHOWN])}, ...): give the test set of its people"
        )
    print(
        f"{len(unknown)} people of {dataset.name} ({listed}) are not known to the model; their "
        f"{len(dataset) - len(kept)} sequences are left out"
    )
    return kept


def test_sets(dataset):
    """One `TestSet` for each condition, in order of their names."""
    called = str(dataset.info.get("dataset", dataset.name))
    conditions = sorted(set(dataset.condition.tolist()))
    return [
        TestSet(f"{called}-{condition}" if condition else called, condition, dataset.condition == condition)
        for condition in conditions
    ]


test_sets.__test__ = False


def identified(sets, scores, subjects, people):
    """The figures of each test set -> list of `Identified`.

    Args:
        sets: list of `TestSet`.
        scores: dict from condition to ``(sequences of all sets, classes)``.
        subjects: names ``(sequences of all sets,)``, each among the ``people``, who are the classes.
    """
    place = {name: label for label, name in enumerate(people)}
    labels = np.array([place[name] for name in subjects.tolist()])
    return [
        Identified(each.name, identify(scores[each.condition][each.members], labels[each.members]), people)
        for each in sets
    ]
