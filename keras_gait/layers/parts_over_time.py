"""Convolution and pooling of part descriptors over time (GaitPart's micro-motions).

Everything here takes ``parts (batch, frames, parts, channels)`` and ``present (batch, frames)`` of 0 and 1; a
frame that is absent counts as the zeros beyond the end of a clip.
"""

import keras
from keras import ops


def _zeroed(parts, present):
    return parts * ops.cast(present, parts.dtype)[:, :, None, None]


def _windows(parts, size, value=0.0):
    """The frames around every frame, earliest first: a list of ``size`` tensors like ``parts``."""
    frames = ops.shape(parts)[1]
    padded = ops.pad(parts, [(0, 0), (size // 2, size // 2), (0, 0), (0, 0)], constant_values=value)
    return [padded[:, offset : offset + frames] for offset in range(size)]


@keras.saving.register_keras_serializable("keras_gait")
class PartsConvolution(keras.layers.Layer):
    """One convolution over time for each part, ``channels -> filters``; every frame stays.

    All parts in one product of matrices: a grouped convolution would do the same, but hardly trains on a CPU.

    Args:
        filters: channels out.
        kernel_size: frames, odd.
        use_bias: add a bias to every filter of every part.
        kernel_initializer: uniform, for each part by itself: ``"glorot_uniform"``, or ``"fan_in_uniform"``,
            within ``1 / sqrt(kernel_size * channels)``, as PyTorch's convolutions start. A bias is always
            within that.
    """

    def __init__(self, filters, kernel_size, use_bias=False, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd. Received: kernel_size={kernel_size}")
        if kernel_initializer not in ("glorot_uniform", "fan_in_uniform"):
            raise ValueError(
                "kernel_initializer must be 'glorot_uniform' or 'fan_in_uniform'. Received: "
                f"kernel_initializer={kernel_initializer!r}"
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer

    def build(self, parts_shape, present_shape):
        _, _, parts, channels = parts_shape
        by_fan_in = (self.kernel_size * channels) ** -0.5
        by_both = (6 / (self.kernel_size * (channels + self.filters))) ** 0.5
        limit = by_fan_in if self.kernel_initializer == "fan_in_uniform" else by_both
        self.kernel = self.add_weight(
            name="kernel",
            shape=(parts, self.kernel_size, channels, self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit),
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(parts, self.filters),
                initializer=keras.initializers.RandomUniform(-by_fan_in, by_fan_in),
            )

    def call(self, parts, present):
        windows = ops.concatenate(_windows(_zeroed(parts, present), self.kernel_size), axis=-1)
        kernel = ops.reshape(self.kernel, (windows.shape[2], windows.shape[3], self.filters))
        convolved = ops.einsum("nspc,pcf->nspf", windows, kernel)
        return convolved if self.bias is None else convolved + self.bias

    def compute_output_shape(self, parts_shape, present_shape):
        return (*parts_shape[:3], self.filters)

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
            "kernel_initializer": self.kernel_initializer,
        }


@keras.saving.register_keras_serializable("keras_gait")
class WindowPooling(keras.layers.Layer):
    """Mean plus maximum over the ``size`` frames around every frame, shape kept.

    Beyond the ends of a clip the mean counts zeros, the maximum nothing.

    Args:
        size: frames, odd.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        if size % 2 == 0:
            raise ValueError(f"size must be odd. Received: size={size}")
        self.size = size

    def call(self, parts, present):
        there = ops.cast(present, "bool")[:, :, None, None]
        mean = sum(_windows(_zeroed(parts, present), self.size)) / self.size
        lowest = -6e4 if keras.backend.standardize_dtype(parts.dtype) == "float16" else -1e30
        highest, *others = _windows(ops.where(there, parts, lowest), self.size, lowest)
        for other in others:
            highest = ops.maximum(highest, other)
        return ops.where(there, mean + highest, 0.0)

    def compute_output_shape(self, parts_shape, present_shape):
        return parts_shape

    def get_config(self):
        return super().get_config() | {"size": self.size}
