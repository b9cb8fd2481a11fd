"""Data sets on disk: an index of sequences, and files of records from which single ones are read.

    NAME/dataset.json                        what the set holds, as a whole
    NAME/sequences.csv                       one row a sequence (`COLUMNS`)
    NAME/sequences-00000-of-00016.tfrecord   one ``tf.train.Example`` a sequence

In the index, ``offset`` is where the record starts in its shard (its length header) and ``bytes`` is
the length of its payload, the serialised Example. The frames are the feature ``frames``: one bytes
value with all of them (encoding ``raw``) or one PNG a frame (``png``).
"""

import hashlib
import os
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
    ``dtype``, ``fingerprint`` (hex, of the index, of what the frames are made from and of the selection); per
    sequence ``subject``, ``condition``, ``view``, ``video`` (NumPy strings) and ``frames`` (int32).

    Args:
        path: the data set's folder.
        info: dict with at least ``frame_shape`` and ``dtype``.
        index: dict with the columns ``subject``, ``condition``, ``view``, ``video``, ``frames``.
        store: object with ``read(row, start, count)``; ``row`` counts in the order of ``index``.
        fingerprint: hex digest of the index and of what tells this set's frames from another's.
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

        Safe to call from several threads. Raises GaitError where the record is cut off or its structure is
        damaged; the pixels of encoding ``raw`` are not checked.
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
        except OSError as error:
            raise self._damaged(row, f"cannot be read there ({error.strerror})") from error
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
    numbers = ("offset", "bytes", "frames")
    kinds = [(key, "i8" if key in numbers else "O") for key in COLUMNS]
    try:
        with open(path, encoding="utf-8") as file:
            header = file.readline().strip()
            if header != ",".join(COLUMNS):
                raise GaitError(f"{path}: the first line should be {','.join(COLUMNS)}. Found: {header!r}.")
            rows = np.loadtxt(
                file, kinds, delimiter=",", quotechar='"', comments=None, ndmin=1, encoding="utf-8"
            )
    except GaitError:
        raise
    except ValueError as error:  # no UTF-8, or no table
        raise GaitError(
            f"{path} is damaged ({' '.join(str(error).split())}): copy the data set again."
        ) from error
    for key in numbers:
        for shard in rows["shard"][rows[key] < 0][:1]:
            raise GaitError(f"{path} is damaged (a negative {key} in {shard}): copy the data set again.")
    return {key: rows[key] for key in COLUMNS}
