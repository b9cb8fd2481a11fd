"""Data sets on disk: an index of sequences, and files of records from which single ones are read.

    NAME/dataset.json                        what the set holds, as a whole
    NAME/sequences.csv                       one row a sequence (`COLUMNS`)
    NAME/sequences-00000-of-00016.tfrecord   one ``tf.train.Example`` a sequence

In the index, ``offset`` is where the record starts in its shard (its length header) and ``bytes`` is
the length of its payload, the serialised Example. The frames are the feature ``frames``: one bytes
value with all of them (encoding ``raw``) or one PNG a frame (``png``).
"""

import hashlib
import json
import os
import re
from functools import cached_property
from pathlib import Path

import numpy as np

from keras_gait.data import tfrecord
from keras_gait.errors import GaitError

FORMAT_VERSION = 1
COLUMNS = ("shard", "offset", "bytes", "subject", "condition", "view", "video", "frames")
_HEAD_READ = 2048  # bytes that hold a record's head and all its features but the frames


class GaitDataset:
    """Sequences of frames with their labels; an immutable view on files.

    Attributes: ``path``, ``name``, ``info`` (the dict of ``dataset.json``), ``frame_shape`` (H, W, C),
    ``dtype``, ``fingerprint`` (hex, of the index and the selection); per sequence ``subject``,
    ``condition``, ``view``, ``video`` (NumPy strings) and ``frames`` (int32).

    Args:
        path: the data set's folder.
        info: dict with at least ``frame_shape`` and ``dtype``.
        index: dict with the columns ``subject``, ``condition``, ``view``, ``video``, ``frames``.
        store: object with ``read(row, start, count)``; ``row`` counts in the order of ``index``.
        fingerprint: hex digest of the index.
    """

    def __init__(self, path, info, index, store, fingerprint, rows=None):
        self.path = Path(path)
        self.name = self.path.name
        self.info = info
        self.frame_shape = tuple(info["frame_shape"])
        self.dtype = np.dtype(info["dtype"])
        self.fingerprint = fingerprint
        self.subject, self.condition, self.view, self.video = (
            np.asarray(index[key], dtype=str) for key in ("subject", "condition", "view", "video")
        )
        self.frames = np.asarray(index["frames"], np.int32)
        self._store = store
        self._rows = np.arange(len(self.frames)) if rows is None else rows

    def __len__(self):
        return len(self.frames)

    def __repr__(self):
        return f"GaitDataset({str(self.path)!r}: {len(self)} sequences of {len(self.subjects)} subjects)"

    @cached_property
    def subjects(self):
        """Sorted unique subjects, by number where all are numbers."""
        unique = sorted(set(self.subject.tolist()))
        if all(name.isdecimal() for name in unique):
            unique.sort(key=int)
        return np.array(unique, dtype=self.subject.dtype)

    @cached_property
    def labels(self):
        """Index of each sequence's subject in ``subjects``, int32 ``(n,)``."""
        place = {name: label for label, name in enumerate(self.subjects.tolist())}
        return np.array([place[name] for name in self.subject.tolist()], np.int32)

    def select(self, which):
        """The data set of these sequences only (a mask or indices), on the same files."""
        which = np.asarray(which)
        if which.dtype == bool and len(which) != len(self):
            raise ValueError(f"A mask needs one value a sequence. Received: {len(which)} for {len(self)}.")
        which = np.flatnonzero(which) if which.dtype == bool else which.astype(int)
        index = {
            key: getattr(self, key)[which] for key in ("subject", "condition", "view", "video", "frames")
        }
        rows = self._rows[which]
        digest = hashlib.sha256(self.fingerprint.encode() + rows.astype("<i8").tobytes()).hexdigest()
        return GaitDataset(self.path, self.info, index, self._store, digest, rows)

    def read(self, i, start=0, count=None):
        """``count`` frames of sequence ``i`` from ``start`` on (default: all): ``(count, H, W, C)``.

        Safe to call from several threads. Raises GaitError where the record is damaged.
        """
        frames = int(self.frames[i])
        count = frames - start if count is None else count
        if start < 0 or count < 0 or start + count > frames:
            raise ValueError(f"Sequence {i} has {frames} frames. Received: start={start}, count={count}.")
        return self._store.read(int(self._rows[i]), start, count)


