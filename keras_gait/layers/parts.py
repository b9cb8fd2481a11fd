"""Separate linear maps for the parts of a body."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class PartsLinear(keras.layers.Layer):
    """One bias-free linear map per part: ``y[b, p] = x[b, p] K[p]``.

    ``(batch, parts, channels) -> (batch, parts, units)``. The kernel ``(parts, channels, units)`` starts
    Glorot-uniform over its whole shape, as AttenGait's ``MatMul`` does.

    Args:
        units: channels out.
        kernel_regularizer: of the kernel.
    """

    def __init__(self, units, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        _, parts, channels = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(parts, channels, self.units),
            initializer="glorot_uniform",
            regularizer=self.kernel_regularizer,
        )

    def call(self, parts):
        return ops.einsum("bpc,pcu->bpu", parts, self.kernel)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], self.units)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@keras.saving.register_keras_serializable("keras_gait")
class PartsClassifier(keras.layers.Layer):
    """Class logits from part descriptors: ``(batch, parts, channels) -> (batch, n, classes)``.

    Args:
        classes: how many.
        kind: ``"split"``, a linear classifier for each part (n = parts); ``"shared"``, one for all parts
            (n = parts); ``"joint"``, one on the descriptors joined part after part (n = 1).
    """

    def __init__(self, classes, kind="split", **kwargs):
        super().__init__(**kwargs)
        if kind not in ("split", "shared", "joint"):
            raise ValueError(f"kind must be 'split', 'shared' or 'joint'. Received: kind={kind!r}")
        self.classes = classes
        self.kind = kind

    def build(self, input_shape):
        _, parts, channels = input_shape
        groups, fan_in = {
            "split": (parts, channels),
            "shared": (1, channels),
            "joint": (1, parts * channels),
        }[self.kind]
        limit = (6 / (fan_in + self.classes)) ** 0.5  # Glorot's, for each classifier by itself
        self.kernel = self.add_weight(
            name="kernel",
            shape=(groups, fan_in, self.classes),
            initializer=keras.initializers.RandomUniform(-limit, limit),
        )
        self.bias = self.add_weight(name="bias", shape=(groups, self.classes), initializer="zeros")

    def call(self, parts):
        if self.kind == "joint":
            parts = ops.reshape(parts, (-1, 1, parts.shape[1] * parts.shape[2]))
        if self.kind == "split":
            return ops.einsum("bpc,pck->bpk", parts, self.kernel) + self.bias
        return ops.matmul(parts, self.kernel[0]) + self.bias

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1 if self.kind == "joint" else input_shape[1], self.classes)

    def get_config(self):
        return super().get_config() | {"classes": self.classes, "kind": self.kind}
