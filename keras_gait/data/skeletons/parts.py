"""The files of one folder of skeleton sequences (.npy), as the published trees have them.

source_x_BIWI_6.npy  target_x_BIWI_6.npy  (y, z)  ids_BIWI_6.npy  frame_id_BIWI_6.npy   "t_" before the first
                                                                                       two in a test folder

An array holds one coordinate in metres, ``(sequences * f, joints)``, a row a frame. The target is the same
sequence backwards: it is compared and not kept. ``frame_id`` repeats what the ids tell.
"""

import re
import tokenize

import numpy as np

from keras_gait.data.problems import Problem
from keras_gait.data.skeletons.ids import read_ids, rows_of_persons
from keras_gait.data.skeletons.sets import AXES, Part
from keras_gait.errors import GaitError

CHUNK = 4096  # sequences that are looked at in one go


def _file_names(prefix, tag, length):
    """``(sources, targets, ids, frame_id)``: the first two are lists of the names of x, y and z."""
    end = f"{tag}_{length}.npy"
    sources, targets = ([f"{prefix}{kind}_{axis}_{end}" for axis in AXES] for kind in ("source", "target"))
    return sources, targets, f"ids_{end}", f"frame_id_{end}"


def read_part(folder, prefix, tag, joints, length):
    """The sequences of one folder that are of one tag ("BIWI", "IAS-A") -> (`Part`, list of `Problem`).

    ``prefix`` is what the names of sources and targets begin with: "" or "t_". ``joints`` of 0 are as many as
    there are. Sequences with a value that is no finite number, and those of nobody, are left out and told.
    Raises GaitError where the files cannot be used at all.
    """
    sources, targets, ids, _ = _file_names(prefix, tag, length)
    _check_there(folder, [*sources, ids], prefix, tag, length)
    arrays = [open_axis(folder / name, joints, length) for name in sources]
    shapes = [f"{array.shape}" for array in arrays]
    if len(set(shapes)) > 1:
        raise GaitError(
            f"{folder}: x, y and z of {prefix}source_*_{tag}_{length}.npy are of unequal shapes, "
            f"{', '.join(shapes)}: get them again."
        )
    count, whole = len(arrays[0]) // length, True
    rows, problems = rows_of_persons(read_ids(folder / ids), count, folder / ids)
    for array, source, target in zip(arrays, sources, targets, strict=True):
        mirror, found = _open_target(folder / target, array.shape, joints, length)
        finite, differs = _look_through(array, mirror, length)
        whole = whole & finite
        problems += found
        problems += _told(folder / source, ~finite, "with a value that is no finite number are left out")
        problems += _told(folder / target, differs, "are not those of the source backwards, and are not used")
    rows = {subject: own[whole[own]] for subject, own in rows.items()}
    if not sum(map(len, rows.values())):
        raise GaitError(f"{folder} holds no sequence of {tag} that can be used: get its files again.")
    return Part(tuple(folder / name for name in sources), arrays[0].shape[1], rows), problems


def _told(path, mask, what):
    """The problem that the sequences of ``mask`` have, as a list of one or none."""
    if not mask.any():
        return []
    return [Problem(str(path), f"{mask.sum()} of {len(mask)} sequences, first {mask.argmax()}, {what}", True)]


def _check_there(folder, names, prefix, tag, length):
    """`GaitError` where one of the files is missing; it tells the lengths that there are."""
    missing = [name for name in names if not (folder / name).is_file()]
    if not missing:
        return
    pattern = re.compile(rf"{prefix}source_x_{re.escape(tag)}_([0-9]+)[.]npy")
    found = [pattern.fullmatch(path.name) for path in folder.glob("*.npy")]
    lengths = sorted({int(match[1]) for match in found if match} - {length})
    hint = f"give --length {' or '.join(map(str, lengths))}" if lengths else "get it again"
    raise GaitError(f"{folder} lacks {', '.join(missing)}: {hint}.")


def open_axis(path, joints, length):
    """The memory map of one coordinate, ``(sequences * length, joints)``; GaitError where it is not that."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, SyntaxError, TypeError, OverflowError, tokenize.TokenError) as error:
        raise GaitError(
            f"{path} is cut off, damaged or no .npy file of numbers ({error}): get it again."
        ) from error
    if array.dtype.kind not in "fiu" or array.ndim != 2:
        raise GaitError(
            f"{path} is an array {array.shape} of {array.dtype}; expected numbers (frames, joints): get it "
            "again."
        )
    if joints and array.shape[1] != joints:
        raise GaitError(
            f"{path} has {array.shape[1]} joints; expected {joints}: name the --dataset that it is of."
        )
    if len(array) % length:
        raise GaitError(
            f"{path} has {len(array)} rows, which are no sequences of {length} frames: it is of another "
            "length or cut off; get it again."
        )
    return array


def _open_target(path, shape, joints, length):
    """The target's memory map, or None with the problem that says why it is not compared."""
    if not path.is_file():
        return None, [Problem(str(path), "not there, so its source is not compared with it")]
    try:
        target = open_axis(path, joints, length)
    except GaitError as error:
        return None, [Problem(str(path), str(error).removeprefix(f"{path} "), True)]
    if target.shape != shape:
        return None, [Problem(str(path), f"an array {target.shape}, where the source is {shape}", True)]
    return target, []


def _look_through(source, target, length):
    """Which sequences are finite, and which differ from the target -> two masks ``(sequences,)``."""
    count, joints = len(source) // length, source.shape[1]
    finite, differs = np.ones(count, bool), np.zeros(count, bool)
    for start in range(0, count, CHUNK):
        block, rows = slice(start, start + CHUNK), slice(start * length, (start + CHUNK) * length)
        frames = source[rows].reshape(-1, length, joints)
        with np.errstate(over="ignore"):
            finite[block] = np.isfinite(frames.astype(np.float32)).all(axis=(1, 2))
        if target is not None:
            mirror = target[rows].reshape(-1, length, joints)[:, ::-1]
            differs[block] = (frames != mirror).any(axis=(1, 2)) & finite[block]
    return finite, differs


def note_strangers(folder, prefix, tags, length):
    """A `Problem` for each file of ``folder`` that does not belong to the parts of ``tags``."""
    known = set()
    for tag in tags:
        sources, targets, *others = _file_names(prefix, tag, length)
        known.update(sources, targets, others)
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    what = "not of this data set and length: ignored"
    return [Problem(str(path), what) for path in files if path.name not in known]
