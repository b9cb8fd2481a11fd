"""Training steps of SelfGait (its sections 5 and 10): a `Byol` with published weights in both networks."""

import re

import numpy as np
from fixtures import reader

from keras_gait.checkpoints.by_name import model_from_state, published_variables
from keras_gait.checkpoints.selfgait_models import target_from_state
from keras_gait.losses import BatchAllTriplet, BatchHardTriplet
from keras_gait.training.byol import Byol
from keras_gait.training.checkpointing import to_numpy
from keras_gait.training.coupled_decay import CoupledSGD

OPTIMIZER = {"lr": 0.03, "momentum": 0.9, "weight_decay": 4e-4}
TRIPLETS = {"full": BatchAllTriplet, "hard": BatchHardTriplet}
UNUSED = "online_network_state_dict/module.fc_bin"


def train_step_byol(meta, inputs, path):
    settings = OPTIMIZER | meta["config"]
    byol = _byol(meta, inputs, settings.get("initialise_target", True))
    clips = inputs["silhouettes"]
    views = {f"view_{i}": _view(clips, inputs[f"flip_{i}"]) for i in (1, 2)}
    steps, names = _asked(path)
    found = {}
    for step in range(steps + 1):
        if step:
            found |= {f"after_{step}/{name}": value for name, value in _slices(byol, names, meta).items()}
        before = _gradients_start(byol)
        found[f"loss_{step}"] = _step(byol, views)
        if not step:
            found |= _gradient_norms(byol, before, settings) | _running(byol)
    return found


def train_step_mixed(meta, inputs, path):
    """With the published defect: of a clip, all roles see the last frame but one alone."""
    settings = OPTIMIZER | meta["config"]
    triplet = TRIPLETS[settings.get("hard_or_full_trip", "full")](settings.get("margin", 0.2))
    byol = _byol(meta, inputs, settings.get("initialise_target", False), triplet=triplet)
    byol.steps.assign(settings["niter"])
    last = inputs["silhouettes"].shape[1] - 2
    alone = slice(last, last + 1)
    clips = inputs["silhouettes"][:, alone]
    views = {f"view_{i}": _view(clips, inputs[f"flip_{i}"][:, alone]) for i in (1, 2)}
    labels = np.unique(inputs["labels"], return_inverse=True)[1].reshape(-1).astype(np.int32)
    before = _gradients_start(byol)
    return {"loss": _step(byol, views, {"labels": labels})} | _gradient_norms(byol, before, settings)


def _view(clips, flips):
    """Published clips, 0..255, with the frames in ``flips`` mirrored."""
    return np.where(flips[..., None, None], clips[..., ::-1], clips)[..., None].astype("float32")


def _byol(meta, inputs, initialise, **options):
    settings, state = OPTIMIZER | meta["config"], reader.state(meta)
    shape = {"frame_shape": (*inputs["silhouettes"].shape[2:], 1)}
    target = target_from_state(state, **shape)
    own = target.get_weights()
    model = model_from_state(state, **shape)
    byol = Byol(model, target, momentum=settings.get("m", 0.996), **options)
    if not initialise:
        target.set_weights(own)
    byol.compile(CoupledSGD(settings["lr"], settings["momentum"], settings["weight_decay"]))
    byol.optimizer.build(byol.trainable_variables)
    return byol


def _step(byol, *batch):
    """The loss before the update that is made."""
    byol.reset_metrics()
    return np.float64(byol.train_on_batch(*batch))


def _gradients_start(byol):
    return [to_numpy(variable) for variable in byol.trainable_variables]


def _gradient_norms(byol, before, settings):
    """By module, out of the optimizer's first velocities, which are gradient + decay * weight."""
    squares = {}
    velocities = [v for v in byol.optimizer.variables if v.path.endswith("velocity")]
    for variable, weight, velocity in zip(byol.trainable_variables, before, velocities, strict=True):
        module = re.split("[-/]", variable.path)[0]
        gradient = to_numpy(velocity).astype(np.float64) - settings["weight_decay"] * weight
        squares[module] = squares.get(module, 0.0) + np.sum(np.square(gradient))
    return {f"gradient_norm/{module}": np.sqrt(square) for module, square in squares.items()}


def _running(byol):
    """Every eighth running mean and variance of the heads."""
    heads = {"projection_1": byol.online, "projection_2": byol.target, "predictor": byol.online}
    found = {}
    for head, network in heads.items():
        norm = network.get_layer(f"{head.replace('_2', '_1')}-net-1")
        found[f"running_mean/{head}"] = to_numpy(norm.moving_mean)[::8]
        found[f"running_var/{head}"] = to_numpy(norm.moving_variance)[::8]
    return found


def _asked(path):
    """How many updates a fixture shows something after, and the names of the parameters that it shows."""
    _, _, outputs = reader.load(path)
    steps = [re.match(r"(?:loss|after)_(\d+)", name) for name in outputs]
    names = {name.partition("/")[2] for name in outputs if name.startswith("after_")}
    return max(int(step[1]) for step in steps if step), names


def _slices(byol, names, meta):
    """The parameters that the fixture shows, cut as its notes say."""
    online, target = (
        {p.name: to_numpy(p.variable).transpose(np.argsort(p.axes)) for p in published_variables(network)}
        for network in (byol.online, byol.target)
    )
    return {name: _slice(name, online, target, meta) for name in names}


def _slice(name, online, target, meta):
    if name == "online_fc_bin_unused":  # not ours: as it was given
        return reader.state(meta)[UNUSED][::6, ::64, ::32]
    if match := re.fullmatch(r"(online|target)_set_layer(\d)", name):
        kernel = (online if match[1] == "online" else target)[
            f"online_network.set_layer{match[2]}.forward_block.conv.weight"
        ]
        return kernel[:, 0, ::2, ::2] if kernel.shape[1] == 1 else kernel[::32, ::32]
    if match := re.fullmatch(r"conv_trans_(\d)_(\d+)", name):
        return online[f"conv_trans.conv_list_{match[1]}.2.weight"][int(match[2]), ::16, ::8]
    if name in ("TP_1", "TP_2"):
        return (online if name == "TP_1" else target)["TP_1.fc_bin"][::6, ::32, ::32]
    if name in ("projection_1", "projection_2"):
        return (online if name == "projection_1" else target)["projection_1.net.3.weight"][::16, ::32]
    return online[f"{name.removesuffix('_bn')}.net.1.weight"][::16]


FAMILIES = {"train_step_byol": train_step_byol, "train_step_mixed": train_step_mixed}
