"""Batch normalisation as the published networks count it, blind to frames that only fill a clip up."""

import keras
from keras import ops

from keras_gait.layers.frames import fold


@keras.saving.register_keras_serializable("keras_gait")
class BatchNorm(keras.layers.Layer):
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta`` over all axes but the last, shape kept.

    Unlike Keras's own: frames that are not ``present`` count nowhere, the running variance is updated with
    the unbiased variance. Statistics are float32 whatever the policy.

    Called as ``bn(x)`` or ``bn(x, present)``, with ``x (batch, ..., channels)`` (a graph's ``(batch, frames,
    joints, channels)``, too) or, where ``present (batch, frames)`` is given, ``(batch, frames, ...,
    channels)`` or ``(batch * frames, ..., channels)``.

    Args:
        epsilon: added to the variance.
        momentum: share of the running statistics that a step keeps.
        synchronized: take the statistics over all replicas of a TensorFlow strategy. On JAX a batch is one
            array however many devices hold it, so there it is so anyway.
        gamma_initializer: name of gamma's initializer, "ones" or "zeros"; "spread" is N(1, 0.02), OpenGait's.
    """

    def __init__(self, epsilon=1e-5, momentum=0.9, synchronized=True, gamma_initializer="spread", **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.momentum = momentum
        self.synchronized = synchronized
        self.gamma_initializer = gamma_initializer
        self.summing = False  # running statistics add up instead, for whoever takes their mean
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

        spread = self.gamma_initializer == "spread"
        start = keras.initializers.RandomNormal(1.0, 0.02) if spread else self.gamma_initializer
        self.gamma = add("gamma", start, True)
        self.beta = add("beta", "zeros", True)
        self.moving_mean = add("moving_mean", "zeros", False)
        self.moving_variance = add("moving_variance", "ones", False)

    def call(self, x, present=None, training=False):
        x = ops.cast(x, "float32")
        if training and self.trainable:
            return ops.cast(self._normalised(x, present), self.compute_dtype)
        scale = self.gamma * ops.rsqrt(self.moving_variance + self.epsilon)
        return ops.cast(x * scale + (self.beta - self.moving_mean * scale), self.compute_dtype)

    def _normalised(self, x, present):
        """``x`` by the statistics of this batch."""
        folded = fold(x)
        maps = ops.reshape(folded, (-1, *[1] * (4 - len(folded.shape)), *ops.shape(folded)[1:]))
        counts = ops.ones_like(maps[:, 0, 0, :1])
        if present is not None:
            counts = ops.reshape(ops.cast(present, "float32"), (-1, 1))
        share = ops.maximum(self._mean(counts), 1e-6)
        weights = counts / share  # absent frames 0, the others so that the mean over all frames is 1
        constant = ops.stop_gradient(maps)
        mean = self._mean(weights * _mean_of_frames(constant))
        variance = self._mean(weights * _mean_of_frames(ops.square(constant - mean)))
        frames = ops.cast(ops.shape(counts)[0], "float32") * share * self.replicas
        self._update(mean, variance, frames * _positions(maps))
        return ops.reshape(self._by_statistics(maps, mean, variance, weights), ops.shape(x))

    def _by_statistics(self, maps, mean, variance, weights):
        """``maps`` normalised, with the gradient in closed form (Ioffe and Szegedy, 2015, section 3).

        Step by step, differentiation passes ten times over the maps, and rounds so much that an update
        differs visibly from the published one.
        """
        deviation = ops.rsqrt(variance + self.epsilon)

        @ops.custom_gradient
        def normalise(maps, gamma, beta):
            scale = gamma * deviation

            def gradient(*arguments, upstream=None):
                slope = arguments[-1] if upstream is None else upstream
                normal = (maps - mean) * deviation
                plain, steep = _mean_of_frames(slope), _mean_of_frames(slope * normal)
                shift = self._mean(plain) + normal * self._mean(steep)
                inward = scale * (slope - weights[:, None, None] * shift)
                positions = _positions(maps)
                return inward, ops.sum(steep, axis=0) * positions, ops.sum(plain, axis=0) * positions

            return maps * scale + (beta - mean * scale), gradient

        # copies, since TensorFlow takes no variables there
        return normalise(maps, ops.copy(self.gamma), ops.copy(self.beta))

    @property
    def calls(self):
        """How often the layer is used in a functional model."""
        return len(self._inbound_nodes)

    def _mean(self, values):
        """Mean over the frames of all replicas."""
        synchronized = self.synchronized and keras.backend.backend() == "tensorflow"
        return ops.moments(values, axes=[0], synchronized=synchronized)[0]

    def _update(self, mean, variance, count):
        unbiased = variance * count / ops.maximum(count - 1.0, 1.0)
        kept, added = (1.0, 1.0) if self.summing else (self.momentum, 1.0 - self.momentum)
        for running, new in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            running.assign(kept * running + added * new)

    def compute_output_shape(self, x_shape, present_shape=None):
        return x_shape

    def get_config(self):
        return super().get_config() | {
            "epsilon": self.epsilon,
            "momentum": self.momentum,
            "synchronized": self.synchronized,
            "gamma_initializer": self.gamma_initializer,
        }


def _positions(maps):
    """Height times width of ``(frames, height, width, channels)``, which may not be known beforehand."""
    _, height, width, _ = ops.shape(maps)
    return ops.cast(height * width, "float32")


def _mean_of_frames(maps):
    """``(frames, height, width, channels) -> (frames, channels)``, axis by axis: long sums round more."""
    return ops.mean(ops.mean(maps, axis=1), axis=1)
