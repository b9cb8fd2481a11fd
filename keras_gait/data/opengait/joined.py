"""Skeleton maps and silhouettes of the same frames side by side, as SkeletonGait++ reads them in OpenGait.

    <id>/<type>/<view>/0_heatmap.pkl   [T, 2, H, W]
    <id>/<type>/<view>/1_sil.pkl       [T, H, W]

Links, or new pickles where one of the two lacks frames of the raw sequence and a note says which.
"""

import contextlib
import os
from pathlib import Path

import numpy as np

from keras_gait.data.opengait.pickles import noted_frames, read_array_pickle, write_array_pickle
from keras_gait.data.problems import Problem
from keras_gait.data.unpickle import RefusedPickle
from keras_gait.errors import GaitError
from keras_gait.files import unfinished

NAMES = ("0_heatmap.pkl", "1_sil.pkl")
WHAT = ("heat-map", "silhouette")
ENDING = ".pkl"


def join_sequence(trees, endings, output, relative):
    """Job: put the two files of one sequence side by side; what does not match is taken away.

    Args:
        trees: roots of heat-maps and silhouettes, absolute. endings: of their files' names; of several
            in a folder the first is taken.
        output: root of the links. relative: the sequence.

    Returns a list of `Problem`.
    """
    target = Path(output, relative)
    found = [_first_file(Path(tree, relative), ending) for tree, ending in zip(trees, endings, strict=True)]
    problems = _missing(found, endings, relative)
    if not problems:
        try:
            problems = _join(trees, found, target, relative)
        except RefusedPickle:
            raise
        except GaitError as error:
            problems = [Problem(relative, str(error), mendable=True)]
    if any(problem.mendable for problem in problems):
        for name in NAMES:
            (target / name).unlink(missing_ok=True)
    return problems


def _missing(found, endings, relative):
    """The problem of a sequence that lacks one of its ``found`` files or both, as a list of one or none."""
    lacking = [place for place in (0, 1) if found[place] is None]
    if not lacking:
        return []
    wanted = " and no ".join(f"{WHAT[place]} (*{endings[place]})" for place in lacking)
    what = f"no {wanted}" if len(lacking) == 2 else f"{WHAT[1 - lacking[0]]} without a {wanted}"
    return [Problem(relative, what, mendable=True)]


def _first_file(folder, ending):
    """The first file of ``folder`` by name with this ending, or None."""
    if not folder.is_dir():
        return None
    names = (name for name in os.listdir(folder) if name.endswith(ending) and not name.startswith("."))
    first = min(names, default=None)
    return first and folder / first


def _join(trees, files, target, relative):
    """Link or cut the two files; both must be whole and of the same raw frames."""
    arrays = [read_array_pickle(file) for file in files]
    for file, array, (axes, shape) in zip(
        files, arrays, ((4, "[T, 2, H, W]"), (3, "[T, H, W]")), strict=True
    ):
        if array.ndim != axes or (axes == 4 and array.shape[1] != 2):
            raise GaitError(f"{file}: expected {shape}, found {list(array.shape)}; is this the right file?")
    noted = [noted_frames(tree, relative, len(array)) for tree, array in zip(trees, arrays, strict=True)]
    (heatmap_places, heatmap_frames), (silhouette_places, silhouette_frames) = noted
    if heatmap_frames != silhouette_frames:
        counts = " and ".join(f"{len(array)} {what}s" for array, what in zip(arrays, WHAT, strict=True))
        return [Problem(f"{relative} ({counts})", "different numbers of frames", mendable=True)]
    common = np.intersect1d(heatmap_places, silhouette_places)
    if not len(common):
        return [Problem(relative, "no frame has both heat-map and silhouette", mendable=True)]
    problems = []
    target.mkdir(parents=True, exist_ok=True)
    for name, what, file, array, (places, _) in zip(NAMES, WHAT, files, arrays, noted, strict=True):
        if len(common) == len(places):
            _link(target / name, file)
        else:
            _write_if_new(target / name, array[np.isin(places, common)])
            other = WHAT[1 - WHAT.index(what)]
            problems.append(Problem(relative, f"{what}s cut to the frames that have a {other}, by the note"))
    return problems


def _write_if_new(path, array):
    """Write a pickle, unless it is there: data sets made of this tree go by the files' times of change."""
    with contextlib.suppress(GaitError):  # none yet, or a damaged one
        if not path.is_symlink() and np.array_equal(read_array_pickle(path), array):
            return
    write_array_pickle(path, array)


def _link(path, target):
    """Make ``path`` a link to ``target``, in place of whatever file or link it is."""
    if path.is_symlink() and os.readlink(path) == str(target):
        return
    temporary = unfinished(path)
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    os.replace(temporary, path)
