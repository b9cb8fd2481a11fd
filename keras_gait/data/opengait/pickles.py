"""Trees of pickles as OpenGait reads them: ``<root>/<id>/<type>/<view>/<any name>.pkl``, one array each.

OpenGait takes every file of a sequence's folder for data, so what else is to be told lies aside: which
frames of the raw sequence were kept, where some were dropped, in ``<root>/.frames/<id>/<type>/<view>.json``.
"""

import json
import os
import pickle
from pathlib import Path

import numpy as np

from keras_gait.data.layouts import folders
from keras_gait.data.problems import read_json
from keras_gait.data.unpickle import loads
from keras_gait.errors import GaitError
from keras_gait.files import write_whole, written_whole

FRAMES = ".frames"  # the hidden tree of notes about dropped frames
LAYOUT = "<id>/<type>/<view>/"


def read_array_pickle(path):
    """The one array of a pickle, frames first.

    Raises:
        RefusedPickle: it asks for more than NumPy arrays; nothing of it was run.
        GaitError: it cannot be read, is damaged, holds no array of numbers or no frames.
    """
    try:
        found = loads(Path(path).read_bytes(), path)
    except OSError as error:
        raise GaitError(f"{path}: this file cannot be read ({error.strerror}).") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "buif" or not found.ndim:
        what = f"an array of {found.dtype}" if isinstance(found, np.ndarray) else type(found).__name__
        raise GaitError(f"{path}: expected a pickled array of numbers, frames first, and found {what}.")
    if not len(found):
        raise GaitError(f"{path}: this array has no frames (shape {found.shape}).")
    return found


def write_array_pickle(path, array):
    """Write ``array`` as a pickle, whole or not at all, that every version of NumPy loads alike."""
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        _ArrayPickler(file, protocol=4).dump(np.ascontiguousarray(array))


class _ArrayPickler(pickle.Pickler):
    """Arrays by ``numpy.ndarray`` itself: NumPy 2's own pickles name modules that NumPy 1 does not have."""

    def reducer_override(self, found):
        if type(found) is np.ndarray and not found.dtype.hasobject:
            return np.ndarray, (found.shape, found.dtype.str, bytearray(found.tobytes()))
        return NotImplemented


def sequence_folders(root):
    """The relative paths ``<id>/<type>/<view>`` of a tree, sorted; another depth is a `GaitError`."""
    root, found = Path(root), []
    for subject in folders(root):
        for kind in folders(root / subject):
            views = folders(root / subject / kind)
            if views and (inner := folders(root / subject / kind / views[0])):
                raise GaitError(
                    f"{root / subject / kind / views[0]} holds folders ({inner[0]}, ...) where files are "
                    f"expected: {root} is a level too high for {LAYOUT}, name a folder in it, such as "
                    f"{root / subject}."
                )
            found += [f"{subject}/{kind}/{view}" for view in views]
    if not found:
        raise GaitError(f"{root} holds no sequences: expected folders {LAYOUT}, found {_example(root)}.")
    return found


def _example(root):
    """What lies in a folder without sequences, in words, with the remedy where it is plain."""
    for place, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        shown = sorted(name for name in files if not name.startswith("."))
        if shown:
            depth = len(Path(place).relative_to(root).parts)
            below = f"; {root} seems a level too low" if depth < 3 else ""
            return f"files in {place}, such as {shown[0]}{below}"
    return "no files at all"


def note_frames(root, relative, kept, count):
    """Note that the sequence ``relative`` kept the frames ``kept`` (positions, from 0) of its ``count``."""
    note = _frames_note(root, relative)
    if len(kept) == count:
        note.unlink(missing_ok=True)  # of an earlier run
    else:
        write_whole(note, json.dumps({"frames": count, "kept": [int(place) for place in kept]}))


def noted_frames(root, relative, count):
    """The positions of a sequence's ``count`` frames in its raw sequence, and how many that one had.

    Returns ``(int array (count,), frames)``; without a note all were kept.
    """
    note = _frames_note(root, relative)
    if not note.is_file():
        return np.arange(count), count
    noted = read_json(note)
    if len(noted["kept"]) != count:
        raise GaitError(f"{note} tells of {len(noted['kept'])} frames, {relative} has {count}: make it anew.")
    return np.array(noted["kept"], np.int64), noted["frames"]


def _frames_note(root, relative):
    return Path(root, FRAMES, f"{relative}.json")
