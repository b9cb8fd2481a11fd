"""Triplets and fine-tuning of SelfGait."""

import numpy as np
from gradients import gradient
from keras import ops

from keras_gait.losses import BatchAllTriplet, BatchHardTriplet, triplet_statistics


def triplet(meta, inputs, path):
    """Each strip by itself, since it comes with labels of its own."""
    margin = meta["config"].get("margin", 0.2)
    strips = inputs["feature"].transpose(1, 0, 2)  # [strip, sample, dimension] as published
    pairs = list(zip(_numbered(inputs["labels"]), np.split(strips, strips.shape[1], axis=1), strict=True))
    full, hard = BatchAllTriplet(margin), BatchHardTriplet(margin)
    rows = [{name: value.item() for name, value in _statistics(margin, *pair).items()} for pair in pairs]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    for name, loss in (("full", full), ("hard", hard)):
        slopes = [gradient(lambda x, y=y, loss=loss: loss(y, x), part)[:, 0] for y, part in pairs]
        found[f"gradient_{name}"] = np.stack(slopes) / np.float32(len(slopes))
    return found


def _statistics(margin, labels, embeddings):
    """What the original returns for every strip, ``{name: (strips,)}``."""
    embeddings = ops.convert_to_tensor(embeddings)
    of_all = triplet_statistics(BatchAllTriplet(margin), labels, embeddings)
    found = {
        "full_mean": of_all["loss"],
        "hard_mean": BatchHardTriplet(margin).per_part(labels, embeddings),
        "mean_distance": of_all["mean_dist"],
        "active": of_all["loss_num"],
    }
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


def _numbered(labels):
    """Names as whole numbers."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)


FAMILIES = {"triplet": triplet}
