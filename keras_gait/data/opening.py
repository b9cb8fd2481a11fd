"""Open a data set, ours or an original one, and find the one for a purpose in a folder of several."""

import hashlib
import json
import os
import re
from pathlib import Path

from keras_gait.data.dataset import FORMAT_VERSION, GaitDataset, RecordStore, read_index
from keras_gait.errors import GaitError


def open_dataset(path):
    """Open a data set of ours or an original HDF5 set (its folder, or the info ``.h5`` beside the folder)."""
    path = Path(path)
    if (path / "dataset.json").is_file():
        return _open_records(path)
    folder, info_file = hdf5_paths(path)
    if is_hdf5_set(path):
        from keras_gait.data.hdf5 import open_hdf5_dataset

        return open_hdf5_dataset(folder, info_file)
    if not path.exists():
        raise GaitError(
            f"{path} does not exist. Expected: the folder of a data set (with dataset.json inside)."
        )
    if (path / "plan.json").is_file():
        raise GaitError(f"{path} is an unfinished data set: run the command that makes it again, it goes on.")
    raise GaitError(
        f"{path} is no data set: neither dataset.json inside nor {info_file} was found.{_listing(path)}"
    )


def _open_records(path):
    try:
        description = (path / "dataset.json").read_bytes()
        info = json.loads(description)
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
    # dataset.json tells what the frames were made from, which the index of two sets may have in common
    digest = hashlib.sha256((path / "sequences.csv").read_bytes() + description).hexdigest()
    return GaitDataset(path, info, index, RecordStore(path, shape, dtype, encoding, index), digest)


def is_hdf5_set(path):
    """Whether this is an original set: a folder of ``.h5`` with the info file beside it, or that file."""
    folder, info_file = hdf5_paths(path)
    return folder.is_dir() and info_file.is_file()


def hdf5_paths(path):
    """``(folder, info file)`` of an original set, given by either; absolute, for ``.`` has no name."""
    path = Path(os.path.abspath(path))
    folder = path.with_suffix("") if path.suffix == ".h5" else path
    return folder, folder.parent / f"{folder.name}.h5"


# how the name of a data set tells what a command or a recipe asks for
NAME_PARTS = {
    "keypoints": lambda value: f"_pose_{value}",
    "dataset": lambda value: f"tfimdb_{name_word(value)}_",
    "length": lambda value: f"_f{value}",
    "view": lambda value: f"_view{value}",
}


def name_word(text):
    """A data set's name as those of our sets have it: ``CASIA_B`` -> ``casiab``."""
    return re.sub("[^a-z0-9]", "", str(text).lower())


def find_dataset(datadir, role, nclasses=None, **wanted):
    """The data set for ``role`` ("train", "ft" = gallery, "test" = probe) in the folder ``datadir``.

    ``datadir`` may be the data set itself. Inside it, sets are told by the published names:
    ``..._N074_train_...``. ``nclasses`` picks by the number in the name; for the numbers of the
    gallery sets (50, 5154, 6000), "train" means their "ft" part, as in the original. ``wanted`` picks by
    other parts of the name, see `NAME_PARTS`; what is None does not matter. Returns its path.
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
    wanted = {name: value for name, value in wanted.items() if value is not None}
    parts = [f"_{role}_"] + ([f"_N{int(nclasses):03d}_"] if nclasses is not None else [])
    parts += [NAME_PARTS[name](value) for name, value in wanted.items()]
    fitting = [path for path in sets if all(_has(path.name, part) for part in parts)]
    if "length" in wanted and "view" not in wanted:  # the set of all views goes before those of one
        fitting = [path for path in fitting if "_view" not in path.name] or fitting
    if len(fitting) == 1:
        return fitting[0]
    asked = " and ".join(parts)
    found = ", ".join(path.name for path in fitting or sets) or "no data set"
    if fitting:
        raise GaitError(
            f"{datadir} holds {len(fitting)} data sets whose name has {asked}: {found}. Give one of "
            "these folders itself, or choose by --nclasses, poses by --keypoints (to train: "
            "--data.keypoints), skeletons by --dataset, --length and --view."
        )
    raise GaitError(
        f"{datadir} holds no data set whose name has {asked}. Found: {found}. Give the folder of a "
        f"data set itself, ask for another, or make the set first.{_listing(datadir)}"
    )


def _has(name, part):
    """Whether a data set's name has this part as a whole: "_f6" is no part of "..._f60"."""
    return part.rstrip("_") + "_" in f"{name}_"


def _listing(path, shown=5):
    """What lies in a folder, for an error message."""
    if not path.is_dir():
        return ""
    names = sorted(os.listdir(path))
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f" In {path.name}: {', '.join(names[:shown]) or 'nothing'}{more}."
