"""SGE out of published TensorFlow 1 checkpoints: the recognition network, the encoders, both put together."""

import numpy as np

from keras_gait.checkpoints.sge_folders import AXES, parse_folder
from keras_gait.checkpoints.sge_names import load_axis
from keras_gait.checkpoints.tf1 import read_tf1
from keras_gait.errors import GaitError
from keras_gait.models.sge import SGE, recognition_network

#: published name -> layer and weight of our recognition network
RECOGNITION = {
    "W1": ("hidden", "kernel"),
    "b1": ("hidden", "bias"),
    "W": ("logits", "kernel"),
    "Variable": ("logits", "bias"),
}
FIRST_KERNEL = "rnn/multi_rnn_cell/cell_0/lstm_cell/kernel"


def recognition_from_state(state):
    """The recognition network of published weights ``{name: array}``, optimizer's passed over."""
    _check_recognition(state)
    inputs, hidden = np.shape(state["W1"])
    network = recognition_network(inputs, np.shape(state["W"])[1], hidden)
    load_recognition(network, state)
    return network


def load_recognition(model, state):
    """Load published weights into the layers "hidden" and "logits" of a model.

    Raises:
        GaitError: names the first that is missing, no finite numbers, or of another shape.
    """
    _check_recognition(state)
    for name, (layer, weight) in RECOGNITION.items():
        variable, array = getattr(model.get_layer(layer), weight), np.asarray(state[name])
        if array.shape != tuple(variable.shape):
            raise GaitError(
                f"the recognition network's {name} is {array.shape}, but features and classes need "
                f"{tuple(variable.shape)}: it is of other encoders, or of another --manner"
            )
        variable.assign(array.astype(np.float32))


def _check_recognition(state):
    missing = [name for name in RECOGNITION if name not in state]
    if missing:
        raise GaitError(f"no recognition network: the weights {', '.join(missing)} are missing")
    for name in RECOGNITION:
        array = np.asarray(state[name])
        if array.dtype.kind != "f" or array.ndim != 2 - (name in ("b1", "Variable")):
            kind = "vector" if array.ndim > 1 else "matrix"
            raise GaitError(f"the recognition network's {name} is no {kind} of real numbers")
        if not np.isfinite(array).all():
            raise GaitError(f"the recognition network's {name} has numbers that are not finite")


def sge_from_tf1(path):
    """The `SGE` of a published checkpoint: of a recognition network with its encoders, or of encoders alone.

    The names of the folders tell data set, task, manner and length; the encoders of y and z are found beside
    that of x. With CASIA-B, joint 0 is subtracted, the published default. ``subjects`` are not told.

    Raises:
        GaitError: a name that tells nothing, an encoder that is missing, weights that do not fit.
    """
    folder = parse_folder(path)
    state = read_tf1(path) if folder.manner else None
    axes = [read_tf1(folder.encoder(axis)) for axis in AXES]
    if state is not None:
        _check_recognition(state)
    joints, units = _sizes(axes[0])
    model = SGE(
        nclasses=np.shape(state["W"])[1] if folder.manner else 0,
        frames=folder.frames,
        joints=joints,
        units=units,
        pretext=folder.model,
        attention=folder.attention or "LA",
        contrast="joint" if "W1" in axes[0] else "none",
        manner=folder.manner or "sc",
        normalise="joint" if folder.dataset.startswith("CASIA") else "none",
        hidden=np.shape(state["W1"])[1] if folder.manner else 256,
    )
    for axis, weights in zip(AXES, axes, strict=True):
        for task in model.tasks:
            load_axis(model.get_layer(f"{task}-{axis}"), weights)
    if state is not None:
        load_recognition(model, state)
    return model


def _sizes(state):
    """Joints and units of an encoder, from its first kernel ``(joints + units, 4 * units)``."""
    kernel = state.get(FIRST_KERNEL)
    if kernel is None or kernel.ndim != 2 or kernel.shape[1] % 4 or kernel.shape[0] <= kernel.shape[1] // 4:
        raise GaitError(f"no weights of an SGE encoder: {FIRST_KERNEL} is missing or no LSTM's")
    units = kernel.shape[1] // 4
    return kernel.shape[0] - units, units
