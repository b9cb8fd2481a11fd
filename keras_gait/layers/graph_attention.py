"""Attention on maps of joints: over parts, channels, frames or joints (ResGCN, Song et al., 2020).

Every function of `ATTENTIONS` takes ``maps (batch, frames, joints, channels)``, ``parts``, the joints of
each body part, and ``name``, and gives ``ReLU(BN(maps * a) + maps)`` with weights ``a`` of its own kind.
Layers are called as the published checkpoint calls their weights, with ``-`` for ``.``. Softmax is float32.
"""

import keras
from keras import layers, ops

from keras_gait.layers.graph_blocks import added, he_normal, norm, pointwise, relu, temporal
from keras_gait.layers.normalisation import BatchNorm


@keras.saving.register_keras_serializable("keras_gait")
class TakeJoints(keras.layers.Layer):
    """``(batch, frames, joints, channels) -> (batch, frames, len(indices), channels)``, those joints."""

    def __init__(self, indices, **kwargs):
        super().__init__(**kwargs)
        self.indices = tuple(indices)

    def call(self, maps):
        return ops.take(maps, self.indices, axis=2)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], len(self.indices), input_shape[3])

    def get_config(self):
        return super().get_config() | {"indices": self.indices}


@keras.saving.register_keras_serializable("keras_gait")
class PartWeights(keras.layers.Layer):
    """Softmax over P parts, given to their joints.

    ``(batch, 1, 1, channels * P) -> (batch, 1, joints, channels)``; the scores run over channels and, within,
    over parts.

    Args:
        parts: joints of each part; a joint of several has the weight of the first.
    """

    def __init__(self, parts, **kwargs):
        super().__init__(**kwargs)
        self.parts = tuple(tuple(part) for part in parts)
        joints = range(max(map(max, self.parts)) + 1)
        self.part_of_joint = [
            next(i for i, part in enumerate(self.parts) if joint in part) for joint in joints
        ]

    def call(self, scores):
        channels = scores.shape[-1] // len(self.parts)
        weights = ops.softmax(ops.reshape(scores, (-1, 1, channels, len(self.parts))))
        return ops.take(ops.transpose(weights, (0, 1, 3, 2)), self.part_of_joint, axis=2)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1, len(self.part_of_joint), input_shape[3] // len(self.parts))

    def get_config(self):
        return super().get_config() | {"parts": self.parts}


@keras.saving.register_keras_serializable("keras_gait")
class FrameStatistics(keras.layers.Layer):
    """Mean and maximum of every frame, ``(batch, frames, joints, channels) -> (batch, frames, 1, 2)``."""

    def call(self, maps):
        found = [statistic(maps, axis=(2, 3), keepdims=True) for statistic in (ops.mean, ops.max)]
        return ops.concatenate(found, axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], 1, 2)


@keras.saving.register_keras_serializable("keras_gait")
class JointMeans(keras.layers.Layer):
    """Mean of every joint, as channels: ``(batch, frames, joints, channels) -> (batch, 1, 1, joints)``."""

    def call(self, maps):
        return ops.mean(maps, axis=(1, 3))[:, None, None]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1, 1, input_shape[2])


def mean(maps, name):
    """``(batch, frames, joints, channels) -> (batch, 1, 1, channels)``."""
    return layers.GlobalAveragePooling2D(keepdims=True, name=name, dtype="float32")(maps)


def scores(x, width, filters, name, first=1):
    """Two 1x1 convolutions, the published layers ``first``, ``first + 1`` and ``first + 3`` of ``name``."""
    x = norm(pointwise(x, width, f"{name}-{first}"), f"{name}-{first + 1}")
    return pointwise(relu(x, f"{name}-{first + 1}"), filters, f"{name}-{first + 3}")


def weighted(maps, weights, name):
    x = layers.Multiply(name=f"{name}-weighted")([maps, weights])
    return added(norm(x, f"{name}-bn"), maps, name)


def by_part(maps, pooled, parts, name, first):
    channels = maps.shape[-1]
    a = scores(pooled, channels // 4, channels * len(parts), f"{name}-fcn", first)
    a = PartWeights(parts, name=f"{name}-softmax", dtype="float32")(a)
    return weighted(maps, a, name)


def part_attention(maps, parts, name):
    """One weight for each part and channel, from the mean of the whole map."""
    return by_part(maps, mean(maps, f"{name}-fcn-0"), parts, name, first=1)


def part_share_attention(maps, parts, name):
    """As `part_attention`, from the sum of the parts' means after a convolution that they share.

    Its normalisation is that of each part by itself, and learns from one part after the other.
    """
    convolve = layers.Conv2D(
        maps.shape[-1] // 4, 1, kernel_initializer=he_normal(), name=f"{name}-part_pool-0"
    )
    normalise = BatchNorm(gamma_initializer="ones", name=f"{name}-part_pool-1")
    return _from_parts(maps, parts, name, lambda joints, i: normalise(convolve(joints)))


def part_convolution_attention(maps, parts, name):
    """As `part_share_attention`, with a convolution and a normalisation of each part's own."""

    def convolved(joints, i):
        own = f"{name}-part_pool-{i}"
        return norm(pointwise(joints, maps.shape[-1] // 4, f"{own}-0"), f"{own}-1")

    return _from_parts(maps, parts, name, convolved)


def _from_parts(maps, parts, name, convolved):
    means = []
    for i, part in enumerate(parts):
        joints = TakeJoints(part, name=f"{name}-part-{i}")(maps)
        joints = relu(convolved(joints, i), f"{name}-part-{i}")
        means.append(mean(joints, f"{name}-part-{i}-mean"))
    # of what joins here, Keras runs the last first: so a normalisation that is shared sees the parts in order
    pooled = layers.Add(name=f"{name}-parts", dtype="float32")(means[::-1])
    return by_part(maps, pooled, parts, name, first=0)


def channel_attention(maps, parts, name):
    """One weight for each channel, all together 1."""
    channels = maps.shape[-1]
    a = scores(mean(maps, f"{name}-fcn-0"), channels // 4, channels, f"{name}-fcn")
    return weighted(maps, layers.Softmax(name=f"{name}-softmax", dtype="float32")(a), name)


def frame_attention(maps, parts, name):
    """One weight for each frame, from the means and maxima of nine frames; not bounded."""
    found = FrameStatistics(name=f"{name}-statistics", dtype="float32")(maps)
    return weighted(maps, temporal(found, 1, f"{name}-conv"), name)


def joint_attention(maps, parts, name):
    """One weight for each joint, all together 1.

    Raises:
        ValueError: the parts share joints, as those of the first GaitGraph do: published, this cannot run.
    """
    joints = maps.shape[2]
    if sum(map(len, parts)) != joints:
        raise ValueError(
            f"Attention over joints (ja) needs each of the {joints} joints in one part, but the parts hold "
            f"{sum(map(len, parts))}; choose pa, ca, fa, pca or psa. Received: parts={parts}"
        )
    a = scores(JointMeans(name=f"{name}-fcn-0", dtype="float32")(maps), joints // 2, joints, f"{name}-fcn")
    a = layers.Softmax(name=f"{name}-softmax", dtype="float32")(a)
    return weighted(maps, layers.Reshape((1, joints, 1), name=f"{name}-joints")(a), name)


ATTENTIONS = {
    "pa": part_attention,
    "ca": channel_attention,
    "fa": frame_attention,
    "ja": joint_attention,
    "pca": part_convolution_attention,
    "psa": part_share_attention,
}
