"""Raw OU-MVLP and GREW trees seen as OpenGait's ``<id>/<type>/<view>``, without rearranging them first.

OU-MVLP silhouettes  Silhouette_<view>-<seq>/<id>/          -> <id>/<seq>/<view>
OU-MVLP poses        <id>/<view>_<seq>/                     -> <id>/<seq>/<view>
GREW                 train/<id>/<seq>/                      -> <id>train/00/<seq>
                     test/gallery/<id>/<seq>/               -> <id>/01/<seq>, the next one <id>/02/<seq>
                     test/probe/<seq>/                      -> probe/03/<seq>
any other            <id>/<type>/<view>/                    as it is
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from keras_gait.data.layouts import folders
from keras_gait.data.opengait.layouts import LAYOUTS
from keras_gait.data.opengait.pickles import sequence_folders
from keras_gait.errors import GaitError

_GREW_PLACES = ("test/gallery", "test/probe")  # beside test lie train and others, such as distractors
GREW_FIRST_TYPE = 1  # of the gallery's sequences, in the order of their names
DATASETS = ("casiae", *(key.replace("-", "") for key in LAYOUTS))


def dataset_name(text, flag):
    """The one of `DATASETS` that ``text`` means, in whatever case and with or without a dash."""
    name = text.lower().replace("-", "")
    if name not in DATASETS:
        raise GaitError(f"{flag} {text} is not known: use one of {', '.join(DATASETS)}.")
    return name


class RawTree(NamedTuple):
    """A raw tree and the layout that it has, by `raw_tree`; small, so that every job can carry it."""

    root: str
    layout: str

    def sequences(self):
        """The relative paths ``<id>/<type>/<view>`` of all sequences, sorted."""
        found = sorted(_SEQUENCES[self.layout](Path(self.root)))
        if not found:
            raise GaitError(f"{self.root} looks like {self.layout}, but holds no sequences.")
        return found

    def source(self, relative):
        """The folder that the sequence ``<id>/<type>/<view>`` lies in."""
        return Path(self.root, _SOURCES[self.layout](*relative.split("/")))


def raw_tree(root):
    """The `RawTree` of ``root``; its layout is told by the names of the folders."""
    names = folders(root)
    if any(re.fullmatch(r"Silhouette_\d+-\d+", name) for name in names):
        return RawTree(str(root), "OU-MVLP's silhouettes")
    delivered = any(os.path.isdir(os.path.join(root, place)) for place in _GREW_PLACES)
    if delivered or (names and set(names) <= {"train", "test"}):
        return RawTree(str(root), "GREW")
    inner = folders(Path(root, names[0])) if names else []
    if inner and all(re.fullmatch(r"\d+_\d+", name) for name in inner) and not _deep(Path(root, names[0])):
        return RawTree(str(root), "OU-MVLP's poses")
    return RawTree(str(root), "OpenGait")


def _deep(folder):
    return any(folders(folder / name) for name in folders(folder))


def _oumvlp_silhouettes(root):
    for name in folders(root):
        found = re.fullmatch(r"Silhouette_(\d+)-(\d+)", name)
        if found:
            yield from (f"{subject}/{found[2]}/{found[1]}" for subject in folders(root / name))


def _oumvlp_poses(root):
    for subject in folders(root):
        for name in folders(root / subject):
            view, _, seq = name.partition("_")
            yield f"{subject}/{seq}/{view}"


def _grew(root):
    for subject in folders(root / "train") if (root / "train").is_dir() else ():
        yield from (f"{subject}train/00/{seq}" for seq in folders(root / "train" / subject))
    gallery, probe = root / "test" / "gallery", root / "test" / "probe"
    for subject in folders(gallery) if gallery.is_dir() else ():
        numbered = enumerate(folders(gallery / subject), GREW_FIRST_TYPE)
        yield from (f"{subject}/{number:02d}/{seq}" for number, seq in numbered)
    if probe.is_dir():
        yield from (f"probe/03/{seq}" for seq in folders(probe))


def _grew_source(subject, kind, seq):
    if subject == "probe":
        return Path("test", "probe", seq)
    if kind == "00":
        return Path("train", subject.removesuffix("train"), seq)
    return Path("test", "gallery", subject, seq)


_SEQUENCES = {
    "OU-MVLP's silhouettes": _oumvlp_silhouettes,
    "OU-MVLP's poses": _oumvlp_poses,
    "GREW": _grew,
    "OpenGait": sequence_folders,
}
_SOURCES = {
    "OU-MVLP's silhouettes": lambda subject, seq, view: Path(f"Silhouette_{view}-{seq}", subject),
    "OU-MVLP's poses": lambda subject, seq, view: Path(subject, f"{view}_{seq}"),
    "GREW": _grew_source,
    "OpenGait": Path,
}
