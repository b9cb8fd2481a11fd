"""How the fixtures of pretext tasks, normalisation and the choice of rows are computed (see `parity_sge`)."""

import numpy as np
from fixtures import reader
from keras import ops

from keras_gait.checkpoints.sge_names import load_axis
from keras_gait.data.skeletons.normalisation import by_range, minus_joint
from keras_gait.data.skeletons.pretext import TASKS, following, pretext
from keras_gait.data.skeletons.published import biwi_training_rows, published_rows
from keras_gait.models.sge import AXES, SGE


def windows_of(stored, config):
    """Rows of one axis as on disk -> ``(n, f, J)``."""
    return stored.reshape(-1, config["time_steps"], stored.shape[-1])


def pretext_targets(meta, inputs, path):
    windows = windows_of(inputs["stored"], meta["config"])
    nexts = windows[following(np.zeros(len(windows)))]
    sets = {"": np.arange(len(windows)), "biwi_": biwi_training_rows(len(windows))}
    computed = {}
    for name, rows in sets.items():
        for task in TASKS:
            seen, target = pretext(task, windows[rows], nexts[rows], inputs["permutations"][rows])
            computed[f"{name}{task}_inputs"] = seen
            computed[f"{name}{task}_targets"] = target[:, ::-1] if task == "rev_rec" else target
    return computed


def casia_normalisation(meta, inputs, path):
    windows = windows_of(inputs["stored"], meta["config"])
    computed = {}
    for name, values in (("inputs", windows), ("targets", windows[:, ::-1])):
        computed[f"{name}_norm1"] = minus_joint(values)
        computed[f"{name}_norm0"] = by_range(values, values.min(axis=0), values.max(axis=0))
    return computed


def axes_of(state, shape, prefix=""):
    """Sizes of the `SGE` for skeletons of ``shape (n, frames, joints, 3)`` whose weights are ``state``."""
    units = len(state[f"{prefix}x/memory_layer/kernel"])
    return {"frames": shape[1], "joints": shape[2], "units": units}


def load_axes(model, state, task="rev_rec", prefix=""):
    """Load the three encoders of ``task``, whose names have ``prefix`` and the axis in front."""
    for axis in AXES:
        before = f"{prefix}{axis}/"
        own = {n.removeprefix(before): value for n, value in state.items() if n.startswith(before)}
        load_axis(model.get_layer(f"{task}-{axis}"), own)


def cage_batching(meta, inputs, path):
    """Features of the rows that the published batches take, and whose they are."""
    batch_size, computed = meta["config"].get("batch_size", 128), {}
    state = reader.state(meta)
    files = {
        role: np.stack([inputs[f"{role}_{axis}"] for axis in AXES], axis=-1) for role in ("train", "test")
    }
    for manner in ("ap", "sc"):
        model = SGE(manner=manner, **axes_of(state, files["train"].shape))
        load_axes(model, state)
        for role, stored in files.items():
            persons, sequences = inputs[f"{role}_ids"].T
            rows = published_rows(persons, batch_size, role == "train")
            skeletons = stored[sequences[rows]]
            features = ops.convert_to_numpy(model(skeletons)["embeddings"])
            labels = persons if role == "train" else np.unique(persons, return_inverse=True)[1]
            computed[f"{role}_features_{manner}"] = features.reshape(-1, features.shape[-1])
            computed[f"{role}_labels_{manner}"] = np.repeat(labels[rows], features.shape[1])
    return computed


FAMILIES = {
    "pretext_targets": pretext_targets,
    "casia_normalisation": casia_normalisation,
    "cage_batching": cage_batching,
}
