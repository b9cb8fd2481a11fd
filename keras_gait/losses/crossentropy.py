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
        scale: the logits are multiplied by it, where they are cosines (SkeletonGait: 16).
        label_smoothing: this share of every target is spread evenly over all classes (SkeletonGait: 0.1).
    """

    def __init__(self, from_logits=True, scale=1.0, label_smoothing=0.0, name="parts_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        if scale <= 0 or (scale != 1 and not from_logits):
            raise ValueError(
                "scale must be above 0, and 1 for probabilities. Received: "
                f"scale={scale}, from_logits={from_logits}"
            )
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"label_smoothing must be at least 0 and below 1. Received: label_smoothing={label_smoothing}"
            )
        self.from_logits = from_logits
        self.scale = scale
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        if self.from_logits:
            log_probabilities = ops.log_softmax(self.scale * y_pred, axis=-1)
        else:
            log_probabilities = ops.log(ops.clip(y_pred, CLIP, 1 - CLIP))
        y_true = y_true * (1 - self.label_smoothing) + self.label_smoothing / y_pred.shape[-1]
        return -ops.mean(ops.sum(y_true[:, None] * log_probabilities, axis=-1), axis=-1)

    def get_config(self):
        return super().get_config() | {
            "from_logits": self.from_logits,
            "scale": self.scale,
            "label_smoothing": self.label_smoothing,
        }


def parts_accuracy(y_true, y_pred):
    """Share of (sample, part) whose highest score is at the right class; shapes as `PartsCrossentropy`'s."""
    right = ops.argmax(y_pred, axis=-1) == ops.argmax(y_true, axis=-1)[:, None]
    return ops.mean(ops.cast(right, "float32"))
