"""Small trees of skeleton sequences in the published layouts, told by the tests how they are damaged."""

from pathlib import Path

import numpy as np

AXES = "xyz"
FILES = {"CASIA_B_match": "CASIA_B"}  # where folders and files are called otherwise than the data set
JOINTS = {"KS20": 25, "CASIA_B": 14, "CASIA_B_match": 14}
TESTS = {
    "IAS": {"IAS-A": "", "IAS-B": ""},
    "CASIA_B_match": {f"CASIA_B-{condition}": condition for condition in ("nm", "bg", "cl")},
}


def random_windows(persons, windows, length, joints, seed=0):
    """``windows`` sequences of noise for each person -> (float32 ``(n, length, joints, 3)``, ids)."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(persons * windows, length, joints, 3)).round(4).astype(np.float32)
    return values, {p: list(range(p * windows, (p + 1) * windows)) for p in range(persons)}


def smooth_windows(persons, windows, length, joints, seed=0, stride=None):
    """Overlapping sequences out of one smooth walk for each person, who shows in the proportions.

    A sequence begins ``stride`` frames (default: half its length) behind the one before. The bodies are the
    same for every ``seed``, the walks are not. -> (float32 ``(n, length, joints, 3)``, ids)
    """
    rng, stride = np.random.default_rng(seed), stride or max(length // 2, 1)
    frames = length + stride * (windows - 1)
    made = []
    for person in range(persons):
        own = np.random.default_rng(1000 + person)
        body, swing = own.normal(0, 0.5, (joints, 3)), own.normal(0, 0.1, (joints, 3))
        phase = 0.6 * np.arange(frames) + rng.uniform(0, 6)
        walk = body + np.sin(phase)[:, None, None] * swing + rng.normal(0, 0.005, (frames, joints, 3))
        walk += np.array([0.2, 0.0, 2.5]) - 0.02 * np.arange(frames)[:, None, None] * np.array([0, 0, 1])
        made += [walk[start : start + length] for start in range(0, frames - length + 1, stride)]
    ids = {p: list(range(p * windows, (p + 1) * windows)) for p in range(persons)}
    return np.round(made, 4).astype(np.float32), ids


def write_ids(path, ids):
    """A dict as the published ids: a 0-d array of objects, pickled."""
    np.save(path, np.array(ids, dtype=object), allow_pickle=True)


def write_part(folder, tag, length, values, ids, prefix=""):
    """The files of one part: sources, reversed targets, ids and the persons by sequence."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for axis, letter in enumerate(AXES):
        one = values[..., axis]
        for kind, frames in (("source", one), ("target", one[:, ::-1])):
            np.save(folder / f"{prefix}{kind}_{letter}_{tag}_{length}.npy", frames.reshape(-1, one.shape[-1]))
    if ids is not None:
        write_ids(folder / f"ids_{tag}_{length}.npy", ids)
        persons = np.array([person for person, rows in ids.items() for _ in rows])
        np.save(folder / f"frame_id_{tag}_{length}.npy", persons)


def tree_folder(root, dataset="BIWI", length=6, view=None):
    """Where the training and the test folder of such a tree lie."""
    folder = Path(root, "Datasets", dataset, str(length))
    return folder if view is None else folder / f"view_{view}"


def skeleton_tree(
    root,
    dataset="BIWI",
    length=6,
    persons=3,
    windows=5,
    test_windows=4,
    view=None,
    make=smooth_windows,
    joints=None,
):
    """Write ``<root>/Datasets/<dataset>/<length>/...`` -> root.

    ``windows`` and ``test_windows`` are sequences a person; ``make`` is `smooth_windows` or
    `random_windows`. CASIA_B needs a ``view``; IAS gets two test sets, CASIA_B_match three.
    """
    folder, files = tree_folder(root, dataset, length, view), FILES.get(dataset, dataset)
    joints = joints or JOINTS.get(dataset, 20)
    write_part(folder / f"{files}_train_npy_data", files, length, *make(persons, windows, length, joints))
    tests = folder / f"{files}_test_npy_data"
    made = []
    for seed, (tag, inner) in enumerate(TESTS.get(dataset, {files: ""}).items(), start=1):
        values, ids = make(persons, test_windows, length, joints, seed)
        write_part(tests / inner, tag.split("-")[0] if inner else tag, length, values, ids, "t_")
        made.append(values)
    if len(made) == 3:  # the published tree has all conditions in one, for their extremes
        write_part(tests, files, length, np.concatenate(made), None, "t_")
    return Path(root)


def skeleton_sets(output, root, dataset="BIWI", length=6, view=None, **tree):
    """Make such a tree in ``root``, convert it into ``output`` -> (training set, test set), opened."""
    from keras_gait.data.opening import open_dataset
    from keras_gait.data.skeletons.trees import write_published_sets

    skeleton_tree(root, dataset, length, view=view, **tree)
    write_published_sets(root, dataset, length, output, None if view is None else str(view))
    end = f"_skeleton_f{length}" + ("" if view is None else f"_view{view}")
    return tuple(open_dataset(next(Path(output).glob(f"*_{split}{end}"))) for split in ("train", "test"))