class RecordStore:
    """Reads frames out of TFRecord shards by offset.

    A raw sequence costs two reads: the record's head, and exactly the wanted frames into their array.
    """

    def __init__(self, folder, shape, dtype, encoding, index):
        self.folder = Path(folder)
        self.shape, self.dtype, self.encoding = tuple(shape), np.dtype(dtype), encoding
        self.index = index
        self.frame_bytes = int(np.prod(self.shape)) * self.dtype.itemsize

    def read(self, row, start, count):
        shard, offset = self.index["shard"][row], int(self.index["offset"][row])
        try:
            descriptor = os.open(self.folder / shard, os.O_RDONLY)
        except OSError as error:
            raise self._damaged(row, f"cannot be opened ({error.strerror})") from error
        try:
            wanted = int(self.index["bytes"][row])
            head_only = self.encoding == "raw"
            size = tfrecord.HEAD_BYTES + (min(_HEAD_READ, wanted) if head_only else wanted)
            record = os.pread(descriptor, size, offset)
            if tfrecord.record_length(record) != wanted:
                raise self._damaged(row, "has no record of the expected length there")
            if len(record) < size:
                raise self._damaged(row, "ends in the middle of the record")
            payload = memoryview(record)[tfrecord.HEAD_BYTES :]
            try:
                values = tfrecord.find_values(payload, b"frames", wanted)
            except (ValueError, IndexError) as error:
                raise self._damaged(row, f"holds no frames there ({error})") from error
            if head_only:
                return self._read_raw(row, descriptor, offset + tfrecord.HEAD_BYTES, values, start, count)
            return self._decode(row, payload, values, start, count)
        finally:
            os.close(descriptor)

    def _read_raw(self, row, descriptor, base, values, start, count):
        first, end = values[0]
        if len(values) != 1 or end - first != int(self.index["frames"][row]) * self.frame_bytes:
            raise self._damaged(row, f"holds {end - first} bytes of frames, the index says otherwise")
        frames = np.empty((count, *self.shape), self.dtype)
        if (
            count
            and os.preadv(descriptor, [frames.data], base + first + start * self.frame_bytes) != frames.nbytes
        ):
            raise self._damaged(row, "ends in the middle of the record")
        return frames

    def _decode(self, row, payload, values, start, count):
        if len(values) != int(self.index["frames"][row]):
            raise self._damaged(row, f"holds {len(values)} frames, the index says otherwise")
        frames = np.empty((count, *self.shape), self.dtype)
        for place, (first, end) in enumerate(values[start : start + count]):
            frame = decode_png(payload[first:end])
            if frame is None or frame.shape != self.shape:
                raise self._damaged(row, f"holds a damaged PNG (frame {start + place})")
            frames[place] = frame
        return frames

    def _damaged(self, row, what):
        column = {key: self.index[key][row] for key in COLUMNS}
        names = [column[key] for key in ("subject", "condition", "view", "video") if column[key]]
        shard = self.folder / column["shard"]
        return GaitError(
            f"{shard}, offset {column['offset']}, sequence {'/'.join(map(str, names))}: the file {what}. "
            f"It is truncated or damaged: copy it again, or delete {self.folder} and make the data set again."
        )


def encode_png(frame):
    """One uint8 frame ``(H, W, 1 or 3)``, channels R, G, B -> PNG bytes."""
    import cv2

    image = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) if frame.shape[-1] == 3 else frame
    return cv2.imencode(".png", image)[1].tobytes()


def decode_png(data):
    """PNG bytes -> uint8 ``(H, W, 1 or 3)``, channels R, G, B; None where it is no such PNG."""
    import cv2

    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if len(data) else None
    if image is None or image.ndim == 2:
        return None if image is None else image[..., np.newaxis]
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if image.shape[-1] == 3 else None


def read_index(path):
    """``sequences.csv`` -> dict of columns, NumPy arrays: counts as integers, the others as objects."""
    with open(path, encoding="utf-8") as file:
        header = file.readline().strip()
        if header != ",".join(COLUMNS):
            raise GaitError(f"{path}: the first line should be {','.join(COLUMNS)}. Found: {header!r}.")
        kinds = [(key, "i8" if key in ("offset", "bytes", "frames") else "O") for key in COLUMNS]
        try:
            rows = np.loadtxt(
                file, kinds, delimiter=",", quotechar='"', comments=None, ndmin=1, encoding="utf-8"
            )
        except ValueError as error:
            raise GaitError(
                f"{path} is damaged ({' '.join(str(error).split())}): copy the data set again."
            ) from error
    return {key: rows[key] for key in COLUMNS}


