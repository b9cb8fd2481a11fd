"""The views of a pose sequence that a test joins the embeddings of (GaitGraph2, test-time augmentation)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class PoseViews(keras.layers.Layer):
    """Poses ``(batch, frames, joints, 3)`` as given, backwards, and with the joints exchanged: a list of 3.

    Args:
        flip_index: for each joint the one on the body's other side; coordinates are not mirrored.
    """

    def __init__(self, flip_index, **kwargs):
        super().__init__(**kwargs)
        self.flip_index = tuple(flip_index)

    def call(self, poses):
        return [poses, ops.flip(poses, axis=1), ops.take(poses, self.flip_index, axis=2)]

    def compute_output_shape(self, input_shape):
        return [input_shape] * 3

    def get_config(self):
        return super().get_config() | {"flip_index": self.flip_index}
