"""Between clips and single frames: what runs per frame runs with the frames folded into the batch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class PixelScaling(keras.layers.Layer):
    """Pixels 0..255 to -1..1: ``clip(2 (x / 255 - 0.5), -1, 1)``. Any shape."""

    def call(self, frames):
        return ops.clip(ops.cast(frames, self.compute_dtype) * (2.0 / 255.0) - 1.0, -1.0, 1.0)

    def compute_output_shape(self, input_shape):
        return input_shape


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
    """Undo `FramesToBatch`: ``maps (batch * frames, ...)``, ``clips (batch, frames, ...)`` -> ``(batch, frames, ...)``.

    ``clips`` only tells batch and frames; the remaining axes are those of ``maps``.
    """

    def call(self, maps, clips):
        batch, frames = ops.shape(clips)[:2]
        return ops.reshape(maps, (batch, frames, *maps.shape[1:]))

    def compute_output_shape(self, maps_shape, clips_shape):
        return (*clips_shape[:2], *maps_shape[1:])
