"""Triplets and fine-tuning of SelfGait."""

import numpy as np
from fixtures import reader
from gradients import gradient
from keras import ops

from keras_gait.checkpoints.by_name import model_from_state, published_variables
from keras_gait.losses import BatchAllTriplet, BatchHardTriplet, triplet_statistics
from keras_gait.training import selfgait
from keras_gait.training.checkpointing import to_numpy

DEFAULTS = {
    "hard_or_full_trip": "full",
    "margin": 0.2,
    "lr": 0.03,
    "momentum": 0.9,
    "weight_decay": 4e-4,
}
MODULES = ("online_network", "conv_trans", "TP_1")  # what fine-tuning trains


def triplet(meta, inputs, path):
    """Each strip by itself, since it comes with labels of its own."""
    margin = (DEFAULTS | meta["config"])["margin"]
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


def finetune(meta, inputs, path):
    """As `supervised.train` runs its steps; gradients as the optimizer gathers them."""
    config = DEFAULTS | meta["config"]
    clips, labels = inputs["silhouettes"][..., None], _numbered(inputs["labels"])
    model = model_from_state(reader.state(meta), heads=False, frame_shape=clips.shape[2:])
    selfgait.make_compiler(_recipe(config), model, None, None)(0.0)
    statistics = _statistics(config["margin"], labels, model(clips)["embeddings"])
    before = {each.name: to_numpy(each.variable) for each in published_variables(model)}
    found = {}
    for step in range(config.get("steps", 1) + 1):
        model.reset_metrics()
        found[f"loss_{step}"] = model.train_on_batch(clips, {"embeddings": labels}, return_dict=True)["loss"]
        if step == 0:
            gradients = _gradients(model, before, config["weight_decay"])
    for module in MODULES:
        squares = [np.sum(np.square(g)) for name, g in gradients.items() if name.startswith(f"{module}.")]
        found[f"gradient_norm/{module}"] = np.sqrt(sum(squares))
    names = {"full_mean": "full_per_strip", "hard_mean": "hard_per_strip"}
    return found | {names.get(name, name): values for name, values in statistics.items()}


def _recipe(config):
    """The sections of a recipe that say what the fixture's configuration says."""
    return {
        "losses": {
            "name": "triplet",
            "triplets": config["hard_or_full_trip"],
            "margin": config["margin"],
        },
        "optimizer": {
            "name": "SGD",
            "learning_rate": config["lr"],
            "momentum": config["momentum"],
            "weight_decay": config["weight_decay"],
        },
        "schedule": {"name": "multistep", "milestones": [], "gamma": 0.1},
        "train": {"multi_gpu": 0},
    }


def _gradients(model, before, decay):
    """Those of the first step, ``{published name: float64 array}``, from the momenta, which began at 0."""
    momenta = {
        v.path: to_numpy(velocity)
        for v, velocity in zip(model.trainable_variables, model.optimizer._velocities, strict=True)
    }
    return {
        each.name: momenta[each.variable.path].astype(np.float64) - decay * before[each.name]
        for each in published_variables(model)
    }


FAMILIES = {"finetune": finetune, "triplet": triplet}
