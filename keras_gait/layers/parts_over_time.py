"""Convolution and pooling of part descriptors over time (GaitPart's micro-motions).

Everything here takes ``parts (parts, batch, frames, channels)`` and ``present (batch, frames)`` of 0 and 1; a
frame that is absent counts as the zeros beyond the end of a clip. Parts come first, for so a product of
matrices, one a part, needs no copy with axes changed, neither of its input nor of its gradient.
"""

import keras
from keras import ops


def _zeroed(parts, present):
    return parts * ops.cast(present, parts.dtype)[None, :, :, None]


def _windows(parts, size, value=0.0):
    """The frames around every frame, earliest first: a list of ``size`` tensors like ``parts``."""
    frames = ops.shape(parts)[2]
    padded = ops.pad(parts, [(0, 0), (0, 0), (size // 2, size // 2), (0, 0)], constant_values=value)
    return [padded[:, :, offset : offset + frames] for offset in range(size)]


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
        parts, _, _, channels = parts_shape
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
        parts = _zeroed(parts, present)
        convolved = self._widened(parts) if self.filters > parts.shape[-1] else self._narrowed(parts)
        return convolved if self.bias is None else convolved + self.bias[:, None, None]

    def _widened(self, parts):
        """The product of the frames around each, side by side."""
        if self.kernel_size > 1:
            parts = ops.concatenate(_windows(parts, self.kernel_size), axis=-1)
        return self._product(parts, ops.reshape(self.kernel, (-1, parts.shape[-1], self.filters)))

    def _narrowed(self, parts):
        """The products of each frame, which are smaller than itself, summed where they belong."""
        count, channels = parts.shape[0], parts.shape[-1]
        taps = ops.reshape(ops.transpose(self.kernel, (0, 2, 1, 3)), (count, channels, -1))
        products = ops.split(self._product(parts, taps), self.kernel_size, axis=-1)
        return sum(_windows(product, self.kernel_size)[i] for i, product in enumerate(products))

    def _product(self, parts, matrices):
        """``parts`` times the matrix ``(channels, units)`` of each."""
        count, *_, channels = parts.shape
        units, frames = matrices.shape[-1], ops.shape(parts)[2]
        product = ops.matmul(ops.reshape(parts, (count, -1, channels)), matrices)
        return ops.reshape(product, (count, -1, frames, units))

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
        there = ops.cast(present, "bool")[None, :, :, None]
        lowest = -6e4 if keras.backend.standardize_dtype(parts.dtype) == "float16" else -1e30
        known = ops.where(there, parts, lowest)
        # XLA makes one pass of all windows; elsewhere the gradient of a pooling is up to 60 times as quick
        pool = self._of_windows if keras.backend.backend() == "jax" else self._of_poolings
        return ops.where(there, pool(_zeroed(parts, present), known, lowest), 0.0)

    def _of_windows(self, zeroed, known, lowest):
        highest, *others = _windows(known, self.size, lowest)
        for other in others:
            # no `maximum`: its gradient goes to what equals it, which a compiled step may have rounded anew
            highest = ops.where(highest >= other, highest, other)
        return highest + sum(_windows(zeroed, self.size)) / self.size

    def _of_poolings(self, zeroed, known, lowest):
        """The mean as a product with a matrix of the frames around each, the maximum by the backend's own."""
        count, *_, channels = zeroed.shape
        frames = ops.shape(zeroed)[2]
        place = ops.arange(frames)
        near = ops.abs(place[:, None] - place) <= self.size // 2
        mean = ops.matmul(ops.cast(near, zeroed.dtype) / self.size, zeroed)
        highest = ops.max_pool(
            ops.reshape(known, (-1, frames, channels)), self.size, strides=1, padding="same"
        )
        return mean + ops.reshape(highest, (count, -1, frames, channels))

    def compute_output_shape(self, parts_shape, present_shape):
        return parts_shape

    def get_config(self):
        return super().get_config() | {"size": self.size}
