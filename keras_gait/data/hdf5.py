"""AttenGait's original data sets: one HDF5 file a sequence, and an info file that lists them.

The files were written by deepdish 0.3.7 on PyTables; h5py alone reads them. Scalars are attributes,
arrays are data sets, lists are groups titled ``list:N`` with items ``i0``, ``i1``, ..., long lists are
pickles (read by `keras_gait.data.unpickle`).
"""

import hashlib
import re
from contextlib import contextmanager, suppress

import h5py
import hdf5plugin  # noqa: F401  (lets h5py read blosc-compressed files)
import numpy as np

from keras_gait.data import unpickle
from keras_gait.data.dataset import GaitDataset
from keras_gait.data.problems import Problem
from keras_gait.data.writer import Sequence
from keras_gait.errors import DAMAGED_HDF5, GaitError

_BOOKKEEPING = {
    "CLASS",
    "TITLE",
    "VERSION",
    "FLAVOR",
    "PYTABLES_FORMAT_VERSION",
    "DEEPDISH_IO_VERSION",
    "DEEPDISH_IO_UNPACK",
}
_SOURCES = {"casiab": "CASIA-B", "grew": "GREW", "oumvlp": "OU-MVLP"}
_UNKNOWN_LABEL = 65535  # a GREW probe: -1 as uint16
_CASIA_NAME = re.compile(r"(\d+)_(?:([^_]+)-)?(\d+)_(\d+)$")  # 001_nm-01_090
_OUMVLP_NAME = re.compile(r"(\d+)_(\d{3})_(\d+)$")  # 00001_090_00
_GREW_NAME = re.compile(r"(\d+)_(.+)$")  # 001_<sequence>


def read_hdf5(path):
    """A whole deepdish file as Python objects: dict, list, tuple, str, NumPy arrays and scalars, None."""
    try:
        with h5py.File(path, "r") as file:
            tree = _read_dict(file, str(path))
            return tree["data"] if "DEEPDISH_IO_UNPACK" in file.attrs else tree
    except GaitError:
        raise
    except DAMAGED_HDF5 as error:
        raise GaitError(f"{path} cannot be read as an HDF5 file ({error}): copy it again.") from error


def _read_dict(group, path):
    tree = {key: _scalar(value) for key, value in group.attrs.items() if key not in _BOOKKEEPING}
    return tree | {key: _read_node(group[key], path) for key in group}


def _read_node(node, path):
    if isinstance(node, h5py.Dataset):
        return _read_array(node, path)
    kind, _, size = _scalar(node.attrs.get("TITLE", "")).partition(":")
    if kind == "nonetype":
        return None
    if kind in ("list", "tuple"):
        items = _read_dict(node, path)
        ordered = [items[f"i{place}"] for place in range(int(size))]
        return tuple(ordered) if kind == "tuple" else ordered
    return _read_dict(node, path)


def _read_array(node, path):
    if "zeroarray_dtype" in node.attrs:
        return np.zeros(tuple(node[()]), _scalar(node.attrs["zeroarray_dtype"]))
    if _scalar(node.attrs.get("PSEUDOATOM", "")) == "object":
        return unpickle.loads(node[0].tobytes(), f"{path}{node.name}")
    values = node[()]
    if "strtype" in node.attrs:
        size = int(node.attrs["itemsize"])
        kind = f"<U{size // 4}" if _scalar(node.attrs["strtype"]) == "unicode" else f"S{size}"
        values = np.ascontiguousarray(values).view(kind)[..., 0]
    return values


def _scalar(value):
    """An attribute's value; byte strings become text."""
    if isinstance(value, h5py.Empty):
        return ""
    return value.decode("utf-8") if isinstance(value, bytes) else value


class Hdf5Store:
    """Reads frames out of the sequence files of an original set."""

    def __init__(self, folder, files, frames):
        self.folder, self.files, self.frames = folder, files, frames

    def read(self, row, start, count):
        path = self.folder / self.files[row]
        with _frames(path) as data:
            if len(data) != self.frames[row]:
                raise GaitError(f"{path} holds {len(data)} frames, the info file says {self.frames[row]}.")
            return data[start : start + count]


