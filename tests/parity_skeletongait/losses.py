"""How the fixtures of losses are computed (see `parity_attengait`)."""

import numpy as np
from gradients import gradient
from keras import ops

from keras_gait.losses import BatchAllTriplet, PartsCrossentropy, parts_accuracy, triplet_statistics

NOISE = 3e-4  # of a self distance, as a share of the embedding's norm, say the notes


def _parts_second(x):
    """OpenGait's ``(n, c, p)`` as ``(n, p, c)`` and back."""
    return np.ascontiguousarray(np.swapaxes(x, 1, 2))


def triplet(meta, inputs, path):
    loss = BatchAllTriplet(meta["config"]["margin"])
    labels = ops.convert_to_tensor(inputs["labels"])
    embeddings = _parts_second(inputs["embeddings"])
    x = ops.convert_to_tensor(embeddings)
    found = {k: ops.convert_to_numpy(v) for k, v in triplet_statistics(loss, labels, x).items()}
    meta.setdefault("allowed", {})["loss_num"] = _undecided(loss, labels, embeddings)
    return {
        "loss_per_part": found.pop("loss"),
        "loss": ops.convert_to_numpy(loss(labels, x)),
        "gradient": _parts_second(gradient(lambda x: loss(labels, x), embeddings)),
    } | found


def _undecided(loss, labels, embeddings):
    """How many triplets of a part lie so near to 0 that rounding decides whether they count."""
    noise = NOISE * np.linalg.norm(embeddings, axis=-1).max()
    wider, narrower = (
        triplet_statistics(BatchAllTriplet(loss.margin + change), labels, ops.convert_to_tensor(embeddings))
        for change in (noise, -noise)
    )
    return float(ops.convert_to_numpy(ops.max(wider["loss_num"] - narrower["loss_num"])))


def cross_entropy(meta, inputs, path):
    logits = _parts_second(inputs["logits"])
    x = ops.convert_to_tensor(logits)
    targets = ops.one_hot(inputs["labels"], logits.shape[-1])
    outputs = {}
    for variant, settings in meta["config"].items():
        smoothing = settings.get("eps", 0.1) if settings.get("label_smooth", True) else 0.0
        loss = PartsCrossentropy(scale=settings.get("scale", 16), label_smoothing=smoothing)
        grad = gradient(lambda x, loss=loss: loss(targets, x), logits)
        outputs |= {
            f"{variant}_loss": ops.convert_to_numpy(loss(targets, x)),
            f"{variant}_accuracy": ops.convert_to_numpy(parts_accuracy(targets, x)),
            f"{variant}_gradient": _parts_second(grad),
        }
    return outputs


FAMILIES = {"triplet": triplet, "cross_entropy": cross_entropy}
