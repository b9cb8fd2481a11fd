"""Fixtures of losses and training steps."""

import keras
import numpy as np
from fixtures import reader
from gradients import gradient, model_gradients
from keras import ops

from keras_gait.checkpoints.sge_names import UNUSED, load_axis, published_state
from keras_gait.layers import DecayFromStart
from keras_gait.losses import HalfSquaredError, Locality, NeighbourContrast, locality_mask
from keras_gait.models.skeleton_axis import SGEAxis
from keras_gait.training.clipped_adam import ClippedAdam
from keras_gait.training.sge_encoder import compile_axis


def attention_loss(meta, inputs, path):
    found = {}
    for name, attention in inputs.items():
        case = name.removeprefix("attention_")
        direction = "forward" if case.endswith("forward") else "reverse"
        alignment = np.swapaxes(attention, 0, 1)
        found[f"mask_{case}"] = locality_mask(alignment.shape[1], direction)
        found[f"loss_{case}"] = _number(Locality(direction)(np.zeros(len(alignment)), alignment))
    return found


def contrastive_loss(meta, inputs, path):
    """The cases are told in the order of the inputs."""
    config = meta["config"]
    cases = config.get("cases", [config] * len(inputs))
    return {
        name.replace("z", "loss", 1): _number(
            NeighbourContrast(case.get("temperature", 0.1))(np.zeros(len(z)), z)
        )[None]
        for (name, z), case in zip(inputs.items(), cases, strict=True)
    }


def gradients(meta, inputs, path):
    """The unused copies are no part of our networks: their decay is computed beside them."""
    config, state = meta["config"], reader.state(meta)
    steps, clip = config.get("steps", 5), config.get("clip", 5.0)
    model, losses = axis_model(config, state, inputs["inputs"].shape), axis_losses(config)
    encoder = model.get_layer("axis")
    load_axis(encoder, state)
    targets = inputs["targets"][:, ::-1] if config.get("Reverse", True) else inputs["targets"]
    batch = {"skeletons": inputs["inputs"], "targets": targets.copy()}
    nobody = dict.fromkeys(losses, np.zeros(len(targets), "float32"))

    _, found = model_gradients(
        model,
        {name: ops.convert_to_tensor(value) for name, value in batch.items()},
        lambda outputs, decayed: {"total": sum(losses[n](nobody[n], outputs[n]) for n in losses) + decayed},
    )
    paths = [v.path for v in model.trainable_variables]
    slopes = published_state(encoder, dict(zip(paths, found, strict=True)))

    adam = {"learning_rate": config.get("learning_rate", 0.0005), "clip": clip}
    copies = _Copies({name: state[name] for name in UNUSED if name in state}, axis_decay(config), adam)
    slopes |= copies.slopes()
    contrast = {"temperature": config.get("temperature", 0.1), "pairs": "published"}
    compile_axis({"losses": contrast, "optimizer": adam}, model)
    costs = []
    for _ in range(steps):
        costs.append(copies.decayed() + model.train_on_batch(batch, nobody, return_dict=True)["loss"])
        copies.update()
    costs.append(copies.decayed() + model.test_on_batch(batch, nobody, return_dict=True)["loss"])
    return {
        **{f"grad/{name}": slope for name, slope in slopes.items()},
        **{f"norm/{name}": _norm([slope]) for name, slope in slopes.items()},
        **{f"after/{name}": value for name, value in (published_state(encoder) | copies.values()).items()},
        "global_norm": _norm(slopes.values()),
        "global_norm_clipped": _norm(np.clip(slope, -clip, clip) for slope in slopes.values()),
        f"cost_before_each_of_{steps}_steps_and_after": np.array(costs),
    }


class _Copies:
    """Parameters that nothing but their decay trains."""

    def __init__(self, arrays, decay, adam):
        self.variables = {name: keras.Variable(array) for name, array in arrays.items()}
        self.decay, self.optimizer = decay, ClippedAdam(**adam)

    def values(self):
        return {name: _number(variable) for name, variable in self.variables.items()}

    def decayed(self):
        return sum(float(_number(self.decay(variable))) for variable in self.variables.values())

    def slopes(self):
        return {name: gradient(self.decay, value) for name, value in self.values().items()}

    def update(self):
        if self.variables:
            slopes = [ops.convert_to_tensor(slope) for slope in self.slopes().values()]
            self.optimizer.apply(slopes, [*self.variables.values()])


def axis_model(config, state, shape):
    forward = not config.get("Reverse", True)
    return SGEAxis(
        shape[1],
        shape[2],
        units_of(state),
        config.get("attention", "LA"),
        "forward" if forward else "reverse",
        reverse=not forward,
        contrast="frozen" if config.get("Frozen", "0") == "1" else "joint",
        l2=config.get("lambda_l2_reg", 0.02),
    )


def axis_losses(config):
    locality = {"alignment": Locality("reverse" if config.get("Reverse", True) else "forward")}
    return {
        "errors": HalfSquaredError(),
        **(locality if config.get("attention", "LA") == "LA" else {}),
        "projection": NeighbourContrast(config.get("temperature", 0.1)),
    }


def axis_decay(config):
    return DecayFromStart(config.get("lambda_l2_reg", 0.02))


def units_of(state):
    """Width of an axis encoder, from its weights."""
    return state["memory_layer/kernel"].shape[0]


def _norm(arrays):
    return np.sqrt(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays))


def _number(tensor):
    return ops.convert_to_numpy(tensor)


FAMILIES = {
    "attention_loss": attention_loss,
    "contrastive_loss": contrastive_loss,
    "gradients": gradients,
}
