"""The data sets as OpenGait keeps them: ``<id>/<type>/<view>/*.pkl``, who trains, and what the names mean."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from keras_gait.data.layouts import CASIA_TEST, CASIA_TRAIN, OUMVLP_LAST_TRAIN, folders
from keras_gait.data.writer import Sequence
from keras_gait.errors import GaitError

GREW_PROBES = "probe"  # the one id of GREW's test set that is no subject


@dataclass(frozen=True)
class Layout:
    """One published data set.

    Attributes:
        key: its name in ``dataset.json``. title: its name as published.
        train, test: how many subjects the published partition gives to each.
        example: regular expression of ``<id>/<type>/<view>``.
        silhouettes: how the file of aligned silhouettes ends where a sequence has several files.
    """

    key: str
    title: str
    train: int
    test: int
    example: str
    silhouettes: str = "aligned-sils.pkl"

    def sequence(self, subject, kind, view, source):
        """The `Sequence` of a folder: CASIA-B's type is condition and number, OU-MVLP's a number."""
        if self.key == "casia-b":
            condition, video = re.fullmatch(r"(.*?)(?:-(\d+))?", kind).groups(default="")
            return Sequence(subject, condition, view, video, str(source))
        if self.key == "oumvlp":
            return Sequence(subject, "", view, kind, str(source))
        return Sequence(subject, kind, view, "", str(source))


# OU-MVLP stands before GREW, whose views may be any word.
LAYOUTS = {
    layout.key: layout
    for layout in (
        Layout("casia-b", "CASIA-B", CASIA_TRAIN, CASIA_TEST, r"\d{3}/(nm|bg|cl)-\d\d/\d{3}"),
        Layout("oumvlp", "OU-MVLP", 5153, 5154, r"\d{5}/\d\d/\d{3}"),
        Layout("grew", "GREW", 20000, 6000, r"\d{5}train/00/.*|\d{5}/0[12]/.*|probe/03/.*"),
        Layout("gait3d", "Gait3D", 3000, 1000, r"\d{4}/camid\d+_videoid\d+/seq\d+"),
        Layout("ccpg", "CCPG", 100, 100, r"\d{3}/U\d_D\d(_BG)?/.*"),
        Layout("sustech1k", "SUSTech1K", 250, 800, r"\d{4}/\d\d-[a-z].*", "Camera-Sils_aligned.pkl"),
    )
}


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_layout(name, partition, root):
    """The `Layout` called ``name``, or else told from the partition's file name, or else from the tree.

    Args:
        name: as the user writes it, "OU-MVLP" or "oumvlp"; empty: not given.
        partition: path of the partition file, or None. root: the tree.

    Raises GaitError where none of the three tells.
    """
    known = ", ".join(layout.title for layout in LAYOUTS.values())
    if name:
        for layout in LAYOUTS.values():
            if _plain(layout.key) == _plain(name):
                return layout
        raise GaitError(f"--dataset_name {name} is not known; choose one of {known}.")
    for layout in LAYOUTS.values():
        if partition and _plain(layout.key) in _plain(Path(partition).stem):
            return layout
    found = _first_sequence(root)
    for layout in LAYOUTS.values():
        if re.fullmatch(layout.example, found):
            return layout
    raise GaitError(
        f"{root}: neither the partition's name nor the folders ({found or 'none'}) tell which data set this "
        f"is: give --dataset_name, one of {known}."
    )


def _first_sequence(root):
    """``<id>/<type>/<view>`` of the first sequence of a tree, as far down as there are folders."""
    names = []
    for _ in range(3):
        inner = folders(Path(root, *names))
        if not inner:
            break
        names.append(inner[0])
    return "/".join(names)


class Partition(NamedTuple):
    """Ids that train, ids that test, and for Gait3D the probes among the latter, ``id-type-view``."""

    train: tuple
    test: tuple
    probes: tuple = ()


def find_partition(path, layout, names):
    """The `Partition` in the file ``path``, or without one the published rule for the ids ``names``."""
    return read_partition(path, layout) if path else published_partition(layout, names)


def read_partition(path, layout):
    """A partition file, JSON with ``TRAIN_SET``, ``TEST_SET`` and for Gait3D ``PROBE_SET``."""
    path = Path(path)
    if not path.is_file():
        raise GaitError(f"--dataset_partition {path} does not exist or is no file.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise GaitError(f"--dataset_partition {path} is no JSON ({error}): get the file again.") from error
    wanted = ["TRAIN_SET", "TEST_SET"] + ["PROBE_SET"] * (layout.key == "gait3d")
    lists = []
    for key in wanted:
        ids = content.get(key) if isinstance(content, dict) else None
        if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
            raise GaitError(
                f"--dataset_partition {path} has no {key}: {layout.title} needs {', '.join(wanted)}, each a "
                "list of names."
            )
        lists.append(tuple(dict.fromkeys(ids)))
    both = set(lists[0]) & set(lists[1])
    if both:
        raise GaitError(f"--dataset_partition {path}: {min(both)} is in TRAIN_SET and in TEST_SET.")
    return Partition(*lists)


_TRAINS = {
    "casia-b": lambda name: int(name) <= CASIA_TRAIN,
    "oumvlp": lambda name: int(name) % 2 == 1 and int(name) < OUMVLP_LAST_TRAIN,
    "grew": lambda name: name.endswith("train"),
}


def published_partition(layout, names):
    """The published partition of the ids ``names`` where it is a rule: CASIA-B, OU-MVLP and GREW."""
    if layout.key not in _TRAINS:
        raise GaitError(f"--dataset_partition is needed: the partition of {layout.title} is no rule.")
    if layout.key != "grew":
        names = [name for name in names if name.isdecimal()]
    train = tuple(name for name in names if _TRAINS[layout.key](name))
    return Partition(train, tuple(name for name in names if name not in train))
