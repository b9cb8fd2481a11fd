"""Attention towards locality: a decoded frame looks at the frame that it rebuilds and those around it."""

import keras
import numpy as np
from keras import ops

from keras_gait.losses.reconstruction import half_squares

DIRECTIONS = ("reverse", "forward")


@keras.saving.register_keras_serializable("keras_gait")
class Locality(keras.losses.Loss):
    """Attention alignment loss ``1/2 sum (a_tu (1 - m_tu))^2``, summed over the batch (SGE, section 5).

    ``y_true`` is not used; ``y_pred``: attention ``(batch, frames decoded t, frames encoded u)``, each t's
    sum being 1; m is `locality_mask`. Computed in float32 and not averaged.

    Args:
        direction: "reverse" where the sequence is decoded from its end, "forward" where from its start.
    """

    def __init__(self, direction="reverse", reduction="sum", name="locality", **kwargs):
        super().__init__(name=name, reduction=reduction, **kwargs)
        _check(direction)
        self.direction = direction

    def call(self, y_true, y_pred):
        outside = 1 - locality_mask(y_pred.shape[1], self.direction)
        return half_squares(ops.multiply(ops.cast(y_pred, "float32"), outside))

    def get_config(self):
        return super().get_config() | {"direction": self.direction}


def locality_mask(frames, direction="reverse"):
    """How near frame u is to the frame p that step t decodes, ``(frames t, frames u)`` float32 in (0, 1].

    ``exp(-(u - p)^2 / (2 (frames / 2)^2))`` with ``p = frames - 1 - t`` ("reverse") or ``p = t`` ("forward").
    """
    _check(direction)
    place = np.arange(frames)
    decoded = place[::-1] if direction == "reverse" else place
    return np.exp(-2 * np.square((place - decoded[:, None]) / frames)).astype(np.float32)


def _check(direction):
    if direction not in DIRECTIONS:
        raise ValueError(
            f"direction must be one of {', '.join(DIRECTIONS)}. Received: direction={direction!r}"
        )
