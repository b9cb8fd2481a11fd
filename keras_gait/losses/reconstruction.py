"""Reconstruction of skeleton sequences: how far the decoder's frames are from the wanted ones."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class HalfSquaredError(keras.losses.Loss):
    """Half the sum of squared errors over time and joints, summed over the batch (SGE, section 5).

    ``y_true`` is not used; ``y_pred``: the errors ``(batch, frames, joints)`` of one axis in metres, decoded
    minus wanted. Computed in float32. The sum is not averaged over anything: a batch twice as large has
    gradients twice as long.
    """

    def __init__(self, reduction="sum", name="half_squared_error", **kwargs):
        super().__init__(name=name, reduction=reduction, **kwargs)

    def call(self, y_true, y_pred):
        return half_squares(y_pred)


def half_squares(values):
    """Half the sum of squares of each sample, ``(batch, ...) -> (batch,)`` in float32."""
    squares = ops.square(ops.cast(values, "float32"))
    return 0.5 * ops.sum(squares, axis=tuple(range(1, len(squares.shape))))
