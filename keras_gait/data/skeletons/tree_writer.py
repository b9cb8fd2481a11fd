"""Write windows of 3-D skeletons as the published tree of npy files (SGE).

<output>/<D>/<f>/<D>_train_npy_data/source_<a>_<D>_<f>.npy, target_..., ids_<D>_<f>.npy, frame_id_...
<output>/<D>/<f>/<D>_test_npy_data/t_source_<a>_<T>_<f>.npy, t_target_..., ids_<T>_<f>.npy, frame_id_...

<a> is x, y, z and <T> is <D>, or <D>-A and <D>-B for two test sets. Rows are frames, windows back to back;
targets are the windows reversed. A folder that is there is finished.
"""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gait.data.skeletons.sets import AXES
from keras_gait.data.skeletons.windows import plan_windows, prepare, windows_of
from keras_gait.files import UNFINISHED, unfinished


class PersonFrames(NamedTuple):
    """One recording: the person's number in the files, and ``(F, J, 3)`` float32."""

    person: int
    frames: np.ndarray


def write_npy_tree(folder, name, splits, rules):
    """Write the npy folders of one data set and length, unless they are there.

    Args:
        folder: ``<output>/<name>/<f>``.
        splits: dict of "train" and of "test", or "test-A" and "test-B" -> list of `PersonFrames`, none
            shorter than a window and what is cut.
        rules: dict of "train" and "test" -> `WindowRules`.

    Returns:
        Dict of split -> count of windows in what was written now.
    """
    written = {}
    for role in ("train", "test"):
        target = Path(folder, f"{name}_{role}_npy_data")
        if target.is_dir():
            print(f"{target} is there already")
            continue
        draft = unfinished(target)
        draft.mkdir(parents=True)
        for split in [split for split in splits if split.partition("-")[0] == role]:
            _, dash, tag = split.partition("-")
            written[split] = _write_set(draft, role, f"{name}{dash}{tag}", splits[split], rules[role])
        _move(draft, target)
    return written


def _move(draft, target):
    try:
        os.replace(draft, target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(draft)  # another shard was faster; it wrote the same


def remove_drafts(folder):
    """Remove what killed runs left in ``folder``; only when no other run writes there."""
    for draft in Path(folder).glob(f"{UNFINISHED}*_npy_data"):
        shutil.rmtree(draft)


def _write_set(folder, role, tag, recordings, rules):
    """Write the files of one set -> count of windows."""
    recordings = [PersonFrames(each.person, prepare(each.frames, rules)) for each in recordings]
    plan = plan_windows([len(each.frames) for each in recordings], rules)
    owners = np.repeat([recordings[n].person for n, _ in plan], [len(starts) for _, starts in plan])
    prefix, end = "t_" if role == "test" else "", f"{tag}_{rules.length}.npy"
    shape = len(owners) * rules.length, recordings[0].frames.shape[1]
    for number, axis in enumerate(AXES):
        for what, step in (("source", 1), ("target", -1)):
            blocks = (
                windows_of(recordings[n].frames[..., number], starts, rules.length)[:, ::step]
                for n, starts in plan
            )
            _save_blocks(folder / f"{prefix}{what}_{axis}_{end}", blocks, shape)
    ids = {int(person): np.flatnonzero(owners == person).tolist() for person in np.unique(owners)}
    np.save(folder / f"ids_{end}", np.array(ids, dtype=object), allow_pickle=True)
    np.save(folder / f"frame_id_{end}", owners.astype(np.int64))
    return len(owners)


def _save_blocks(path, blocks, shape):
    """What `numpy.save` writes of the float32 ``blocks`` in one array of ``shape``, one after the other."""
    with open(path, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(block.astype("<f4").tobytes())
