"""The decoder of SGE: two LSTM layers that look back at the encoder's states (Luong attention)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class AttentionDecoder(keras.layers.Layer):
    """Two LSTM layers with multiplicative attention whose result is fed back (SGE, section 4).

    ``decoder(memory (batch, u, units), states)`` runs u steps and returns the frames
    ``(batch, t, joints)`` and the attention ``(batch, t, u)`` of step t over the memory, which sums to 1.
    ``states`` are the initial ``[(h, c), (h, c)]``, each ``(batch, units)``. A step is fed the frame of
    ``inputs (batch, t, joints)``; without them its own frame of the step before where it runs ``free``,
    otherwise zeros.

    Args:
        joints: values of a frame, all of one coordinate.
        units: width of the LSTM layers, the attention and the memory.
    """

    def __init__(self, joints, units, **kwargs):
        super().__init__(**kwargs)
        self.joints = joints
        self.units = units
        precision = {"dtype": self.dtype_policy}
        self.cells = [lstm(keras.layers.LSTMCell, units, name=f"cell_{n}", **precision) for n in (0, 1)]
        plain = {"use_bias": False, **precision}
        self.memory_layer = keras.layers.Dense(units, name="memory_layer", **plain)
        self.attention_layer = keras.layers.Dense(units, name="attention_layer", **plain)
        normal = keras.initializers.TruncatedNormal(stddev=0.1)
        self.frame = keras.layers.Dense(joints, kernel_initializer=normal, name="frame", **precision)

    def build(self, memory_shape):
        self.cells[0].build((None, self.joints + self.units))
        self.cells[1].build((None, self.units))
        self.memory_layer.build((None, None, self.units))
        self.attention_layer.build((None, 2 * self.units))
        self.frame.build((None, self.units))

    def call(self, memory, states, inputs=None, free=False):
        keys = self.memory_layer(memory)
        silent = ops.zeros_like(ops.matmul(memory[:, 0], self.frame.kernel))

        def step(carry, fed):
            (lower, upper), attention, _, frame = carry
            fed = frame if fed is None else fed
            output, lower = self.cells[0](ops.concatenate([fed, attention], axis=-1), lower)
            output, upper = self.cells[1](output, upper)
            scores = ops.sum(keys * output[:, None], axis=-1)
            weights = ops.softmax(scores, axis=-1)
            context = ops.sum(weights[:, :, None] * memory, axis=1)
            attention = self.attention_layer(ops.concatenate([output, context], axis=-1))
            frame = self.frame(attention) if free else silent
            carry = [list(lower), list(upper)], attention, weights, frame
            return carry, carry  # on TensorFlow, what is collected has the structure of what is carried

        start = [list(pair) for pair in states], ops.zeros_like(memory[:, 0])
        start = (*start, ops.zeros_like(memory[:, :, 0]), silent)
        inputs = None if inputs is None else ops.swapaxes(inputs, 0, 1)
        _, (_, attentions, weights, _) = ops.scan(step, start, inputs, length=memory.shape[1])
        return self.frame(ops.swapaxes(attentions, 0, 1)), ops.swapaxes(weights, 0, 1)

    def compute_output_shape(self, memory_shape):
        batch, length, _ = memory_shape
        return (batch, length, self.joints), (batch, length, length)

    def get_config(self):
        return super().get_config() | {"joints": self.joints, "units": self.units}


def lstm(kind, units, **options):
    """A `keras.layers.LSTM` or its cell with the published initial weights: U(-0.1, 0.1), forget bias 1."""
    kernel, recurrent = (keras.initializers.RandomUniform(-0.1, 0.1) for _ in range(2))
    return kind(units, kernel_initializer=kernel, recurrent_initializer=recurrent, **options)
