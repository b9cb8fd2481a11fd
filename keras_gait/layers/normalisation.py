"""Batch normalisation as the published networks count it, blind to frames that only fill a clip up."""

import math

import keras
from keras import ops

from keras_gait.layers.frames import fold


@keras.saving.register_keras_serializable("keras_gait")
class BatchNorm(keras.layers.Layer):
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta`` over all axes but the last, shape kept.

    Unlike Keras's own: frames that are not ``present`` count nowhere, the running variance is updated with
    the unbiased variance, and gamma starts N(1, 0.02). Statistics are float32 whatever the policy.

    Called as ``bn(x)`` or ``bn(x, present)``, with ``x (batch, ..., channels)`` or, where ``present (batch,
    frames)`` is given, ``(batch, frames, ..., channels)`` or ``(batch * frames, ..., channels)``.

    Args:
        epsilon: added to the variance.
        momentum: share of the running statistics that a step keeps.
        synchronized: take the statistics over all replicas of a TensorFlow strategy. On JAX a batch is one
            array however many devices hold it, so there it is so anyway.
    """

    def __init__(self, epsilon=1e-5, momentum=0.9, synchronized=True, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.momentum = momentum
        self.synchronized = synchronized
        self.replicas = 1  # that share a batch: the training says so, where statistics are synchronized

    def build(self, x_shape, present_shape=None):
        def add(name, initializer, trainable):
            return self.add_weight(
                name=name,
                shape=(x_shape[-1],),
                initializer=initializer,
                trainable=trainable,
                dtype="float32",
                autocast=False,
            )

        self.gamma = add("gamma", keras.initializers.RandomNormal(1.0, 0.02), True)
        self.beta = add("beta", "zeros", True)
        self.moving_mean = add("moving_mean", "zeros", False)
        self.moving_variance = add("moving_variance", "ones", False)

    def call(self, x, present=None, training=False):
        x = ops.cast(x, "float32")
        if training and self.trainable:
            mean, variance = self._statistics(x, present)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        return ops.cast(x * scale + (self.beta - mean * scale), self.compute_dtype)

    def _statistics(self, x, present):
        """Mean and variance of this batch, each frame by itself first: what is masked is then small."""
        folded = fold(x)
        positions = math.prod(folded.shape[1:-1])
        frames = ops.reshape(folded, (-1, positions, x.shape[-1]))
        means, variances = ops.unstack(frame_moments(frames), axis=1)
        counts = ops.ones_like(means[:, :1])
        if present is not None:
            counts = ops.reshape(ops.cast(present, "float32"), (-1, 1))
        share = ops.maximum(self._mean(counts), 1e-6)
        mean = self._mean(counts * means) / share
        variance = self._mean(counts * (variances + ops.square(means - mean))) / share
        samples = ops.cast(ops.shape(counts)[0], "float32") * share * positions
        self._update(mean, variance, samples * self.replicas)
        return mean, variance

    def _mean(self, values):
        synchronized = self.synchronized and keras.backend.backend() == "tensorflow"
        return ops.moments(values, axes=[0], synchronized=synchronized)[0]

    def _update(self, mean, variance, count):
        unbiased = variance * count / ops.maximum(count - 1.0, 1.0)
        for running, new in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            running.assign(self.momentum * running + (1.0 - self.momentum) * ops.stop_gradient(new))

    def compute_output_shape(self, x_shape, present_shape=None):
        return x_shape

    def get_config(self):
        return super().get_config() | {
            "epsilon": self.epsilon,
            "momentum": self.momentum,
            "synchronized": self.synchronized,
        }


@ops.custom_gradient
def frame_moments(frames):
    """Mean and variance of every frame: ``(frames, positions, channels) -> (frames, 2, channels)``.

    The gradient is the closed form, ``g_mean / n + 2 (x - mean) g_variance / n``: one multiply-add where
    differentiation step by step passes ten times over the frames.
    """
    means = ops.mean(frames, axis=1, keepdims=True)
    variances = ops.mean(ops.square(frames - means), axis=1, keepdims=True)

    def gradient(*arguments, upstream=None):
        each = (arguments[-1] if upstream is None else upstream) / frames.shape[1]
        slope = 2.0 * each[:, 1:]
        return frames * slope + (each[:, :1] - slope * means)

    return ops.concatenate([means, variances], axis=1), gradient
