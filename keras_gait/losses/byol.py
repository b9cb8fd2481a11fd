"""Regression of one network's descriptors on another's, by their cosine (BYOL, Grill et al., 2020)."""

import keras
from keras import ops

AXES = {"strips": 1, "features": 2}  # what a vector runs along
EPSILON = 1e-6  # the least length that a vector counts with


@keras.saving.register_keras_serializable("keras_gait")
class StripCosine(keras.losses.Loss):
    """``1 - cosine`` of prediction and target, mean over all vectors (SelfGait, section 4).

    ``y_true``, the target, and ``y_pred``, the prediction: ``(batch, parts, dim)``. A vector of length 0 has
    the cosine 0 to any other. A value is from 0 to 2.

    Args:
        axis: ``"strips"``: a vector is one feature along all parts, as published; ``"features"``: it is one
            part's descriptor, as BYOL has it (half of BYOL's own ``2 - 2 cosine``).
    """

    def __init__(self, axis="strips", name="strip_cosine", **kwargs):
        super().__init__(name=name, **kwargs)
        if axis not in AXES:
            raise ValueError(f"axis must be {' or '.join(map(repr, AXES))}. Received: axis={axis!r}")
        self.axis = axis

    def call(self, y_true, y_pred):
        return self.per_vector(y_pred, y_true)

    def per_vector(self, prediction, target):
        """The value of each vector: ``(batch, dim)`` along strips, ``(batch, parts)`` along features."""
        axis = AXES[self.axis]

        def length(x):
            return ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis), EPSILON**2))

        products = ops.sum(prediction * target, axis=axis)
        return 1.0 - products / length(prediction) / length(target)

    def get_config(self):
        return super().get_config() | {"axis": self.axis}
