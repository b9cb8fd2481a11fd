"""Convolutions of every horizontal strip of a map by itself (GaitPart's FConv, GaitGL's local branch)."""

import keras
from keras import ops

from keras_gait.layers.temporal import TemporalConvolution


def _check_strips(strips, height):
    if height % strips:
        raise ValueError(
            f"strips must divide the feature map's height. Received: strips={strips}, height={height}"
        )


@keras.saving.register_keras_serializable("keras_gait")
class StripConv2D(keras.layers.Conv2D):
    """A bias-free 2-D convolution of ``strips`` equal strips, each with zeros around it; shape kept.

    ``(batch, height, width, channels) -> (batch, height, width, filters)``; other arguments as
    `keras.layers.Conv2D`'s.
    """

    def __init__(self, filters, kernel_size, strips, **kwargs):
        super().__init__(filters, kernel_size, **kwargs | {"padding": "same", "use_bias": False})
        self.strips = strips

    def build(self, input_shape):
        _check_strips(self.strips, input_shape[1])
        super().build(input_shape)

    def call(self, maps):
        _, height, width, channels = maps.shape
        strips = ops.reshape(maps, (-1, height // self.strips, width, channels))
        return ops.reshape(super().call(strips), (-1, height, width, self.filters))

    def get_config(self):
        return super().get_config() | {"strips": self.strips}


@keras.saving.register_keras_serializable("keras_gait")
class StripConv3D(TemporalConvolution):
    """`TemporalConvolution` of ``strips`` equal strips, each with zeros above and below.

    Args:
        filters: channels out.
        strips: how many.
        kernel_size: ``(time, rows, columns)``, odd.
    """

    def __init__(self, filters, strips, kernel_size=(3, 3, 3), **kwargs):
        super().__init__(filters, kernel_size, **kwargs)
        self.strips = strips

    def build(self, maps_shape, present_shape):
        _check_strips(self.strips, maps_shape[-3])
        super().build(maps_shape, present_shape)

    def call(self, maps, present):
        """``maps (batch, frames, height, width, channels)``, ``present (batch, frames)``."""
        frames = ops.shape(maps)[1]
        *_, height, width, channels = maps.shape
        split = (-1, frames, self.strips, height // self.strips, width, channels)
        strips = ops.transpose(ops.reshape(maps, split), (0, 2, 1, 3, 4, 5))  # a strip is a clip by itself
        strips = ops.reshape(strips, (-1, frames, *split[3:]))
        strips = super().call(strips, ops.repeat(present, self.strips, axis=0))
        strips = ops.reshape(strips, (-1, self.strips, frames, *split[3:5], self.filters))
        return ops.reshape(
            ops.transpose(strips, (0, 2, 1, 3, 4, 5)), (-1, frames, height, width, self.filters)
        )

    def get_config(self):
        return super().get_config() | {"strips": self.strips}
