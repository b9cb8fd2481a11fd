"""Cross-entropy of every part's classifier."""

import keras
from keras import ops

CLIP = 1e-7  # probabilities stay this far from 0 and 1


@keras.saving.register_keras_serializable("keras_gait")
class PartsCrossentropy(keras.losses.Loss):
    """``-sum_k y_k log p_k``, mean over parts: one value a sample (AttenGait, section 4).

    ``y_true``: ``(batch, classes)``, one-hot or mixed; ``y_pred``: ``(batch, parts, classes)``.

    Args:
        from_logits: whether ``y_pred`` holds logits or probabilities (clipped to [1e-7, 1 - 1e-7]).
    """

    def __init__(self, from_logits=True, name="parts_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.from_logits = from_logits

    def call(self, y_true, y_pred):
        if self.from_logits:
            log_probabilities = ops.log_softmax(y_pred, axis=-1)
        else:
            log_probabilities = ops.log(ops.clip(y_pred, CLIP, 1 - CLIP))
        return -ops.mean(ops.sum(y_true[:, None] * log_probabilities, axis=-1), axis=-1)

    def get_config(self):
        return super().get_config() | {"from_logits": self.from_logits}
