"""A feature map becomes descriptors of its horizontal strips (HPP; GaitSet, eq. 5; GaitGL's GeM)."""

import keras
from keras import ops


class _Strips(keras.layers.Layer):
    """``(batch, height, width, channels) -> (batch, sum(bins), channels)``, top to bottom, bin by bin.

    A strip is an equal share of the map's pixels, row after row.

    Args:
        bins: strip counts, for instance ``(16,)`` or ``(16, 8, 4, 2, 1)``.
    """

    def __init__(self, bins=(16,), **kwargs):
        super().__init__(**kwargs)
        self.bins = tuple(bins)

    def build(self, input_shape):
        _, height, width, _ = input_shape
        uneven = [n for n in self.bins if height * width % n]
        if uneven:
            raise ValueError(
                f"Strip counts must divide the feature map. Received: bins={self.bins}, height={height}, "
                f"width={width}; {uneven} leave a remainder."
            )

    def call(self, maps):
        _, height, width, channels = maps.shape
        cells = [ops.reshape(maps, (-1, n, height * width // n, channels)) for n in self.bins]
        return ops.concatenate([self._pool(cell) for cell in cells], axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], sum(self.bins), input_shape[3])

    def get_config(self):
        return super().get_config() | {"bins": self.bins}


@keras.saving.register_keras_serializable("keras_gait")
class StripPooling(_Strips):
    """Mean plus maximum of every strip. See `_Strips` for shapes and ``bins``."""

    def _pool(self, cells):
        return ops.mean(cells, axis=2) + ops.max(cells, axis=2)


@keras.saving.register_keras_serializable("keras_gait")
class GeMStripPooling(_Strips):
    """Generalised mean of every strip: ``mean(max(x, 1e-6) ** p) ** (1 / p)``, p learnt (GaitGL, eq. 7).

    See `_Strips` for shapes.

    Args:
        bins: strip counts.
        p: where the exponent starts.
    """

    def __init__(self, bins=(64,), p=6.5, **kwargs):
        super().__init__(bins, **kwargs)
        self.initial_p = p

    def build(self, input_shape):
        super().build(input_shape)
        self.p = self.add_weight(
            name="p",
            shape=(1,),
            initializer=keras.initializers.Constant(self.initial_p),
            dtype="float32",
            autocast=False,
        )

    def _pool(self, cells):
        # float32 whatever the policy: 1e-6 to the power of 6.5 is no float16
        powers = ops.power(ops.maximum(ops.cast(cells, "float32"), 1e-6), self.p)
        return ops.cast(ops.power(ops.mean(powers, axis=2), 1.0 / self.p), self.compute_dtype)

    def get_config(self):
        return super().get_config() | {"p": self.initial_p}
