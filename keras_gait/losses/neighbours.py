"""Contrast of neighbouring sequences: each is drawn to the next one, away from the others of its batch."""

import keras
from keras import ops

PAIRS = ("published", "recordings")
SHORTEST = 1e-6  # a projection shorter than this has no direction
NEVER = -1e30  # score of a row that does not count: its exponential is 0


@keras.saving.register_keras_serializable("keras_gait")
class NeighbourContrast(keras.losses.Loss):
    """Locality-aware contrastive loss (SGE, section 5): cosines to the next sequence against all others.

    The pairs of rows ``(n, n + 1)`` are laid out as ``v = [z[1:]; z[:-1]]``; with ``s_ik`` the cosine of two
    rows of v, divided by the temperature, the loss is the mean of ``log sum_{k != i} exp s_ik - s_ip`` over
    the rows, p being i's partner. So all other rows repel, the second copy of a sequence too. A batch of 2
    has nothing that repels: 0.

    ``y_true``: numbers of the recordings ``(batch,)`` or ``(batch, 1)``; ``y_pred``: projections
    ``(batch, size)`` in the order of time. Computed in float32. A projection of length 0 has a cosine of 0
    to all others and no gradient.

    Args:
        temperature: above 0.
        pairs: "published": all neighbours in the batch are partners, across recordings too; "recordings":
            those of one recording only, and the mean is over them; 0 for a batch without any.
    """

    def __init__(self, temperature=0.1, pairs="published", name="neighbour_contrast", **kwargs):
        super().__init__(name=name, **kwargs)
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0. Received: temperature={temperature}")
        if pairs not in PAIRS:
            raise ValueError(f"pairs must be one of {', '.join(PAIRS)}. Received: pairs={pairs!r}")
        self.temperature, self.pairs = temperature, pairs

    def call(self, y_true, y_pred):
        x = _directions(y_pred)
        scores = ops.matmul(x, ops.transpose(x)) / self.temperature
        repelled = ops.logsumexp(scores + _log_copies(ops.shape(x)[0]), axis=1)
        drawn = ops.sum(x[1:] * x[:-1], axis=1) / self.temperature
        values = (repelled[1:] + repelled[:-1]) / 2 - drawn
        if self.pairs == "published":
            valid = ops.ones_like(values)
        else:
            recordings = ops.reshape(y_true, (-1,))
            valid = ops.cast(recordings[1:] == recordings[:-1], "float32")
        return ops.sum(valid * values) / ops.maximum(ops.sum(valid), 1.0)

    def get_config(self):
        return super().get_config() | {"temperature": self.temperature, "pairs": self.pairs}


def _directions(projections):
    """The rows brought to length 1, in float32."""
    x = ops.cast(projections, "float32")
    squares = ops.sum(ops.square(x), axis=1, keepdims=True)
    pointing = squares > SHORTEST**2
    return ops.where(pointing, x, 0.0) * ops.rsqrt(ops.where(pointing, squares, 1.0))


def _log_copies(count):
    """Log of how often each row of the batch repels each one ``(batch, batch)``.

    Once or twice, as often as it is in a pair; itself once less. So v need not be laid out.
    """
    place = ops.arange(count)
    inside = ops.logical_and(place > 0, place < count - 1)
    copies = 1.0 + ops.cast(inside, "float32")[None] - ops.cast(place[:, None] == place[None], "float32")
    return ops.where(copies > 0, ops.log(ops.maximum(copies, 1.0)), NEVER)
