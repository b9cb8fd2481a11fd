"""Raw recordings of 3-D skeletons on disk: who walks in which, and which are for testing.

ROOT/<person>/...                                       divided by patterns, or
ROOT/train/<person>/..., ROOT/test/<person>/...         divided already; test-A and test-B: two test sets

BIWI's own Training, Testing/Still and Testing/Walking are known as well.
"""

import os
import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from keras_gait.data.layouts import folders
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import NOTE
from keras_gait.data.skeletons.raw_formats import FORMATS
from keras_gait.errors import GaitError
from keras_gait.jobs import run_jobs

SPLIT = r"(?i:(training|train)|(?:testing|test)(?:[-_]?([0-9a-z])|[-_]([0-9a-z]+))?)"
POSTURES = ("still", "walking")  # BIWI keeps its test persons in these folders
# KS20 numbers its bodies with gaps.
KS20_BODIES = (*range(1, 5), *range(7, 10), *range(11, 18), *range(19, 25))


class Recording(NamedTuple):
    """One of them: ``person`` is the folder's name, ``name`` the path below it, ``split`` as in the tree."""

    person: str
    name: str
    path: str
    split: str


def find_recordings(root, kind="auto"):
    """All recordings below ``root`` -> (sorted list of `Recording`, name of the format, problems).

    ``kind``: one of `FORMATS`, or "auto" to go by the names of the files. The split is "" unless folders
    tell it.
    """
    root, found, problems = Path(root), [], []
    kind = _kind_of(root) if kind == "auto" else kind
    for split, home in _homes(root):
        for person in folders(home):
            names = sorted(_recordings_of(home / person, FORMATS[kind]))
            found += [Recording(person, name, str(home / person / name), split) for name in names]
            if not names:
                problems.append(Problem(str(home / person), f"a person without recordings ({kind})", True))
    if not found:
        end = FORMATS[kind].end
        raise GaitError(f"--input_path {root} holds no recordings: expected <person>/...{end} in it.")
    persons = {recording.person for recording in found}
    if len(persons) == 1:
        raise GaitError(
            f"--input_path {root} holds recordings of one person, {persons.pop()}: name the folder that "
            "holds the folders of all persons."
        )
    return found, kind, problems


def _homes(root):
    """Where the folders of persons are -> list of (split, folder)."""
    names = folders(root)
    homes = {name: match for name in names if (match := re.fullmatch(SPLIT, name))}
    if not homes:
        return [("", root)]
    strangers = [name for name in names if name not in homes]
    if strangers:
        raise GaitError(
            f"{root} holds {', '.join(homes)} and, beside them, {strangers[0]}: move that elsewhere."
        )
    found = []
    for name, match in homes.items():
        training, *tag = match.groups(default="")
        split = "train" if training else "-".join(["test", *filter(None, tag)])
        inner = folders(root / name)
        if inner and all(folder.lower() in POSTURES for folder in inner):
            found += [(split, root / name / folder) for folder in inner]
        else:
            found.append((split, root / name))
    return found


def _files(folder):
    """Paths of the files below ``folder``, relative to it; hidden ones are passed over."""
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        below = os.path.relpath(place, folder)
        for name in names:
            if not name.startswith("."):
                yield os.path.normpath(os.path.join(below, name))


def _kind_of(root):
    """The one format of the files below ``root``."""
    ends = {end: kind for kind, (end, *_) in FORMATS.items() if kind != "ks20"}
    kinds = set()
    for name in _files(root):
        for end, kind in ends.items():
            if os.path.dirname(name) and os.path.basename(name) != NOTE and name.lower().endswith(end):
                kinds.add(kind)
                break
    if kinds == {"kgbd"}:
        raise GaitError(f"{root}: text files may be --format kgbd or ks20: say which.")
    if len(kinds) > 1:
        raise GaitError(
            f"{root} holds recordings of several formats: give --format {' or '.join(sorted(kinds))}."
        )
    if not kinds:
        known = ", ".join(dict.fromkeys(format_.end for format_ in FORMATS.values()))
        raise GaitError(
            f"--input_path {root} holds no recordings: expected <person>/... with files of {known}."
        )
    return kinds.pop()


def _recordings_of(person, format_):
    """Names of the recordings below a person's folder."""
    names = [name for name in _files(person) if name.lower().endswith(format_.end)]
    return {os.path.dirname(name) or "." for name in names} if format_.folders else set(names)


def parse_tests(patterns):
    """The values of ``--test`` -> list of (split, pattern): "test", or "test-A" for ``A=cl-*``."""
    tests = []
    for text in patterns:
        tagged = re.fullmatch("([0-9A-Za-z]+)=(.+)", text)
        tests.append((f"test-{tagged[1]}", tagged[2]) if tagged else ("test", text))
    if len({split == "test" for split, _ in tests}) > 1:
        raise GaitError(
            f"--test {' '.join(patterns)}: name the test set of each pattern, as A=..., or of none."
        )
    return tests


