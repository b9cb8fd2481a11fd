"""Who walks in which sequence: the published ``ids_*.npy``, a pickled dict {person: [sequences]}."""

import numpy as np

from keras_gait.data import unpickle
from keras_gait.data.problems import Problem
from keras_gait.errors import GaitError


def read_ids(path):
    """``ids_*.npy`` -> dict of person (int from 0, in order) and its sequences, int64 ``(n,)``.

    Raises GaitError where the file is damaged, asks for more than arrays, or holds anything else.
    """
    stored = unpickle.load_npy(path)
    ids = stored.item() if stored.shape == () else stored
    if not isinstance(ids, dict):
        raise GaitError(f"{path} holds no dict of persons and their sequences: get it again.")
    persons = {}
    for person, rows in ids.items():
        if not isinstance(person, int | np.integer) or isinstance(person, bool) or person < 0:
            raise GaitError(f"{path}: {str(person)[:20]!r} is no person's number, 0 or above; get it again.")
        persons[int(person)] = _numbers(path, person, rows)
    return dict(sorted(persons.items()))


def _numbers(path, person, rows):
    flat = isinstance(rows, np.ndarray) or (
        isinstance(rows, list | tuple) and all(isinstance(row, int | np.integer) for row in rows)
    )
    # lists in lists may be of unequal lengths, or without end
    numbers = np.asarray(rows) if flat else np.empty((), object)
    if numbers.ndim == 1 and not numbers.size:
        return np.zeros(0, np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise GaitError(f"{path}: person {person} has no list of the numbers of sequences; get it again.")
    return numbers.astype(np.int64)


def rows_of_persons(persons, count, path):
    """The sequences of each person, out of ``count`` -> (dict of subject and rows, list of `Problem`).

    Subjects are text. Persons without sequences and sequences of nobody are noted. Raises GaitError where
    the numbers are of other arrays, or a sequence is named twice.
    """
    rows = np.concatenate([*persons.values(), np.zeros(0, np.int64)])
    owners = np.repeat(np.array([*persons], object), [len(own) for own in persons.values()])
    for outside in np.flatnonzero((rows < 0) | (rows >= count))[:1]:
        raise GaitError(
            f"{path}: person {owners[outside]} has sequence {rows[outside]}, but there are {count}, from 0: "
            "these ids are of other arrays; get them again."
        )
    named = np.bincount(rows, minlength=count)
    for twice in np.flatnonzero(named > 1)[:1]:
        both = owners[rows == twice][:2]
        raise GaitError(
            f"{path}: sequence {twice} is named twice, for persons {both[0]} and {both[1]}; get it again."
        )
    problems = []
    nobodys = np.flatnonzero(named == 0)
    if len(nobodys):
        what = f"{len(nobodys)} of {count} sequences, first {nobodys[0]}, are of nobody: left out"
        problems.append(Problem(str(path), what))
    empty = [str(person) for person, own in persons.items() if not len(own)]
    if empty:
        problems.append(Problem(str(path), f"persons without sequences: {', '.join(empty)}"))
    return {str(person): own for person, own in persons.items() if len(own)}, problems
