"""How the raw data sets lie on disk as published: which folder is which sequence, and which split.

CASIA-B  ``<id>/<type>-<number>/<view>/``   OU-MVLP  ``<id>/<view>_<seq>/``
GREW     ``<id>/<seq>/`` (training, gallery) or ``<folder>/`` (probe, subject unknown)
"""

import os
import re
from pathlib import Path

from keras_gait.data.writer import Sequence
from keras_gait.errors import GaitError
from keras_gait.vision.images import image_names

CASIA_TRAIN, CASIA_TEST = 74, 50  # subjects of the published split
CASIA_GALLERY = tuple(("nm", f"{number:02d}") for number in range(1, 5))
OUMVLP_LAST_TRAIN = 10306  # odd ids below train; even ids, and the odd one above, test


def check_folder(path, flag):
    """The folder that a flag names, or a GaitError that says what is wrong with it."""
    if not path:
        raise GaitError(f"{flag} is needed: the folder to read from.")
    path = Path(path)
    if not path.is_dir():
        raise GaitError(f"{flag} {path} does not exist or is no folder.")
    return path


def folders(path):
    """Names of the sub-folders, sorted; hidden ones (unfinished work) are left out."""
    return sorted(
        entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith(".")
    )


def _check_level(folder, root):
    """`GaitError` where ``folder``, taken for a sequence of the tree ``root``, holds folders."""
    if folders(folder):
        raise GaitError(
            f"{folder} holds folders where images are expected: {root} is a level too high, name a folder "
            f"in it, such as {root / folder.relative_to(root).parts[0]}."
        )


def _found(sequences, root, layout):
    if not sequences:
        names = sorted(os.listdir(root))[:5]
        raise GaitError(
            f"{root} holds no sequences: expected folders {layout}, found {', '.join(names) or 'nothing'}."
        )
    return sequences


def casiab(root):
    """All sequences of a CASIA-B tree; conditions may have any name, "nm-01" or plain "walk"."""
    root, sequences = Path(root), []
    for subject in folders(root):
        for kind in folders(root / subject):
            condition, _, video = kind.rpartition("-") if re.search(r"-\d+$", kind) else (kind, "", "")
            views = folders(root / subject / kind)
            if views:
                _check_level(root / subject / kind / views[0], root)
            for view in views:
                source = root / subject / kind / view
                sequences.append(Sequence(subject, condition, view, video, str(source)))
    return _found(sequences, root, "<id>/<type>-<number>/<view>/")


def grew(root, levels=(1, 2)):
    """All sequences of a GREW tree. A folder of images right under the root is a probe: no subject."""
    root, sequences = Path(root), []
    for first in folders(root):
        inner = folders(root / first)
        if inner:
            _check_level(root / first / inner[0], root)
        if 2 in levels:
            sequences += [Sequence(first, "", "", seq, str(root / first / seq)) for seq in inner]
        if 1 in levels and not inner:
            sequences.append(Sequence("", "", "", first, str(root / first)))
    return _found(sequences, root, " or ".join(("<folder>/", "<id>/<seq>/")[level - 1] for level in levels))


def oumvlp(root):
    """All sequences of an OU-MVLP tree."""
    root, sequences = Path(root), []
    for subject in folders(root):
        for folder in folders(root / subject):
            view, separator, video = folder.partition("_")
            if separator:
                sequences.append(Sequence(subject, "", view, video, str(root / subject / folder)))
    return _found(sequences, root, "<id>/<view>_<seq>/")


def casiab_split(sequences, role, train_subjects=CASIA_TRAIN):
    """The sequences of ``role``: "train" (ids up to ``train_subjects``), or of the rest "ft" or "test".

    "ft" is the gallery, nm-01 to nm-04; "test" everything else. Subjects whose names are no numbers
    count by their place in the sorted list.
    """
    names = sorted({sequence.subject for sequence in sequences})
    numbers = {name: int(name) if name.isdecimal() else place for place, name in enumerate(names, 1)}

    def belongs(sequence):
        if numbers[sequence.subject] <= train_subjects:
            return role == "train"
        gallery = (sequence.condition, sequence.video) in CASIA_GALLERY
        return role == ("ft" if gallery else "test")

    return [sequence for sequence in sequences if belongs(sequence)]


def casiab_stem(role, sequences, train_subjects=CASIA_TRAIN):
    """The published name of the set; with another split, with the numbers of this split."""
    count = train_subjects
    if role != "train":
        others = len({s.subject for s in casiab_split(sequences, "ft", train_subjects)})
        count = CASIA_TEST if train_subjects == CASIA_TRAIN else others
    return f"tfimdb_casiab_N{count:03d}_{role}_of30_64x64"


def oumvlp_split(sequences, role):
    """The sequences of ``role``: "train", or of the test subjects "ft" (seq 01) or "test" (the others)."""

    def belongs(sequence):
        number = int(sequence.subject)
        if number % 2 and number < OUMVLP_LAST_TRAIN:
            return role == "train"
        return role == ("ft" if sequence.video == "01" else "test")

    return [sequence for sequence in sequences if sequence.subject.isdecimal() and belongs(sequence)]


def frame_files(folder):
    """Paths of a sequence folder's images in name order."""
    return [os.path.join(folder, name) for name in image_names(folder)]
