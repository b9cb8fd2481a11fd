"""How the fixtures of pretext tasks, normalisation and the choice of rows are computed (see `parity_sge`)."""

import numpy as np

from keras_gait.data.skeletons.normalisation import by_range, minus_joint
from keras_gait.data.skeletons.pretext import TASKS, following, pretext
from keras_gait.data.skeletons.published import biwi_training_rows


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


FAMILIES = {"pretext_targets": pretext_targets, "casia_normalisation": casia_normalisation}
