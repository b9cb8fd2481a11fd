"""Two branches of a network: taken apart by channels, and joined by weights (SkeletonGait++)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class ChannelSlice(keras.layers.Layer):
    """Channels ``first`` to ``last`` (exclusive) of ``(..., channels)``."""

    def __init__(self, first, last, **kwargs):
        super().__init__(**kwargs)
        self.first = first
        self.last = last

    def call(self, maps):
        return maps[..., self.first : self.last]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.last - self.first)

    def get_config(self):
        return super().get_config() | {"first": self.first, "last": self.last}


@keras.saving.register_keras_serializable("keras_gait")
class PairFusion(keras.layers.Layer):
    """``a first + (1 - a) second``, a the softmax of each value's pair of scores.

    Called as ``layer(scores, first, second)``: ``scores (..., 2 channels)`` hold those of ``first (...,
    channels)``, then those of ``second``.
    """

    def call(self, scores, first, second):
        channels = first.shape[-1]
        weight = ops.sigmoid(scores[..., :channels] - scores[..., channels:])  # a softmax of two
        return second + weight * (first - second)

    def compute_output_shape(self, scores_shape, first_shape, second_shape):
        return first_shape
