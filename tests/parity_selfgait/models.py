"""The parts of SelfGait's networks by themselves (its section 3); whole networks are checkpoints."""

import keras
import numpy as np
from fixtures import reader
from gradients import gradient
from keras import ops

from keras_gait.checkpoints.by_name import load_state
from keras_gait.layers import BatchNorm, micro_motion, mlp_head
from keras_gait.models.selfgait import set_encoder, strip_features

BINS = (1, 2, 4, 8, 16)


def _published(parts):
    """Strips last: ``[..., channels, strips]``."""
    return np.moveaxis(ops.convert_to_numpy(parts), -1, -2)


def _load(model, state, module):
    """Load one module's weights, whose names lack the module's; a convolution of size 1 is a linear map."""
    state = {name: array[..., 0] if array.ndim == 3 and "net." in name else array for name, array in state}
    load_state(model, {f"{module}.{name}": array for name, array in state.items()})


def _state(meta):
    return reader.state(meta).items()


def setnet(meta, inputs, path):
    state = [(name, array) for name, array in _state(meta) if name != "fc_bin"]  # has no part in it
    widths = {name: len(array) for name, array in state}
    channels = [widths[f"set_layer{i}.forward_block.conv.weight"] for i in (1, 3, 5)]
    frames = inputs["silhouettes"][..., None].astype("float32") / 255
    if "batch_frame" in inputs:  # frames that count, of every clip of a GPU one after the other
        frames = frames[:, : inputs["batch_frame"][0].sum()]
    given = keras.Input(frames.shape[1:])
    model = keras.Model(given, set_encoder(given, channels, BINS))
    _load(model, state, "online_network")
    return {"feature": _published(model(frames))}


def _of_all_strips(state, name, strips):
    return np.stack([state[name.format(strip)] for strip in range(strips)])


def mcm(meta, inputs, path):
    state, x = reader.state(meta), np.moveaxis(inputs["x"], -1, -2)
    strips, channels = x.shape[2:]
    given, present = keras.Input((None, strips, channels)), keras.Input((None,))
    hidden = len(state["conv_list_1.0.0.bias"])
    model = keras.Model([given, present], micro_motion(given, present, hidden, "conv_trans", use_bias=True))
    for convolution in ("conv_list_1-0", "conv_list_1-2", "conv_list_2-0", "conv_list_2-2"):
        layer, name = model.get_layer(f"conv_trans-{convolution}"), convolution.replace("-", ".{}.")
        layer.kernel.assign(_of_all_strips(state, f"{name}.weight", strips).transpose(0, 3, 2, 1))
        layer.bias.assign(_of_all_strips(state, f"{name}.bias", strips))
    return {"y": _published(model([x, np.ones(x.shape[:2], "float32")]))}


def tp_full(meta, inputs, path):
    x, state = np.moveaxis(inputs["x"], -1, -2), reader.state(meta)
    given, present = keras.Input((None, *x.shape[2:])), keras.Input((None,))
    full = strip_features(given, present, state["fc_bin"].shape[2])
    model = keras.Model([given, present], full)
    _load(model, state.items(), "TP_1")
    plain = keras.Model(model.input, model.get_layer("TP_1-max").output)
    clips = [x, np.ones(x.shape[:2], "float32")]
    return {
        "full": ops.convert_to_numpy(model(clips)),
        "plain": ops.convert_to_numpy(plain(clips)).swapaxes(0, 1),
    }


def mlp_head_family(meta, inputs, path):
    x, state = inputs["x"], reader.state(meta)
    given = keras.Input(x.shape[1:])
    hidden, size = len(state["net.0.bias"]), len(state["net.3.bias"])
    model = keras.Model(given, mlp_head(given, hidden, size, "projection_1"))
    _load(model, state.items(), "projection_1")

    def loss(x):
        with keras.StatelessScope():  # running statistics stay: JAX would keep what it traced in them
            return ops.mean(ops.square(model(x, training=True)))

    outputs = {"gradient_x": gradient(loss, x), "eval": model(x, training=False)}
    outputs["train"] = model(x, training=True)  # moves the running statistics, once
    norm = next(layer for layer in model.layers if isinstance(layer, BatchNorm))
    outputs |= {"running_mean": norm.moving_mean, "running_var": norm.moving_variance}
    return {name: ops.convert_to_numpy(value) for name, value in outputs.items()}


FAMILIES = {"setnet": setnet, "mcm": mcm, "tp_full": tp_full, "mlp_head": mlp_head_family}