def open_dataset(path):
    """Open a data set of ours or an original HDF5 set (its folder, or the info ``.h5`` beside the folder)."""
    path = Path(path)
    if (path / "dataset.json").is_file():
        return _open_records(path)
    if is_hdf5_set(path):
        from keras_gait.data.hdf5 import open_hdf5_dataset

        return open_hdf5_dataset(path)
    if not path.exists():
        raise GaitError(
            f"{path} does not exist. Expected: the folder of a data set (with dataset.json inside)."
        )
    if (path / "plan.json").is_file():
        raise GaitError(f"{path} is an unfinished data set: run the command that makes it again, it goes on.")
    raise GaitError(
        f"{path} is no data set: neither dataset.json inside nor {path.name}.h5 beside it was found."
        f"{_listing(path)}"
    )


def _open_records(path):
    try:
        info = json.loads((path / "dataset.json").read_text(encoding="utf-8"))
        version, encoding, expected = info["version"], info["encoding"], info["counts"]["sequences"]
        shape, dtype = info["frame_shape"], info["dtype"]
    except (ValueError, KeyError, TypeError) as error:
        raise GaitError(
            f"{path / 'dataset.json'} cannot be read ({error!r}): make the data set again."
        ) from error
    if version != FORMAT_VERSION:
        raise GaitError(f"{path}: format version {version}, this package reads version {FORMAT_VERSION}.")
    if not (path / "sequences.csv").is_file():
        raise GaitError(f"{path}: sequences.csv is missing: copy the whole folder again.")
    index = read_index(path / "sequences.csv")
    listed = len(index["shard"])
    if listed != expected:
        raise GaitError(
            f"{path}: sequences.csv lists {listed} sequences, dataset.json says {expected}: "
            "copy the folder again."
        )
    digest = hashlib.sha256((path / "sequences.csv").read_bytes()).hexdigest()
    return GaitDataset(path, info, index, RecordStore(path, shape, dtype, encoding, index), digest)


def is_hdf5_set(path):
    """Whether this is an original set: a folder of ``.h5`` with the info file beside it, or that file."""
    folder = path.with_suffix("") if path.suffix == ".h5" else path
    return folder.is_dir() and folder.with_name(folder.name + ".h5").is_file()


def find_dataset(datadir, role, nclasses=None):
    """The data set for ``role`` ("train", "ft" = gallery, "test" = probe) in the folder ``datadir``.

    ``datadir`` may be the data set itself. Inside it, sets are told by the published names:
    ``..._N074_train_...``. ``nclasses`` picks by the number in the name; for the numbers of the
    gallery sets (50, 5154, 6000), "train" means their "ft" part, as in the original. Returns its path.
    """
    datadir = Path(datadir)
    if not datadir.exists():
        raise GaitError(f"{datadir} does not exist. Expected: a data set, or a folder of data sets.")
    if (datadir / "dataset.json").is_file() or is_hdf5_set(datadir):
        return datadir
    if not datadir.is_dir():
        raise GaitError(f"{datadir} is a file. Expected: a data set, or a folder of data sets.")
    if role == "train" and nclasses in (50, 5154, 6000):
        role = "ft"
    sets = sorted(
        path
        for path in datadir.iterdir()
        if path.is_dir() and ((path / "dataset.json").is_file() or is_hdf5_set(path))
    )
    fitting = [path for path in sets if f"_{role}_" in path.name]
    if nclasses is not None:
        fitting = [path for path in fitting if _subjects_in_name(path.name) == int(nclasses)]
    if len(fitting) == 1:
        return fitting[0]
    wanted = f"_{role}_" + (f" and _N{int(nclasses):03d}_" if nclasses is not None else "")
    found = ", ".join(path.name for path in fitting or sets) or "no data set"
    if fitting:
        raise GaitError(
            f"{datadir} holds {len(fitting)} data sets whose name has {wanted}: {found}. "
            "Give one of these folders itself, or choose by --nclasses."
        )
    raise GaitError(
        f"{datadir} holds no data set whose name has {wanted}. Found: {found}. "
        f"Give the folder of a data set itself, another --nclasses, or make the set first.{_listing(datadir)}"
    )


def _subjects_in_name(name):
    match = re.search(r"_N(\d+)_", name)
    return int(match.group(1)) if match else None


def _listing(path, shown=5):
    """What lies in a folder, for an error message."""
    if not path.is_dir():
        return ""
    names = sorted(os.listdir(path))
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f" In {path.name}: {', '.join(names[:shown]) or 'nothing'}{more}."
