"""How the fixtures of training step and augmentation are computed (see `parity_attengait`)."""

import numpy as np
from fixtures import reader
from keras import ops

from keras_gait.checkpoints.by_name import model_from_state, published_variables
from keras_gait.data import warps
from keras_gait.losses import BatchAllTriplet
from keras_gait.losses.triplet import triplet_statistics
from keras_gait.training import opengait
from keras_gait.training.checkpointing import to_numpy


def _frames(sequence):
    """OpenGait's ``[T, h, w]`` or ``[T, c, h, w]``, channels last."""
    return sequence[..., None] if sequence.ndim == 3 else sequence.transpose(0, 2, 3, 1)


def _published(frames, sequence):
    """Frames in the layout of the sequence that they were made from."""
    return frames[..., 0] if sequence.ndim == 3 else frames.transpose(0, 3, 1, 2)


def _cut(frames, cutting=None):
    """OpenGait's BaseSilCuttingTransform, without the division: 10 columns a side for every 64."""
    side = frames.shape[2] // 64 * 10 if cutting is None else cutting
    return warps.centre_columns(frames, frames.shape[2] - 2 * side)


def transforms(meta, inputs, path):
    divisor = np.float32(meta["config"].get("divsor", 255.0))
    steps = {
        "cut": lambda frames: _cut(frames, meta["config"].get("cutting")) / divisor,
        "base": lambda frames: frames / divisor,
        "flip": warps.flip,
    }
    return {
        f"{step}_{name}": _published(function(_frames(sequence)), sequence)
        for name, sequence in inputs.items()
        for step, function in steps.items()
    }


def transforms_warp(meta, inputs, path):
    """The notes allow ``rtol`` of the grey levels for uint8 too: OpenCV's versions differ at hard edges."""
    found = {}
    for drawn, value in inputs.items():
        kind = "perspective_x_" if drawn.startswith("perspective_x_") else "rotate_degree_"
        name = drawn.removeprefix(kind).rpartition("_")[0]
        if name not in inputs:  # a sequence itself
            continue
        sequence = inputs[name]
        frames = _frames(sequence)
        if kind == "perspective_x_":
            warped = warps.perspective(frames, value)
        else:
            warped = warps.rotate(_cut(frames).astype(np.float32), value) / np.float32(255)
        place = drawn.removeprefix(kind)
        found[f"{kind.partition('_')[0]}_{place}"] = _published(warped, sequence)
    levels = {np.dtype("uint8"): 255, np.dtype("float32"): 1}
    meta["allowed"] = {name: meta["rtol"] * levels[frames.dtype] for name, frames in found.items()}
    return found


def _recipe(config):
    """The sections of a recipe that say what the fixture's configuration says."""
    triplet, softmax = (
        next(loss for loss in config["loss_cfg"] if loss["log_prefix"] == prefix)
        for prefix in ("triplet", "softmax")
    )
    optimizer, schedule = config["optimizer_cfg"], config["scheduler_cfg"]
    return {
        "losses": {
            "margin": triplet["margin"],
            "cross_weight": softmax["loss_term_weight"],
            "scale": softmax.get("scale", 16),
            "smoothing": softmax.get("eps", 0.1) if softmax.get("label_smooth", True) else 0.0,
        },
        "optimizer": {
            "name": optimizer["solver"],
            "learning_rate": optimizer["lr"],
            "momentum": optimizer["momentum"],
            "weight_decay": optimizer["weight_decay"],
        },
        "schedule": {
            "name": "multistep",
            "milestones": schedule["milestones"],
            "gamma": schedule["gamma"],
        },
        "train": {"multi_gpu": 0},
    }


def train_step(meta, inputs, path):
    """As `supervised.train` runs its steps; ``embed_1`` is what the triplets are made of."""
    config = meta["config"]
    recipe = _recipe(config)
    clips = np.rint(np.moveaxis(inputs["maps"], 2, -1) * np.float32(255))  # they are k / 255
    labels = inputs["labels"].astype(np.int32)
    use_emb2 = config["model_cfg"].get("use_emb2", False)
    model = model_from_state(reader.state(meta), use_emb2=use_emb2, frame_shape=clips.shape[2:])
    opengait.make_compiler(recipe, model, None, None)(recipe["losses"]["cross_weight"])
    targets = {name: labels for name in model.output if name != "logits"}
    targets["logits"] = np.eye(model.nclasses, dtype=np.float32)[labels]
    triplet = opengait.triplet_output(model)

    found = {"lr": []}
    for step in range(config["steps"] + 1):
        embed_1 = model(clips, training=True)[triplet]
        statistics = triplet_statistics(BatchAllTriplet(recipe["losses"]["margin"]), labels, embed_1)
        if step == 0:
            found["bn_after_1"] = _joined(model, config["bn_names"])
            before = _values(model)
        model.reset_metrics()
        rate = float(to_numpy(model.optimizer.learning_rate))
        logs = model.train_on_batch(clips, targets, return_dict=True)
        if step == 0:
            found |= _after_first_step(meta, model, before, recipe["optimizer"]["weight_decay"])
        row = {
            "lr": rate,
            "loss": logs["loss"],
            "triplet_loss": logs[f"{triplet}_loss"],
            "softmax_loss": logs["logits_loss"],
            "accuracy": logs["logits_parts_accuracy"],
        }
        row |= {name: ops.mean(statistics[name]) for name in ("hard_loss", "loss_num", "mean_dist")}
        for name, value in row.items():
            found.setdefault(name, []).append(float(ops.convert_to_numpy(value)))
    found["embed_1_last"] = np.moveaxis(ops.convert_to_numpy(embed_1), -1, 1)
    return found


def _after_first_step(meta, model, before, decay):
    """Parameters, their norms, and the gradients that the optimizer gathered, as published."""
    config = meta["config"]
    shapes = {name: shape for name, shape, _ in meta["parameters"]}
    after = _values(model)
    velocities = dict(
        zip((v.path for v in model.trainable_variables), model.optimizer._velocities, strict=True)
    )
    ours = {published.name: published for published in published_variables(model)}
    found = {"param_norms_after_1": [np.linalg.norm(after[name]) for name in config["norm_names"]]}
    for i, name in enumerate(config["watch"]):
        velocity = _unfit(ours[name], to_numpy(velocities[ours[name].variable.path]))
        found[f"grad_{i}"] = (velocity - decay * before[name]).reshape(shapes[name])
        found[f"param_after_1_{i}"] = after[name].reshape(shapes[name])
    return found


def _values(model):
    return {each.name: _unfit(each, to_numpy(each.variable)) for each in published_variables(model)}


def _joined(model, names):
    values = _values(model)
    return np.concatenate([values[name].ravel() for name in names])


def _unfit(published, array):
    """Ours -> published axes, the inverse of `Published.fit`."""
    if published.parts:
        return array.reshape(published.parts, -1).T.ravel()
    return array.transpose(np.argsort(published.axes))


FAMILIES = {"train_step": train_step, "transforms": transforms, "transforms_warp": transforms_warp}
