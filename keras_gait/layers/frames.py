"""Between clips and single frames: what runs per frame runs with the frames folded into the batch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class PixelScaling(keras.layers.Layer):
    """Pixels 0..255 to -1..1: ``clip(2 (x / 255 - 0.5), -1, 1)``, ``(..., height, width, channels)``.

    Args:
        subtract_mean: subtract ``mean (height, width, channels)`` too, the training set's mean frame on the
            scale 0..255; a weight, so that the model file carries it.
    """

    def __init__(self, subtract_mean=False, **kwargs):
        super().__init__(**kwargs)
        self.subtract_mean = subtract_mean

    def build(self, input_shape):
        if self.subtract_mean:
            self.mean = self.add_weight(
                name="mean", shape=input_shape[-3:], initializer="zeros", trainable=False
            )

    def call(self, frames):
        scaled = ops.clip(ops.cast(frames, self.compute_dtype) * (2.0 / 255.0) - 1.0, -1.0, 1.0)
        if self.subtract_mean:
            scaled = scaled - (self.mean * (2.0 / 255.0) - 1.0)
        return scaled

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"subtract_mean": self.subtract_mean}


@keras.saving.register_keras_serializable("keras_gait")
class FramesToBatch(keras.layers.Layer):
    """``(batch, frames, ...) -> (batch * frames, ...)``."""

    def call(self, clips):
        return ops.reshape(clips, (-1, *clips.shape[2:]))

    def compute_output_shape(self, input_shape):
        batch, frames, *rest = input_shape
        return (None if batch is None or frames is None else batch * frames, *rest)


@keras.saving.register_keras_serializable("keras_gait")
class BatchToFrames(keras.layers.Layer):
    """Undo `FramesToBatch`: ``(batch * frames, ...), (batch, frames, ...) -> (batch, frames, ...)``.

    The second input only tells batch and frames; the remaining axes are those of the first.
    """

    def call(self, maps, clips):
        batch, frames = ops.shape(clips)[:2]
        return ops.reshape(maps, (batch, frames, *maps.shape[1:]))

    def compute_output_shape(self, maps_shape, clips_shape):
        return (*clips_shape[:2], *maps_shape[1:])


@keras.saving.register_keras_serializable("keras_gait")
class FramesPresent(keras.layers.Layer):
    """Which frames of a clip are there: ``(batch, frames, height, width, channels) -> (batch, frames)``.

    1 for a frame of the walk, 0 for one that only fills the clip up to the length of the batch: its pixels
    are negative.
    """

    def call(self, clips):
        return ops.cast(clips[:, :, 0, 0, 0] >= 0, "float32")

    def compute_output_spec(self, clips):
        return keras.KerasTensor(clips.shape[:2], dtype="float32")


@keras.saving.register_keras_serializable("keras_gait")
class CentreColumns(keras.layers.Layer):
    """The centre columns of every frame, pixels 0..255 to 0..1 (64 -> 44 columns, 128 -> 88).

    ``(batch, frames, height, any width, channels) -> (batch, frames, height, width, channels)``; frames of
    ``width`` columns stay whole.

    Args:
        width: columns that stay.
    """

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width

    def _check(self, columns):
        if columns is not None and columns < self.width:
            raise ValueError(
                f"Frames must be at least {self.width} columns wide. Received: {columns} columns"
            )

    def build(self, input_shape):
        self._check(input_shape[-2])

    def call(self, clips):
        self._check(clips.shape[-2])
        left = (ops.shape(clips)[-2] - self.width) // 2
        centre = clips[:, :, :, left : left + self.width]
        shape = (-1, ops.shape(clips)[1], clips.shape[2], self.width, clips.shape[4])
        return ops.cast(ops.reshape(centre, shape), self.compute_dtype) / 255.0

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-2], self.width, input_shape[-1])

    def get_config(self):
        return super().get_config() | {"width": self.width}


def fold(maps):
    """``(batch, frames, height, width, channels)``, unless folded already, to ``(batch * frames, ...)``."""
    return ops.reshape(maps, (-1, *maps.shape[-3:])) if len(maps.shape) == 5 else maps


def unfold(maps, present):
    """``(batch * frames, ...)``, if folded, to ``(batch, frames, ...)`` with ``present (batch, frames)``."""
    return ops.reshape(maps, (-1, ops.shape(present)[1], *maps.shape[-3:]))
