"""Published variable names of one SGE axis, and our variables for them (SGE, section 4)."""

from typing import NamedTuple

import numpy as np
from keras import ops

from keras_gait.errors import GaitError

ENCODER = "rnn/multi_rnn_cell"
DECODER = "decode/decoder/Attention_Wrapper"
UNUSED = ("lstm_weights_layer_1", "lstm_weights_layer_2")  # copies that the original trains and never uses
ORDER = (0, 2, 1, 3)  # published gates i, j, f, o; Keras has i, f, c (the published j), o
FORGET = 1  # of Keras's gates; the original adds 1 to it when it runs


class Published(NamedTuple):
    """One published array: its name, our variables (more than one: rows of the first above the others'),
    and whether it belongs to an LSTM, with gates along the last axis."""

    name: str
    variables: tuple
    gates: bool = False

    @property
    def shape(self):
        """The published shape."""
        return (sum(v.shape[0] for v in self.variables), *self.variables[0].shape[1:])


def axis_variables(encoder):
    """Every array of the checkpoint of one axis that `SkeletonEncoder` ``encoder`` uses, as `Published`."""
    wrapper = f"{DECODER}/multi_rnn_cell"
    cells = {f"{ENCODER}/cell_{n}": layer.cell for n, layer in enumerate(encoder.layers)}
    cells |= {f"{wrapper}/cell_{n}": cell for n, cell in enumerate(encoder.decoder.cells)}
    found = []
    for name, cell in cells.items():
        found += [
            Published(f"{name}/lstm_cell/kernel", (cell.kernel, cell.recurrent_kernel), gates=True),
            Published(f"{name}/lstm_cell/bias", (cell.bias,), gates=True),
        ]
    decoder = encoder.decoder
    plain = {
        "memory_layer/kernel": decoder.memory_layer.kernel,
        f"{DECODER}/attention_layer/kernel": decoder.attention_layer.kernel,
        "decode/decoder/dense/kernel": decoder.frame.kernel,
        "decode/decoder/dense/bias": decoder.frame.bias,
    }
    if encoder.head:
        hidden, projection = encoder.head
        plain |= {"W1": hidden.kernel, "b1": hidden.bias, "W": projection.kernel, "Variable": projection.bias}
    return found + [Published(name, (variable,)) for name, variable in plain.items()]


def load_axis(encoder, state):
    """Load published weights of one axis.

    Args:
        encoder: the built `SkeletonEncoder` of the axis.
        state: ``{published name: array}``; the optimizer's arrays, learning rates and copies without a use
            that a checkpoint also holds are passed over.

    Raises:
        GaitError: names the first that are missing, of another shape, no finite numbers.
    """
    expected = axis_variables(encoder)
    missing = [each.name for each in expected if each.name not in state]
    if missing:
        raise GaitError(
            f"the weights of an SGE encoder lack {len(missing)} arrays, the first is {missing[0]}; "
            f"give the checkpoint of one axis as training saved it"
        )
    for each in expected:
        array = np.asarray(state[each.name])
        if array.shape != each.shape:
            raise GaitError(
                f"the weights {each.name} are {array.shape}, the encoder takes {each.shape}; make it for the "
                f"joints, frames and units of the checkpoint"
            )
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise GaitError(f"the weights {each.name} are no finite real numbers; save the checkpoint again")
    for each in expected:
        array = np.asarray(state[each.name], np.float32)
        array = _gates(array, each) if each.gates else array
        ends = np.cumsum([v.shape[0] for v in each.variables])[:-1]
        for variable, rows in zip(each.variables, np.split(array, ends), strict=True):
            variable.assign(rows)


def published_state(encoder, values=None):
    """The inverse of `load_axis`: ``{published name: array}``, without the copies that have no use.

    Args:
        encoder: a built `SkeletonEncoder`.
        values: arrays to name in place of the weights, for instance gradients, by a variable's ``path``;
            nothing is then taken off forget biases.
    """
    found = {}
    for each in axis_variables(encoder):
        arrays = [ops.convert_to_numpy(v if values is None else values[v.path]) for v in each.variables]
        array = np.concatenate(arrays)
        found[each.name] = _gates(array, each, shift=-1.0 if values is None else 0.0) if each.gates else array
    return found


def _gates(array, published, shift=1.0):
    """Gates in the order of the other side; ``shift`` goes onto the forget gate's bias, in Keras's order
    where it is added, in the published one where it is taken off (the exchange is its own inverse)."""
    gates = np.stack(np.split(array, 4, axis=-1))[list(ORDER)]
    if array.ndim == 1:
        gates[FORGET if shift > 0 else ORDER[FORGET]] += shift
    return np.concatenate(gates, axis=-1)
