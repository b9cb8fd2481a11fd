"""Supervised contrast of whole sequences: each is drawn to those of its subject, away from all others."""

import keras
from keras import ops

SMALLEST = 1e-12  # length that embeddings are divided by, at least
NEVER = -1e30  # score of a pair that does not count: its exponential is 0


@keras.saving.register_keras_serializable("keras_gait")
class SupCon(keras.losses.Loss):
    """Supervised contrastive loss by Euclidean distance of unit vectors (GaitGraph2, section 6).

    With ``s_ij = -|z_i - z_j| / temperature``: ``l_i = -mean_p (s_ip - log sum_{a != i} exp s_ia)`` over the
    other samples p with i's label. The loss is the mean of those ``l_i`` that are above 0; it is 0 for a
    batch without a positive or without a negative pair.

    ``y_true``: labels ``(batch,)`` or ``(batch, 1)``; ``y_pred``: ``(batch, parts, channels)`` of any length,
    the parts being joined. Computed in float32 from differences, ``batch² x channels`` numbers: from
    products, small distances would be all rounding.

    Args:
        temperature: above 0.
    """

    def __init__(self, temperature=0.01, name="supcon", **kwargs):
        super().__init__(name=name, **kwargs)
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0. Received: temperature={temperature}")
        self.temperature = temperature

    def call(self, y_true, y_pred):
        positive, other = _pairs(y_true)
        likelihood, partners = _log_likelihood(-unit_distances(y_pred) / self.temperature, positive, other)
        values = ops.where(partners > 0, -likelihood, 0.0)
        negatives = ops.any(ops.logical_and(other, ops.logical_not(positive)))
        counted = ops.logical_and(values > 0, negatives)
        return ops.sum(ops.where(counted, values, 0.0)) / ops.maximum(_count(counted), 1.0)

    def get_config(self):
        return super().get_config() | {"temperature": self.temperature}


@keras.saving.register_keras_serializable("keras_gait")
class SupConCosine(keras.losses.Loss):
    """Supervised contrastive loss by the cosine, of several views of each sample (GaitGraph, section 12).

    With ``s_ij = f_i f_j / temperature``: ``-(temperature / base_temperature) mean_p (s_ip - log sum_{a != i}
    exp s_ia)`` over the other samples p with i's label, mean over the batch; 0 for a sample without any.

    Shapes as for `SupCon`; ``y_pred`` must be of unit length. All views are samples of the batch.

    Args:
        temperature, base_temperature: above 0.
    """

    def __init__(self, temperature=0.01, base_temperature=0.07, name="supcon_cosine", **kwargs):
        super().__init__(name=name, **kwargs)
        if not (temperature > 0 and base_temperature > 0):
            raise ValueError(
                "temperature and base_temperature must be above 0. Received: "
                f"temperature={temperature}, base_temperature={base_temperature}"
            )
        self.temperature, self.base_temperature = temperature, base_temperature

    def call(self, y_true, y_pred):
        x = _vectors(y_pred)
        cosines = ops.sum(x[:, None] * x[None], axis=-1)  # no matmul: GPUs round its factors to ten bits
        likelihood, _ = _log_likelihood(cosines / self.temperature, *_pairs(y_true))
        return -self.temperature / self.base_temperature * ops.mean(likelihood)

    def get_config(self):
        return super().get_config() | {
            "temperature": self.temperature,
            "base_temperature": self.base_temperature,
        }


def contrastive(labels, embeddings, positive_margin=0.0, negative_margin=1.0):
    """How far positive pairs are apart and how near negative ones are (GaitGraph2, section 6), a scalar.

    Mean of ``d - positive_margin`` over the pairs of one label that are farther apart than that, plus mean of
    ``negative_margin - d`` over those of two labels that are nearer; ``d`` and shapes as for `SupCon`.
    """
    positive, other = _pairs(labels)
    distances = unit_distances(embeddings)
    negative = ops.logical_and(other, ops.logical_not(positive))
    value = 0.0
    for pairs, gaps in ((positive, distances - positive_margin), (negative, negative_margin - distances)):
        counted = ops.logical_and(pairs, gaps > 0)
        value += ops.sum(ops.where(counted, gaps, 0.0)) / ops.maximum(_count(counted), 1.0)
    return value


def unit_distances(embeddings):
    """Euclidean distances of the embeddings brought to unit length, ``(batch, ...) -> (batch, batch)``.

    The gradient of a distance of 0 is 0.
    """
    x = _vectors(embeddings)
    lengths = _root(ops.sum(ops.square(x), axis=-1, keepdims=True))
    x = x / ops.maximum(lengths, SMALLEST)
    return _root(ops.sum(ops.square(x[:, None] - x[None]), axis=-1))


def _root(squares):
    positive = squares > 0
    return ops.where(positive, ops.sqrt(ops.where(positive, squares, 1.0)), 0.0)


def _vectors(embeddings):
    size = 1
    for axis in embeddings.shape[1:]:
        size *= axis
    return ops.reshape(ops.cast(embeddings, "float32"), (-1, size))


def _pairs(labels):
    """Which pairs ``(batch, batch)`` have one label, and which are of two samples."""
    labels = ops.reshape(labels, (-1,))
    place = ops.arange(ops.shape(labels)[0])
    other = place[:, None] != place[None]
    return ops.logical_and(labels[:, None] == labels[None], other), other


def _log_likelihood(scores, positive, other):
    """Mean of ``s_ip - log sum_{a != i} exp s_ia`` over the positives of i, 0 without any; their number."""
    scores = ops.where(other, scores, NEVER)
    # from the row's highest on, or float32 would round small losses to 0, which do not count in the mean
    scores = scores - ops.stop_gradient(ops.max(scores, axis=1, keepdims=True))
    total = ops.logsumexp(scores, axis=1, keepdims=True)
    partners = ops.sum(ops.cast(positive, "float32"), axis=1)
    likelihood = ops.sum(ops.where(positive, scores - total, 0.0), axis=1)
    return likelihood / ops.maximum(partners, 1.0), partners


def _count(mask):
    return ops.sum(ops.cast(mask, "float32"))
