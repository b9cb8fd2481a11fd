"""Clips in blocks of a few frames (GaitGL's local temporal aggregation)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class RepeatShortClips(keras.layers.Layer):
    """Clips of one frame become three, of two frames four, by repetition; longer ones stay as they are.

    ``(batch, frames, height, width, channels)`` to the same with at least four frames. Called as
    ``layer(clips, present)``; absent frames follow those that are present, and those added are absent (-1).
    """

    def call(self, clips, present):
        frames = ops.shape(clips)[1]
        padded = ops.pad(clips, [(0, 0), (0, 4), (0, 0), (0, 0), (0, 0)], constant_values=-1)
        first, second, third, fourth = (padded[:, t] for t in range(4))
        count = ops.sum(ops.cast(present, "int32"), axis=1)[:, None, None, None]
        second = ops.where(count == 1, first, second)
        third = ops.where((count == 1) | (count == 2), first, third)
        fourth = ops.where(count == 2, second, fourth)
        length = max(frames, 4) if isinstance(frames, int) else ops.maximum(frames, 4)
        return ops.concatenate(
            [ops.stack([first, second, third, fourth], axis=1), padded[:, 4:length]], axis=1
        )

    def compute_output_shape(self, clips_shape, present_shape):
        batch, frames, *rest = clips_shape
        return (batch, None if frames is None else max(frames, 4), *rest)


@keras.saving.register_keras_serializable("keras_gait")
class BlockConvolution(keras.layers.Layer):
    """A bias-free linear map of every ``size`` frames that follow each other to one, pixel by pixel.

    ``(batch, frames, height, width, channels) -> (batch, frames // size, height, width, filters)``; frames
    beyond the last whole block are left out. `BlocksPresent` tells which blocks are whole.

    Args:
        filters: channels out.
        size: frames of a block.
    """

    def __init__(self, filters, size=3, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.size = size

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, 1, 1, input_shape[-1], self.filters),
            initializer="glorot_uniform",
        )

    def call(self, clips):
        *_, height, width, channels = clips.shape
        blocks = ops.shape(clips)[1] // self.size
        pixels = ops.reshape(
            clips[:, : blocks * self.size], (-1, blocks * self.size, height * width, channels)
        )
        kernel = ops.reshape(self.kernel, (self.size, 1, channels, self.filters))
        maps = ops.conv(pixels, kernel, strides=(self.size, 1), padding="valid")
        return ops.reshape(maps, (-1, blocks, height, width, self.filters))

    def compute_output_shape(self, input_shape):
        batch, frames, height, width, _ = input_shape
        return (batch, None if frames is None else frames // self.size, height, width, self.filters)

    def get_config(self):
        return super().get_config() | {"filters": self.filters, "size": self.size}


@keras.saving.register_keras_serializable("keras_gait")
class BlocksPresent(keras.layers.Layer):
    """Which blocks of ``size`` frames are whole, 0 or 1: ``(batch, frames) -> (batch, frames // size)``."""

    def __init__(self, size=3, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, present):
        blocks = ops.shape(present)[1] // self.size
        return ops.min(ops.reshape(present[:, : blocks * self.size], (-1, blocks, self.size)), axis=2)

    def compute_output_shape(self, present_shape):
        batch, frames = present_shape
        return (batch, None if frames is None else frames // self.size)

    def get_config(self):
        return super().get_config() | {"size": self.size}
