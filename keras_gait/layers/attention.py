"""Trainable attention over image patches and over body parts (AttenGait, section 3)."""

import keras
from keras import ops

EPSILON = 1e-6  # part of the method: with softmax it outweighs the variance, see `_normalise`


class _StaticAttention(keras.layers.Layer):
    """One learnt weight per cell, the same for every sample: ``LayerNorm(x * a)`` over channels.

    Args:
        softmax: ``a <- softmax(a / sqrt(n))`` over all ``n`` cells.
        dropout_rate: share of cells dropped in training, one mask for the whole batch.
        kernel_regularizer: of the attention vector.
    """

    def __init__(self, softmax=False, dropout_rate=0.0, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.softmax = softmax
        self.dropout_rate = dropout_rate
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.seed_generator = keras.random.SeedGenerator()

    def _build(self, cells, channels):
        # float32 whatever the policy: a softmax weight of 1/484, squared, vanishes in float16
        def add(name, shape, initializer, regularizer=None):
            return self.add_weight(
                name=name,
                shape=shape,
                initializer=initializer,
                regularizer=regularizer,
                dtype="float32",
                autocast=False,
            )

        self.attention = add("attention", (cells,), "ones", self.kernel_regularizer)
        self.gamma = add("gamma", (channels,), "ones")
        self.beta = add("beta", (channels,), "zeros")

    def attention_weights(self, training=False):
        """The weight of every cell, ``(cells,)``."""
        weights = ops.convert_to_tensor(self.attention)
        if self.softmax:
            weights = ops.softmax(weights / weights.shape[0] ** 0.5)
        if training and self.dropout_rate:
            # not `keras.random.dropout`, which on PyTorch draws past the seed and so could not be resumed
            kept = keras.random.uniform(weights.shape, seed=self.seed_generator) >= self.dropout_rate
            weights = ops.where(kept, weights / (1.0 - self.dropout_rate), 0.0)
        return weights

    def _normalise(self, x, weights):
        """LayerNorm over channels of ``x * weights`` without forming the product.

        With m and v the mean and variance of x over channels, LN(a x) = a (x - m) / sqrt(a² v + eps).
        """
        x = ops.cast(x, "float32")
        centred = x - ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        scale = weights * ops.rsqrt(ops.square(weights) * variance + EPSILON)
        return ops.cast(centred * scale * self.gamma + self.beta, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {
            "softmax": self.softmax,
            "dropout_rate": self.dropout_rate,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@keras.saving.register_keras_serializable("keras_gait")
class PatchAttention(_StaticAttention):
    """One weight per image patch (the published ``AttentionConv``).

    ``(..., height, width, channels)`` to the same shape. Patches run row by row; those at the lower and
    right border may be cut. See `_StaticAttention` for ``softmax`` and ``dropout_rate``.

    Args:
        patch_size: rows and columns of a patch, an int or a pair.
    """

    def __init__(self, patch_size=3, **kwargs):
        super().__init__(**kwargs)
        self.patch_size = (patch_size, patch_size) if isinstance(patch_size, int) else tuple(patch_size)

    def build(self, input_shape):
        *_, height, width, channels = input_shape
        if height is None or width is None:
            raise ValueError(f"PatchAttention needs a fixed height and width. Received: shape={input_shape}")
        self.grid = (-(-height // self.patch_size[0]), -(-width // self.patch_size[1]))
        self._build(self.grid[0] * self.grid[1], channels)

    def attention_map(self, height, width, training=False):
        """Every pixel's weight, ``(height, width)``."""
        cells = ops.reshape(self.attention_weights(training), self.grid)
        rows = ops.repeat(cells, self.patch_size[0], axis=0)[:height]
        return ops.repeat(rows, self.patch_size[1], axis=1)[:, :width]

    def call(self, maps, training=False):
        height, width = maps.shape[-3:-1]
        return self._normalise(maps, self.attention_map(height, width, training)[..., None])

    def get_config(self):
        return super().get_config() | {"patch_size": self.patch_size}


@keras.saving.register_keras_serializable("keras_gait")
class PartAttention(_StaticAttention):
    """One weight per part (the published ``AttentionHPP``); ``(batch, parts, channels)``, shape kept."""

    def build(self, input_shape):
        self._build(input_shape[1], input_shape[2])

    def call(self, parts, training=False):
        return self._normalise(parts, self.attention_weights(training)[:, None])