@contextmanager
def _frames(path):
    """The frames of one sequence file, an open h5py data set."""
    try:
        with h5py.File(path, "r") as file:
            yield file["data"]
    except GaitError:
        raise
    except DAMAGED_HDF5 as error:
        raise GaitError(f"{path} is missing or damaged ({error}): copy it again.") from error


def load_hdf5_sequence(path):
    """``(frames, problems)`` of one sequence file, for the writer; a damaged one has none."""
    try:
        with _frames(path) as data:
            return data[()], []
    except GaitError as error:
        return np.zeros(0, np.uint8), [Problem(str(path), f"damaged file ({error.__cause__})", mendable=True)]


def open_hdf5_dataset(folder, info_path):
    """An original set as a `GaitDataset`: its folder, and the info file beside it."""
    info = read_hdf5(info_path)
    missing = [key for key in ("file", "label", "frames") if key not in info]
    if missing:
        raise GaitError(f"{info_path} has no {' and no '.join(missing)}: it is no info file of a data set.")
    files, labels = [str(name) for name in info["file"]], np.asarray(info["label"]).tolist()
    cams = np.asarray(info["cam"]).tolist() if "cam" in info else [None] * len(files)
    frames = [len(numbers) for numbers in info["frames"]]
    if not files or not len(files) == len(labels) == len(cams) == len(frames):
        raise GaitError(
            f"{info_path} lists {len(files)} files, {len(labels)} labels, {len(cams)} views and "
            f"{len(frames)} frame lists: these should be as many and not none."
        )
    named = [_fields(*row) for row in zip(files, labels, cams, strict=True)]
    index = dict(zip(("subject", "condition", "view", "video"), zip(*named, strict=True), strict=True))
    first = _first_frames(folder, files)
    described = {
        "modality": "flow",
        "source": next((full for word, full in _SOURCES.items() if word in folder.name), folder.name),
        "split": next((role for role in ("train", "ft", "test") if f"_{role}_" in folder.name), ""),
        "encoding": "hdf5",
        "frame_shape": first.shape[1:],
        "dtype": str(first.dtype),
    }
    stamps = [_stamp(folder / file) for file in files]
    fingerprint = hashlib.sha256(repr((files, labels, cams, frames, stamps)).encode()).hexdigest()
    store = Hdf5Store(folder, files, frames)
    return GaitDataset(folder, described, index | {"frames": frames}, store, fingerprint)


def _stamp(path):
    """Size and time of change, which tell sets apart whose info files are alike; None of a missing file."""
    try:
        found = path.stat()
    except OSError:
        return None  # it is reported when it is read
    return found.st_size, found.st_mtime_ns


def _first_frames(folder, files):
    """The frames of the first sequence file that can be read; all have the same shape and dtype."""
    for file in files:
        with suppress(GaitError), _frames(folder / file) as data:  # it is reported when it is read
            return data[()]
    raise GaitError(f"{folder}: none of the {len(files)} files that {folder.name}.h5 lists can be read.")


def hdf5_sequences(ds):
    """The sequences of an original set, as the writer takes them."""
    fields = zip(ds.subject, ds.condition, ds.view, ds.video, strict=True)
    return [
        Sequence(*map(str, field), str(ds.path / file))
        for field, file in zip(fields, ds._store.files, strict=True)
    ]


def _fields(file, label, cam):
    """``(subject, condition, view, video)`` of a sequence, from its file name, label and view."""
    stem = file.removesuffix(".h5")
    if label == _UNKNOWN_LABEL:
        return "", "", "", stem
    if cam is None:
        match = _GREW_NAME.match(stem)
        return (match[1], "", "", match[2]) if match else (str(label), "", "", stem)
    view = f"{270 if cam == 14 else cam:03d}"  # OU-MVLP's info files hold 270 as 14
    if match := _OUMVLP_NAME.match(stem):
        return match[1], "", view, match[3]
    if match := _CASIA_NAME.match(stem):
        return match[1], match[2] or "", view, match[3]
    return str(label), "", view, stem
