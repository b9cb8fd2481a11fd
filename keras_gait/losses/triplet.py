"""Triplet losses over the parts of a body: of all triplets of a batch, or of each anchor's hardest."""

import keras
from keras import ops

PATIENCE = 100  # calls without an active triplet before a part's margin grows
GROWTH = 0.1


@keras.saving.register_keras_serializable("keras_gait")
class MarginState(keras.layers.Layer):
    """The margins of an adaptive `BatchAllTriplet`: ``margins (parts,)`` and ``idle (parts,)`` calls.

    A layer, so that a model which holds it as an attribute carries its variables through the stateless
    training step of JAX and through checkpoints.
    """

    def __init__(self, parts, margin, **kwargs):
        super().__init__(**kwargs)

        def add(name, value):
            return self.add_weight(
                name=name,
                shape=(parts,),
                initializer=keras.initializers.Constant(value),
                trainable=False,
                aggregation="mean",
                dtype="float32",
                autocast=False,
            )

        self.margins = add("margins", margin)
        self.idle = add("idle", 0.0)
        self.built = True

    def update(self, active):
        """Count idle calls; ``active (parts,)`` says which parts had a triplet with a loss."""
        idle = ops.where(active, 0.0, self.idle + 1.0)
        grown = idle > PATIENCE
        self.margins.assign(self.margins + GROWTH * ops.cast(grown, "float32"))
        self.idle.assign(ops.where(grown, 0.0, idle))


