"""Pyramids of horizontal strips with learnt weights, over space and over space-time (AttenGait).

The published layers are depthwise convolutions whose stride equals their kernel. Such windows do not
overlap, so a reshape and a weighted sum give the same, and a gradient that a CPU can bear.
"""

import keras
from keras import ops


class _Pyramid(keras.layers.Layer):
    """What both pyramids share: strip heights, activation, one bias-free kernel a bin.

    Args:
        bins: strip heights in rows; bin ``n`` gives ``height // n`` parts.
        activation: applied to every strip; the published model passes ``"swish"``.
        kernel_regularizer: of all kernels.
    """

    def __init__(self, bins=(1, 2, 4, 8, 16), activation="swish", kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.bins = tuple(bins)
        self.activation = keras.activations.get(activation)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        _, frames, height, width, channels = input_shape
        too_high = [n for n in self.bins if n > height]
        if too_high:
            raise ValueError(
                f"Strips must fit into the feature map. Received: bins={self.bins}, height={height}; "
                f"{too_high} are higher."
            )
        self._check_frames(frames)
        self.kernels = [
            self.add_weight(
                name=f"kernel_{n}",
                shape=self._kernel_shape(n, width, channels),
                initializer="glorot_uniform",
                regularizer=self.kernel_regularizer,
            )
            for n in self.bins
        ]

    def _check_frames(self, frames):
        """Spatial strips take clips of any length."""

    def compute_output_shape(self, input_shape):
        return (input_shape[0], sum(input_shape[2] // n for n in self.bins), input_shape[4])

    def get_config(self):
        return super().get_config() | {
            "bins": self.bins,
            "activation": keras.activations.serialize(self.activation),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@keras.saving.register_keras_serializable("keras_gait")
class HorizontalPyramid(_Pyramid):
    """Strips of the time-pooled map (the published ``HPP``).

    ``(batch, frames, height, width, channels) -> (batch, parts, channels)``, parts bin by bin, top to
    bottom. Frames are pooled by mean plus maximum first, or by the mean alone.

    Args:
        reduction: ``"both"`` or ``"mean"``. The published code takes the mean for every other word too,
            ``"max"`` included.
    """

    def __init__(self, reduction="both", **kwargs):
        super().__init__(**kwargs)
        if reduction not in ("both", "mean"):
            raise ValueError(f"reduction must be 'both' or 'mean'. Received: reduction={reduction!r}")
        self.reduction = reduction

    def _kernel_shape(self, n, width, channels):
        return (n, width, 1, channels)

    def call(self, maps):
        pooled = ops.mean(maps, axis=1)
        if self.reduction == "both":
            pooled = pooled + ops.max(maps, axis=1)
        _, height, width, channels = pooled.shape
        parts = []
        for n, kernel in zip(self.bins, self.kernels, strict=True):
            strips = ops.reshape(pooled[:, : height // n * n], (-1, height // n, n * width, channels))
            weights = ops.reshape(kernel, (n * width, channels))
            parts.append(ops.sum(strips * weights, axis=2))
        return self.activation(ops.concatenate(parts, axis=1))

    def get_config(self):
        return super().get_config() | {"reduction": self.reduction}


@keras.saving.register_keras_serializable("keras_gait")
class TemporalHorizontalPyramid(_Pyramid):
    """Strips in space and time (the published ``TemporalHPP``).

    ``(batch, frames, height, width, channels) -> (batch, parts, channels)``. A bin of ``n`` weighs blocks
    of ``n`` frames by ``n`` rows by the full width; mean plus maximum over the blocks of time follow.
    Frames beyond the last whole block are lost; a clip needs ``max(bins)`` frames.
    """

    def _check_frames(self, frames):
        if frames is not None and frames < max(self.bins):
            raise ValueError(
                f"A clip needs {max(self.bins)} frames for bins={self.bins}. Received: frames={frames}"
            )

    def _kernel_shape(self, n, width, channels):
        return (n, n, width, 1, channels)

    def call(self, maps):
        self._check_frames(maps.shape[1])
        frames = ops.shape(maps)[1]
        height, width, channels = maps.shape[2:]
        parts = []
        for n, kernel in zip(self.bins, self.kernels, strict=True):
            steps, strips = frames // n, height // n
            blocks = ops.reshape(
                maps[:, : steps * n, : strips * n], (-1, steps, n, strips, n * width, channels)
            )
            weights = ops.reshape(kernel, (n, 1, n * width, channels))
            sums = self.activation(ops.sum(blocks * weights, axis=(2, 4)))
            parts.append(ops.mean(sums, axis=1) + ops.max(sums, axis=1))
        return ops.concatenate(parts, axis=1)
