"""Published PyTorch weights into our models, strictly by name."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np

from keras_gait.checkpoints import gaitgraph_models, opengait_models, selfgait_names
from keras_gait.checkpoints.state_files import first_line, read_checkpoint
from keras_gait.errors import GaitError
from keras_gait.layers import (
    BatchNorm,
    BlockConvolution,
    GeMStripPooling,
    GraphConvolution,
    PartsConvolution,
    PartsLinear,
    StripConv2D,
    StripConv3D,
    TemporalConvolution,
)
from keras_gait.models import SelfGait

PREFIXES = ("module.", "backbone.")  # that all names may have: data-parallel training's, GaitGraph2's
NAMED = 3  # names of each kind that a refusal lists


class Published(NamedTuple):
    """One array of a checkpoint: its name, the variable it fills, and how its axes are ordered there."""

    name: str
    variable: object
    axes: tuple  # published axis of each of ours
    parts: int = 0  # of a vector that runs over channels and, within, over so many parts

    @property
    def shape(self):
        """The published shape."""
        return tuple(self.variable.shape[self.axes.index(axis)] for axis in range(len(self.axes)))

    def fit(self, array):
        """The array with our axes."""
        if self.parts:  # ours runs over parts and, within, over channels
            return array.reshape(-1, self.parts).T.ravel()
        return array.transpose(self.axes)


# layer class -> [(suffix of the published name, our variable, published axis of each of ours)]
VARIABLES = {
    keras.layers.Conv2D: [("weight", "kernel", (2, 3, 1, 0)), ("bias", "bias", (0,))],
    keras.layers.Dense: [("weight", "kernel", (1, 0)), ("bias", "bias", (0,))],
    GraphConvolution: [
        ("weight", "kernel", (2, 3, 1, 0)),
        ("bias", "bias", (0,)),
        ("edge", "edge", (0, 1, 2)),
    ],
    StripConv2D: [("weight", "kernel", (2, 3, 1, 0))],
    TemporalConvolution: [("weight", "kernel", (2, 3, 4, 1, 0))],
    StripConv3D: [("weight", "kernel", (2, 3, 4, 1, 0))],
    BlockConvolution: [("weight", "kernel", (2, 3, 4, 1, 0))],
    PartsConvolution: [("weight", "kernel", (0, 3, 2, 1)), ("bias", "bias", (0, 1))],
    BatchNorm: [
        ("weight", "gamma", (0,)),
        ("bias", "beta", (0,)),
        ("running_mean", "moving_mean", (0,)),
        ("running_var", "moving_variance", (0,)),
    ],
    PartsLinear: [("fc_bin", "kernel", (0, 1, 2))],
    GeMStripPooling: [("p", "p", (0,))],
}


# published names with a part's number in the middle
NUMBERED = (
    re.compile(r"(BNNecks\.bn1d)\.(\d+)\.(\w+)"),
    re.compile(r"(TFA\.pooling_func\.conv1d3x\d)\.(\d+)\.(\d\.conv\.weight)"),
    re.compile(r"(conv_trans\.conv_list_\d)\.(\d+)\.(\d\.(?:weight|bias))"),
)
NECK = "BNNecks.bn1d"


def model_from_state(state, method=None, **options):
    """The model that published weights belong to, told by their names and shapes, with them loaded.

    Args:
        state: ``{published name: array}`` or a file for `read_checkpoint`.
        method: the name of the system that the weights must be of, if any. GaitGraph's first version has the
            names of its second: without a method, a file of the first version, or inputs that only this one
            has, give `GaitGraph`, all others `GaitGraph2`.
        options: of the model, for what weights do not tell: ``use_emb2``, ``frame_shape``; of that of poses,
            ``frames``, ``fill_empty``, ``layout``.

    Raises:
        GaitError: not the weights of a model that we have, or not all of them, or an option that they deny.
    """
    state, key = read_plain(state)
    model, settings = _find_model(state, key, method)
    try:
        told = settings(state)
        if settings in gaitgraph_models.SETTINGS:
            gaitgraph_models.check_options(told, options)
        built = model(**(told | options))
    except GaitError:
        raise
    except (ArithmeticError, LookupError, ValueError) as error:  # names or ranks that no such model has
        raise GaitError(f"these are no whole weights of {model.__name__}: {first_line(error)}") from error
    load_state(built, state)
    return built


def _find_model(state, key, method):
    """The model's class and what tells its arguments."""
    systems = opengait_models.MODELS | gaitgraph_models.MODELS | selfgait_names.MODELS
    telltale = next((name for name in systems if name in state), None)
    if telltale is None:
        known = ", ".join(model.__name__ for model, _ in systems.values())
        first = next(iter(state), "nothing")
        raise GaitError(f"not the weights of {known}; the first is {first!r}")
    model, settings = systems[telltale]
    if settings is gaitgraph_models.resgcn:
        model = gaitgraph_models.version(state, key, method)
    if method not in (None, model.__name__.lower()):
        raise GaitError(f"these are the weights of a {model.__name__}, not of {method}")
    return model, settings


