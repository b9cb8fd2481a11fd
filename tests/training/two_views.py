"""Batches of two views, and what is expected of them."""

import numpy as np

from keras_gait.losses import StripCosine


def views(seed=0, frames=5):
    rng = np.random.default_rng(seed)
    clips = rng.normal(size=(4, frames, 6))
    return {f"view_{i}": (clips + 0.1 * rng.normal(size=clips.shape)).astype("float32") for i in (1, 2)}


def step(byol, *batch):
    """The loss of one step."""
    byol.reset_metrics()
    return byol.train_on_batch(*(batch or (views(),)))


def regression(byol, batch, training=True):
    """Loss of two networks of the same values, by hand."""
    cosine, (online, target) = StripCosine(), (byol.online, byol.target)
    first, second = batch["view_1"], batch["view_2"]
    predictions = [online(clips, training=training)["prediction"] for clips in (first, second)]
    projections = [target(clips, training=training) for clips in (second, first)]
    return sum(float(cosine(z, p)) for z, p in zip(projections, predictions, strict=True))
