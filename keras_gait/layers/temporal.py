"""Convolution and pooling over time, exact for clips that are filled up to a common length."""

import keras
from keras import ops

from keras_gait.layers.frames import unfold


@keras.saving.register_keras_serializable("keras_gait")
class TemporalConvolution(keras.layers.Layer):
    """A bias-free convolution over time (and space) that takes absent frames for the zeros beyond the end.

    Called as ``layer(maps, present)``, ``present (batch, frames)`` of 0 and 1. ``maps`` are ``(batch, frames,
    height, width, channels)`` or ``(batch * frames, height, width, channels)`` and come back so. Zeros pad
    half a kernel on all sides; every frame stays.

    Args:
        filters: channels out.
        kernel_size: ``(time, rows, columns)``, odd.
        stride: over rows and columns.
    """

    def __init__(self, filters, kernel_size=(3, 1, 1), stride=1, **kwargs):
        super().__init__(**kwargs)
        if any(size % 2 == 0 for size in kernel_size):
            raise ValueError(f"kernel_size must be odd. Received: kernel_size={tuple(kernel_size)}")
        self.filters = filters
        self.kernel_size = tuple(kernel_size)
        self.stride = stride

    def build(self, maps_shape, present_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, maps_shape[-1], self.filters),
            initializer="glorot_uniform",
        )

    def call(self, maps, present):
        clips = unfold(maps, present)
        clips = clips * ops.cast(present, clips.dtype)[:, :, None, None, None]
        if self.kernel_size[1:] == (1, 1) and self.stride == 1:
            convolved = self._over_time(clips)
        else:
            convolved = self._over_time_and_space(clips)
        return unfold(convolved, present) if len(maps.shape) == 5 else convolved

    def _over_time(self, clips):
        """A 2-D convolution with time for rows and all pixels for columns."""
        *_, height, width, channels = clips.shape
        kernel = ops.reshape(self.kernel, (-1, 1, channels, self.filters))
        pixels = ops.reshape(clips, (-1, ops.shape(clips)[1], height * width, channels))
        return ops.reshape(ops.conv(pixels, kernel, padding="same"), (-1, height, width, self.filters))

    def _over_time_and_space(self, clips):
        """A 2-D convolution of each frame with its neighbours as further channels."""
        times, rows, columns = self.kernel_size
        channels = clips.shape[-1]
        count = ops.shape(clips)[1]
        margins = [(0, 0), *((size // 2, size // 2) for size in self.kernel_size), (0, 0)]
        padded = ops.pad(clips, margins)
        stacked = ops.concatenate([padded[:, t : t + count] for t in range(times)], axis=-1)
        stacked = ops.reshape(stacked, (-1, *stacked.shape[2:4], times * channels))
        kernel = ops.reshape(
            ops.transpose(self.kernel, (1, 2, 0, 3, 4)), (rows, columns, times * channels, self.filters)
        )
        return ops.conv(stacked, kernel, strides=self.stride, padding="valid")

    def compute_output_shape(self, maps_shape, present_shape):
        *frames, height, width, _ = maps_shape
        return (*frames, -(-height // self.stride), -(-width // self.stride), self.filters)

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
        }


@keras.saving.register_keras_serializable("keras_gait")
class TemporalMaxPooling(keras.layers.Layer):
    """Maximum over the frames that are present.

    ``(batch, frames, ...), (batch, frames) -> (batch, ...)``; a clip without a frame gives zeros.
    """

    def call(self, clips, present):
        there = ops.reshape(
            ops.cast(present, "bool"), (-1, ops.shape(clips)[1], *[1] * (len(clips.shape) - 2))
        )
        lowest = -6e4 if keras.backend.standardize_dtype(clips.dtype) == "float16" else -1e30
        pooled = _highest(ops.where(there, clips, lowest))
        return ops.where(ops.any(there, axis=1), pooled, 0.0)

    def compute_output_shape(self, clips_shape, present_shape):
        return (clips_shape[0], *clips_shape[2:])


def _highest(clips):
    """Maximum over axis 1; on JAX by its place.

    There the gradient of a maximum goes to what equals it, and a compiled step may compute the values that it
    compares anew, rounded otherwise: then it is lost.
    """
    if keras.backend.backend() != "jax":
        return ops.max(clips, axis=1)
    highest = ops.argmax(clips, axis=1, keepdims=True)
    places = ops.reshape(ops.arange(ops.shape(clips)[1]), (-1, *[1] * (len(clips.shape) - 2)))
    return ops.sum(ops.where(places == highest, clips, 0.0), axis=1)