def divide(recordings, tests, root):
    """Sort recordings into splits -> dict of "train" and "test" or "test-A", ... -> list of `Recording`.

    ``tests``: what `parse_tests` gave. A pattern is for the path below the person, with its ending or not.
    """
    if recordings[0].split:
        if tests:
            raise GaitError(f"--test: the folders in {root} tell already what is for testing, leave it out.")
        return _by_split(recordings, root)
    if not tests:
        raise GaitError(
            "--test is needed: patterns of the recordings that are for testing, as --test 'nm-05*' 'nm-06*'; "
            f"such as {recordings[0].name} of person {recordings[0].person}."
        )
    for _, pattern in tests:
        if not any(_matches(recording, pattern) for recording in recordings):
            raise GaitError(
                f"--test {pattern} matches no recording: they have names such as {recordings[0].name}."
            )
    return _by_split(
        [recording._replace(split=_split_of(recording, tests)) for recording in recordings], root
    )


def _matches(recording, pattern):
    name = Path(recording.name).as_posix()
    return any(fnmatchcase(each, pattern) for each in (name, os.path.splitext(name)[0]))


def _split_of(recording, tests):
    splits = sorted({split for split, pattern in tests if _matches(recording, pattern)})
    if len(splits) > 1:
        raise GaitError(f"--test: {recording.person}/{recording.name} would be in {' and in '.join(splits)}.")
    return splits[0] if splits else "train"


def _by_split(recordings, root):
    splits = {"train": []} | {split: [] for split in sorted({each.split for each in recordings})}
    for recording in recordings:
        splits[recording.split].append(recording)
    if not splits["train"]:
        raise GaitError(f"{root}: all recordings are for testing, none is for training.")
    if len(splits) == 1:
        raise GaitError(f"{root}: no recordings are for testing; add a folder test beside train.")
    if "test" in splits and len(splits) > 2:
        raise GaitError(
            f"{root}: {' and '.join(list(splits)[1:])}: give each test set a name, or have only one."
        )
    return splits


def check_persons(splits):
    """Leave out test recordings of persons without any for training -> (splits, list of `Problem`).

    ``splits``: dict of split -> list of (`Recording`, frames).
    """
    persons = {split: {each.person for each, _ in pairs} for split, pairs in splits.items()}
    tested = set().union(*(names for split, names in persons.items() if split != "train"))
    unknown, untested = tested - persons["train"], persons["train"] - tested
    problems = [Problem(name, "a person without recordings for training, left out", True) for name in unknown]
    problems += [Problem(name, "a person without recordings for testing") for name in untested]
    kept = {
        split: [pair for pair in pairs if pair[0].person not in unknown] for split, pairs in splits.items()
    }
    empty = [split for split, recordings in kept.items() if not recordings]
    if empty:
        raise GaitError(f"{empty[0]}: none of its persons has a recording for training.")
    return kept, sorted(problems)


def number_persons(names, kind):
    """The numbers of persons in the files -> (dict of folder name and int, whether they are made up).

    Names that are numbers keep them, KS20's bodies have the published ones; else the names are numbered from
    0 in their order.
    """
    names = sorted(set(names))
    if kind == "ks20":
        return {name: _ks20_person(name) for name in names}, False
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    if len(numbers) == len(names) == len(set(numbers)):
        return dict(zip(names, numbers, strict=True)), False
    return {name: number for number, name in enumerate(names)}, True


def _ks20_person(name):
    body = re.fullmatch("[^0-9]*([0-9]+)", name)
    if not body or int(body[1]) not in KS20_BODIES:
        raise GaitError(f"{name} is no body of KS20: those are {', '.join(map(str, KS20_BODIES))}.")
    return KS20_BODIES.index(int(body[1]))


def load_recordings(splits, kind, joints=0):
    """Read all recordings -> (dict of split and list of (`Recording`, ``(F, J, 3)``), list of `Problem`).

    What cannot be read, or has other joints than ``joints`` (0: than most have), is left out and told.
    """
    loaded, problems = [], []
    jobs = [(recording, FORMATS[kind].read) for recordings in splits.values() for recording in recordings]
    for recording, frames, found in run_jobs(_load, jobs, title="reading"):
        problems += found
        if frames is not None:
            loaded.append((recording, frames))
    counts = Counter(frames.shape[1] for _, frames in loaded)
    joints = joints or max(counts, key=counts.get, default=None)
    kept = {split: [] for split in splits}
    for recording, frames in loaded:
        if frames.shape[1] == joints:
            kept[recording.split].append((recording, frames))
        else:
            problems.append(Problem(recording.path, f"{frames.shape[1]} joints, expected {joints}", True))
    return kept, problems


def _load(job):
    recording, read = job
    try:
        frames, problems = read(recording.path)
    except GaitError as error:
        place, _, what = str(error).partition(": ")
        return recording, None, [Problem(place, what, True)]
    return recording, frames, problems
