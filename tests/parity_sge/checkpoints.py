"""Fixtures of published trained weights."""

import numpy as np
from keras import Model

from keras_gait.checkpoints.sge_models import recognition_from_state


def recognition_published(meta, inputs, path):
    """Trained weights, stored as float16, in our recognition network."""
    weights = {name.removeprefix("weights/"): inputs[name] for name in inputs if name.startswith("weights/")}
    network = recognition_from_state({name: array.astype(np.float32) for name, array in weights.items()})
    hidden = Model(network.input, network.get_layer("hidden").output)
    logits, labels = network.predict(inputs["X"], verbose=0), inputs["y"].argmax(axis=1)
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return {
        "logits": logits,
        "hidden": hidden.predict(inputs["X"], verbose=0),
        "loss": -np.take_along_axis(log_shares, labels[:, None], axis=1).mean(),
        "accuracy": (logits.argmax(axis=1) == labels).mean(),
    }


FAMILIES = {"recognition_published": recognition_published}
