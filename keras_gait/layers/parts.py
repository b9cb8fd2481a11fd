"""Separate linear maps for the parts of a body."""

import keras
from keras import ops


def unit_length(x, axis):
    """``x / max(|x|, 1e-12)`` along an axis, in float32 at least: squares are small."""
    wide = ops.cast(x, "float32")
    length = ops.sqrt(ops.maximum(ops.sum(ops.square(wide), axis=axis, keepdims=True), 1e-24))
    return ops.cast(wide / length, x.dtype)


@keras.saving.register_keras_serializable("keras_gait")
class SeparateGlorot(keras.initializers.RandomUniform):
    """Uniform within ``sqrt(6 / (channels * units + parts * units))``, the start of ``SeparateFCs``.

    That is what PyTorch's Xavier makes of a stack ``(parts, channels, units)``: much narrower than Glorot's
    limit for each part by itself.
    """

    def __init__(self, seed=None):
        super().__init__(seed=seed)

    def __call__(self, shape, dtype=None):
        parts, channels, units = shape
        limit = (6 / (channels * units + parts * units)) ** 0.5
        return keras.random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)

    def get_config(self):
        return {"seed": super().get_config()["seed"]}


@keras.saving.register_keras_serializable("keras_gait")
class PartsLinear(keras.layers.Layer):
    """One bias-free linear map per part: ``y[b, p] = x[b, p] K[p]``.

    ``(batch, parts, channels) -> (batch, parts, units)``, with the kernel ``(parts, channels, units)``.

    Args:
        units: channels out.
        kernel_regularizer: of the kernel.
        kernel_initializer: by default Glorot-uniform over the whole shape, as AttenGait's ``MatMul`` starts;
            `SeparateGlorot` for OpenGait's ``SeparateFCs``.
        unit_columns: scale every column of a part's map to length 1 before it is used.
    """

    def __init__(
        self,
        units,
        kernel_regularizer=None,
        kernel_initializer="glorot_uniform",
        unit_columns=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.unit_columns = unit_columns

    def build(self, input_shape):
        _, parts, channels = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(parts, channels, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )

    def call(self, parts):
        kernel = unit_length(self.kernel, axis=1) if self.unit_columns else self.kernel
        return ops.einsum("bpc,pcu->bpu", parts, kernel)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], self.units)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "unit_columns": self.unit_columns,
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


@keras.saving.register_keras_serializable("keras_gait")
class UnitLength(keras.layers.Layer):
    """Every vector along the last axis scaled to length 1, ``x / max(|x|, 1e-12)``; shape kept."""

    def call(self, x):
        return unit_length(x, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape
