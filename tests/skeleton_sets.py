"""Small data sets of skeletons for tests: everyone stands in a pose of their own, with some noise."""

import numpy as np

from keras_gait.data.skeletons.sets import Part, write_skeleton_sets


def standing(people, count, frames, joints=20, seed=0, noise=0.02):
    """``count`` sequences of each of the people (numbers) -> (metres, dict of person -> rows).

    Metres float32 ``(sequences * frames, joints, 3)``.
    """
    rng = np.random.default_rng(seed)
    poses = [np.random.default_rng(person).uniform(-1, 1, (joints, 3)) for person in people]
    still = np.repeat(np.stack(poses), count * frames, axis=0)
    values = (still + noise * rng.normal(size=still.shape)).astype(np.float32)
    return values, {str(p): np.arange(n * count, (n + 1) * count) for n, p in enumerate(people)}


def part(folder, name, values, rows, condition="", view=""):
    """Save the axes of ``values (rows, joints, 3)`` -> `Part`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = tuple(folder / f"{name}_{axis}.npy" for axis in "xyz")
    for n, file in enumerate(files):
        np.save(file, values[..., n])
    return Part(files, values.shape[1], rows, condition, view)


def write_sets(folder, name="IAS", layout="ias", frames=4, people=(0, 1, 2), conditions=("A", "B"), **more):
    """A training set and a test set with the ``conditions``, below ``folder``.

    ``more``: ``joints``; ``view`` of the sets; ``others``: people who are in the test set alone.
    """
    joints, view, others = more.pop("joints", 20), more.pop("view", None), more.pop("others", ())
    raw = folder / "raw"
    train = part(raw, f"{name}-train{view}", *standing(people, 5, frames, joints))
    test = [
        part(
            raw,
            f"{name}-{condition}{view}",
            *standing((*people, *others), 3, frames, joints, seed=n + 1),
            condition,
        )
        for n, condition in enumerate(conditions)
    ]
    problems = write_skeleton_sets(
        folder,
        name,
        frames,
        {"train": [train], "test": test},
        layout=layout,
        source=f"{name}, noise",
        view=view,
    )
    assert problems == []