@keras.saving.register_keras_serializable("keras_gait")
class BatchAllTriplet(keras.losses.Loss):
    """Every anchor with every positive and every negative of the batch; mean over the active triplets.

    For part p: ``sum max(margin + d(a, pos) - d(a, neg), 0) / number of terms > 0``, 0 where there is none;
    ``d`` Euclidean; an anchor is one of its own positives, at distance 0 (AttenGait, section 4).
    Subjects need not have equally many samples. The loss is the mean of the parts' values.

    ``y_true``: subject labels ``(batch,)`` or ``(batch, 1)``; ``y_pred``: ``(batch, parts, channels)``.

    Args:
        margin: the margin.
        soft: ``log(1 + exp(d(a, pos) - d(a, neg)))`` instead of the hinge; no margin.
        normalise: None; ``"descriptor"``, each descriptor to length 1; ``"batch"``, each channel to length
            1 over the batch, as the published ``--norm_triplet_loss`` does.
        blocks: the batch is so many consecutive blocks of one size, and triplets stay inside a block: what
            as many devices compute, each with its own block.
        state: a `MarginState` for margins that grow by 0.1 where a part had no active triplet in 100 calls;
            not with ``soft``.
    """

    def __init__(
        self,
        margin=0.2,
        soft=False,
        normalise=None,
        blocks=1,
        state=None,
        name="batch_all_triplet",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if normalise not in (None, "descriptor", "batch"):
            raise ValueError(
                f"normalise must be None, 'descriptor' or 'batch'. Received: normalise={normalise!r}"
            )
        if soft and state is not None:
            raise ValueError(
                "soft has no margin, so none that could be adaptive. Received: soft=True and a state"
            )
        self.margin = margin
        self.soft = soft
        self.normalise = normalise
        self.blocks = blocks
        self.state = state

    def call(self, y_true, y_pred):
        return self.per_part(y_true, y_pred)

    def per_part(self, labels, embeddings):
        """The loss of each part, ``(parts,)``; arguments as ``y_true`` and ``y_pred``."""
        terms, _ = self.triplets(labels, embeddings)
        active = _count(terms)
        if self.state is not None:
            self.state.update(ops.any(active > 0, axis=0))
        return _mean_over_active(terms, active)

    def triplets(self, labels, embeddings):
        """Every triplet's loss and every pair's distance.

        Returns ``(blocks, parts, n, n, n)`` by anchor, positive and negative, 0 where labels make no triplet,
        and ``(blocks, parts, n, n)``, with n samples a block.
        """
        _, parts, channels = embeddings.shape
        x = ops.reshape(ops.cast(embeddings, "float32"), (self.blocks, -1, parts, channels))
        x = ops.transpose(x, (0, 2, 1, 3))
        if self.normalise:
            x = ops.normalize(x, axis={"descriptor": 3, "batch": 2}[self.normalise])
        distances = pairwise_distances(x)
        labels = ops.reshape(labels, (self.blocks, 1, -1))
        same = labels[..., :, None] == labels[..., None, :]
        valid = ops.logical_and(same[..., :, None], ops.logical_not(same)[..., None, :])

        gaps = distances[..., :, None] - distances[..., None, :]
        if self.soft:
            terms = ops.softplus(gaps)
        elif self.state is None:
            terms = ops.relu(gaps + self.margin)
        else:
            terms = ops.relu(gaps + ops.stop_gradient(self.state.margins)[:, None, None, None])
        return ops.where(valid, terms, 0.0), distances

    def get_config(self):
        return super().get_config() | {
            "margin": self.margin,
            "soft": self.soft,
            "normalise": self.normalise,
            "blocks": self.blocks,
        }


@keras.saving.register_keras_serializable("keras_gait")
class BatchHardTriplet(keras.losses.Loss):
    """Every anchor with its farthest positive and its nearest negative of the batch; mean over the anchors.

    For part p: ``mean max(margin + max d(a, pos) - min d(a, neg), 0)`` (Hermans et al., In Defense of the
    Triplet Loss; SelfGait, section 4); ``d`` Euclidean; an anchor is one of its own positives, at distance 0.
    Subjects need not have equally many samples; a batch of one subject has no negatives, and the loss 0. The
    loss is the mean of the parts' values.

    ``y_true``: subject labels ``(batch,)`` or ``(batch, 1)``; ``y_pred``: ``(batch, parts, channels)``.

    Args:
        margin: the margin.
    """

    def __init__(self, margin=0.2, name="batch_hard_triplet", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        return self.per_part(y_true, y_pred)

    def per_part(self, labels, embeddings):
        """The loss of each part, ``(parts,)``; arguments as ``y_true`` and ``y_pred``."""
        distances = pairwise_distances(ops.transpose(ops.cast(embeddings, "float32"), (1, 0, 2)))
        labels = ops.reshape(labels, (1, -1))
        same = ops.transpose(labels) == labels
        farthest = ops.max(ops.where(same, distances, 0.0), axis=2)
        beyond = ops.stop_gradient(1.0 + 2.0 * ops.max(distances))  # finite, and never the nearest's equal
        nearest = ops.min(ops.where(same, beyond, distances), axis=2)
        terms = ops.relu(farthest - nearest + self.margin)
        return ops.mean(ops.where(ops.all(same), 0.0, terms), axis=1)

    def get_config(self):
        return super().get_config() | {"margin": self.margin}


def _count(terms):
    return ops.sum(ops.cast(terms > 0, "float32"), axis=(2, 3, 4))


def _mean_over_active(terms, active):
    return ops.mean(ops.sum(terms, axis=(2, 3, 4)) / ops.maximum(active, 1.0), axis=0)


def triplet_statistics(loss, labels, embeddings):
    """What OpenGait logs of a `BatchAllTriplet`, each ``(parts,)``; an adaptive margin stays as it is.

    ``loss``, the loss itself; ``hard_loss``, the largest of a triplet; ``loss_num``, the number of active
    triplets; ``mean_dist``, the mean of all pairs' distances, self pairs included.
    """
    terms, distances = loss.triplets(labels, embeddings)
    active = _count(terms)
    return {
        "loss": _mean_over_active(terms, active),
        "hard_loss": ops.max(terms, axis=(0, 2, 3, 4)),
        "loss_num": ops.sum(active, axis=0),
        "mean_dist": ops.mean(distances, axis=(0, 2, 3)),
    }


def pairwise_distances(x):
    """Euclidean distances in each part: ``(..., batch, channels) -> (..., batch, batch)``.

    Exactly 0, with gradient 0, where rounding leaves no positive squared distance.
    """
    squares = ops.sum(ops.square(x), axis=-1)
    products = ops.matmul(x, ops.swapaxes(x, -1, -2))
    squared = squares[..., :, None] + squares[..., None, :] - 2.0 * products
    apart = squared > 0
    return ops.where(apart, ops.sqrt(ops.where(apart, squared, 1.0)), 0.0)
