"""ST-GCN: a spatio-temporal graph network (Yan et al., AAAI 2018), the baseline of GaitGraph2."""

import keras

from keras_gait.layers.graph import GraphConvolution
from keras_gait.layers.graph_blocks import added, norm, pointwise, relu, temporal
from keras_gait.models.poses import PoseModel, embedding, pose_input

# channels and stride of each layer
LAYERS = (*[(64, 1)] * 4, (128, 2), *[(128, 1)] * 2, (256, 2), *[(256, 1)] * 2)
HOPS = 4  # slices of the adjacency, all of them


def uniform():
    """Uniform within 1 / sqrt(fan in)."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def uniform_bias(fan_in):
    limit = fan_in**-0.5
    return keras.initializers.RandomUniform(-limit, limit)


def layer(maps, filters, joints, name, stride=1, residual=True):
    """A graph convolution over all hops and one over nine frames, with a shortcut around both."""
    channels = maps.shape[-1]
    x = GraphConvolution(
        filters,
        joints,
        hops=HOPS,
        kernel_initializer=uniform(),
        bias_initializer=uniform_bias(channels),
        name=f"{name}-gcn-conv",
    )(maps)
    x = relu(norm(x, f"{name}-tcn-0"), f"{name}-tcn-0")
    x = temporal(x, filters, f"{name}-tcn-2", stride, uniform(), uniform_bias(9 * filters))
    x = norm(x, f"{name}-tcn-3")
    if not residual:
        return relu(x, name)
    if stride > 1 or channels != filters:
        maps = pointwise(maps, filters, f"{name}-residual-0", stride, uniform(), uniform_bias(channels))
        maps = norm(maps, f"{name}-residual-1")
    return added(x, maps, name)


def stgcn(branches, joints):
    """The last map ``(batch, frames / 4, joints, 256)`` of ``branches (batch, frames, joints, 1, 3)``.

    Every channel of every joint is normalised by itself.
    """
    *_, count, inputs, channels = branches.shape
    flat = keras.layers.Reshape((-1, 1, count * inputs * channels), name="joint_channels", dtype="float32")
    maps = norm(flat(branches), "data_bn")
    maps = keras.layers.Reshape((-1, count, inputs * channels), name="joints")(maps)
    for i, (filters, stride) in enumerate(LAYERS):
        maps = layer(maps, filters, joints, f"st_gcn_networks-{i}", stride, residual=i > 0)
    return maps


@keras.saving.register_keras_serializable("keras_gait")
class STGCN(PoseModel):
    """The poses of a walk through an ST-GCN, one embedding.

    Takes poses ``(batch, frames, joints, 3)``, x and y in pixels and the confidence. Returns
    ``{"embeddings": (batch, 1, embedding_size)}``, float32, not of unit length.

    Args:
        nclasses: 0; this ST-GCN learns from distances and has no classifier.
        embedding_size: length of the embedding.
        joints: ``"coco"`` or ``"oumvlp"``.
        frames: length that `prepare` brings sequences to.
        fill_empty: `prepare` fills in the joints that were not found.
    """

    def __init__(
        self, nclasses=0, embedding_size=128, joints="oumvlp", frames=30, fill_empty=False, **kwargs
    ):
        poses, branches = pose_input(joints, frames, embedding_size, inputs="plain")
        maps = stgcn(branches, joints)
        super().__init__(
            poses,
            {"embeddings": embedding(maps, embedding_size, uniform(), uniform_bias(maps.shape[-1]))},
            nclasses=nclasses,
            embedding_size=embedding_size,
            joints=joints,
            frames=frames,
            fill_empty=fill_empty,
            **kwargs,
        )
