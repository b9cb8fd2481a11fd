"""Stochastic weight averaging (Izmailov et al., 2018): the mean of the weights at the ends of late epochs."""

import keras
import numpy as np

from keras_gait.errors import GaitError
from keras_gait.layers import BatchNorm
from keras_gait.training.checkpointing import to_numpy
from keras_gait.training.devices import share_batches


class WeightAverages(keras.layers.Layer):
    """Running means of a model's trainable variables.

    A layer, so that a model which holds it as an attribute carries them through checkpoints.
    """

    def __init__(self, variables, **kwargs):
        super().__init__(**kwargs)

        def add(name, shape):
            options = {"trainable": False, "dtype": "float32", "autocast": False}
            return self.add_weight(name=name, shape=shape, initializer="zeros", **options)

        self.count = add("count", ())
        self.means = [add(f"mean_{i}", variable.shape) for i, variable in enumerate(variables)]
        self.built = True

    def update(self, variables):
        """Count the values that the variables have now."""
        count = to_numpy(self.count) + np.float32(1)
        self.count.assign(count)
        for mean, variable in zip(self.means, variables, strict=True):
            before = to_numpy(mean)
            mean.assign(before + (to_numpy(variable) - before) / count)

    def assign_to(self, variables):
        """Give the variables their means."""
        for mean, variable in zip(self.means, variables, strict=True):
            variable.assign(to_numpy(mean))


class UpdateAverages(keras.callbacks.Callback):
    """At the end of each epoch from number ``first`` (counted from 0), count its weights."""

    logged = ()

    def __init__(self, first):
        super().__init__()
        self.first = first

    def on_epoch_end(self, epoch, logs=None):
        if epoch >= self.first:
            self.model.averages.update(self.model.trainable_variables)


def first_averaged(settings, epochs):
    """The first epoch whose weights count, by a recipe's section ``averaging``; None without averaging.

    Raises:
        GaitError: ``start`` is not a share of the run that leaves an epoch.
    """
    start = settings["start"]
    if start is not None and not 0 <= start < 1:
        raise GaitError(
            "averaging.start is the share of all epochs after which averaging starts, at least 0 and below "
            f"1, or null for none. Received: {start}"
        )
    return None if start is None else int(start * epochs)


class TrainingPass(keras.Model):
    """An encoder that works as in training when asked for predictions."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def call(self, clips):
        return self.encoder(clips, training=True)


def renew_statistics(model, batches, first, count):
    """Replace the running statistics of all `BatchNorm` by the mean of those of ``count`` batches.

    Args:
        batches: of training, from number ``first``.
    """
    norms = [layer for layer in model.layers if isinstance(layer, BatchNorm)]
    share_batches(model, 1)  # each device is given the whole batch
    for norm in norms:
        norm.summing = True
        for running in (norm.moving_mean, norm.moving_variance):
            running.assign(np.zeros(running.shape, np.float32))
    forward = TrainingPass(model.encoder)
    with batches.own_errors():
        for clips, _ in batches.to_tf_data(first).take(count).as_numpy_iterator():
            forward.predict_on_batch(clips)
    for norm in norms:
        norm.summing = False
        for running in (norm.moving_mean, norm.moving_variance):
            running.assign(to_numpy(running) / np.float32(count * norm.calls))