def load_state(model, state):
    """Load published weights into a model; every name and shape must fit.

    Args:
        model: a model whose layers bear the published names, with ``-`` for ``.``.
        state: ``{published name: array}`` or a file for `read_state`.

    Raises:
        GaitError: names the first of the weights that are missing, unexpected, or of another shape; or the
            weights go with another graph of joints than the model's.
    """
    state, _ = read_plain(state)
    if hasattr(model, "graph"):
        state = gaitgraph_models.without_adjacency(state, model.graph)
    if isinstance(model, SelfGait):
        state = selfgait_names.without_unused(state, model.heads)
    variables = published_variables(model)
    expected = {published.name: published for published in variables}
    expected |= selfgait_names.followers(expected, state)  # checked, and left to whoever trains on
    missing = [name for name in expected if name not in state]
    unexpected = [name for name in state if name not in expected]
    common = [name for name in expected if name in state]
    arrays = {name: _without_time(state[name], expected[name]) for name in common}
    misshapen = [
        f"{name}: {state[name].shape} for {expected[name].shape}"
        for name in common
        if arrays[name].shape != expected[name].shape
    ]
    problems = (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
    found = [f"{len(names)} {kind} ({_some(names)})" for kind, names in problems if names]
    if found:
        raise GaitError(f"the weights do not fit {type(model).__name__}: {'; '.join(found)}")
    for published in variables:
        published.variable.assign(published.fit(arrays[published.name]))


def _some(names):
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def _without_time(array, published):
    """Weights of a convolution of one step in time as those of ours of each frame, or of our linear map."""
    wider = (array.ndim, len(published.axes)) in ((5, 4), (3, 2))
    return array[:, :, 0] if wider and array.shape[2] == 1 else array


def read_plain(state):
    """``(state, key)``: arrays of finite numbers by their plain names (no `PREFIXES`, no step counters, parts
    joined), and the key of the checkpoint that they are from.

    Args:
        state: ``{published name: array}`` or a file for `read_checkpoint`.
    """
    state, key = (state, None) if isinstance(state, Mapping) else read_checkpoint(state)
    state = {
        name: np.asarray(value) for name, value in state.items() if not name.endswith("num_batches_tracked")
    }
    for name, array in state.items():
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise GaitError(f"the weights of {name} are no finite real numbers; save the checkpoint again")
    for prefix in PREFIXES * 2:  # in either order
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    state = {selfgait_names.plain_name(name): value for name, value in state.items()}
    return _joined(state), key


def _joined(state):
    """What is published as one array a part, numbered, as the one array that we hold."""
    groups, rest = {}, {}
    for name, array in state.items():
        match = next(filter(None, (numbered.fullmatch(name) for numbered in NUMBERED)), None)
        if match:
            groups.setdefault(f"{match[1]}.{match[3]}", {})[int(match[2])] = array
        else:
            rest[name] = array
    for name, numbered in groups.items():
        arrays = [numbered[i] for i in sorted(numbered)]
        if sorted(numbered) != list(range(len(arrays))) or len({array.shape for array in arrays}) > 1:
            raise GaitError(f"the weights of {name} are not one array of one shape for each part from 0 on")
        # a neck's run over channels and, within, over parts, as those of all parts do where they are one
        rest[name] = np.stack(arrays, axis=-1).ravel() if name.startswith(NECK) else np.stack(arrays)
    return rest


def published_variables(model):
    """Every array of the checkpoint of a model, as a list of `Published`."""
    found = []
    for layer in model.layers:
        if not layer.weights:
            continue
        parts = 0
        if layer.name.endswith("-bn1d"):
            parts = model.get_layer(layer.name.removesuffix("-bn1d") + "-parts").target_shape[0]
        name = layer.name.replace("-", ".")
        found += [
            Published(_of_module(f"{name}.{suffix}"), getattr(layer, variable), axes, parts)
            for suffix, variable, axes in VARIABLES[type(layer)]
            if getattr(layer, variable) is not None  # no bias
        ]
    return found


def _of_module(name):
    """A graph convolution's edges bear the name of its module."""
    name = re.sub(r"st_gcn_networks\.(\d+)\.gcn\.conv\.edge", r"edge_importance.\1", name)
    return re.sub(r"\.scn\.conv\.gcn\.edge", ".edge", name)
