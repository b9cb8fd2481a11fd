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
