"""Losses of SelfGait."""

from gradients import as_one, gradient
from keras import ops

from keras_gait.losses import StripCosine


def byol_loss(meta, inputs, path):
    """Of each of the two views; what is listed by vector is the first one's."""
    loss, along_features = StripCosine(), StripCosine("features")
    pairs = [(inputs[f"target_{i}"], inputs[f"prediction_{i}"]) for i in (1, 2)]
    (target, prediction), _ = pairs
    results = {
        "per_channel": as_one(loss.per_vector)(prediction, target),
        "per_channel_feature_axis": as_one(along_features.per_vector)(prediction, target),
        "loss": sum(loss(*pair) for pair in pairs),
    }
    results = {name: ops.convert_to_numpy(value) for name, value in results.items()}
    return results | {
        f"gradient_{i}": gradient(lambda x, target=target: loss(target, x), prediction)
        for i, (target, prediction) in enumerate(pairs, 1)
    }


FAMILIES = {"byol_loss": byol_loss}
