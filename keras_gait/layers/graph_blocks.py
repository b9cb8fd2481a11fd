"""Modules of the graph networks, added to a functional model layer by layer (ResGCN, Song et al., 2020).

Every function takes ``maps (batch, frames, joints, channels)`` and gives maps of ``filters`` channels, of
every ``stride``-th frame. Layers are called as the published checkpoint calls their weights, with ``-`` for
``.``; ``name`` is the module's own name there. All convolutions have a bias.
"""

from keras import initializers, layers

from keras_gait.layers.graph import GraphConvolution
from keras_gait.layers.normalisation import BatchNorm

FRAMES = 9  # that a temporal convolution sees


def he_normal():
    """Normal, of the standard deviation sqrt(2 / fan out)."""
    return initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def relu(maps, name):
    return layers.ReLU(name=f"{name}-relu")(maps)


def added(first, second, name):
    return relu(layers.Add(name=f"{name}-add")([first, second]), name)


def norm(maps, name, gamma="ones"):
    return BatchNorm(gamma_initializer=gamma, name=name)(maps)


def pointwise(maps, filters, name, stride=1, kernel=None, bias="zeros"):
    """A 1x1 convolution of every ``stride``-th frame."""
    if stride > 1:  # of a strided 1x1 kernel, oneDNN's gradient writes where it must not
        maps = layers.AveragePooling2D(1, (stride, 1), name=f"{name}-pick")(maps)
    return layers.Conv2D(
        filters, 1, kernel_initializer=kernel or he_normal(), bias_initializer=bias, name=name
    )(maps)


def temporal(maps, filters, name, stride=1, kernel=None, bias="zeros"):
    """A convolution over nine frames, four zeros before the first and after the last."""
    maps = layers.ZeroPadding2D((FRAMES // 2, 0), name=f"{name}-pad")(maps)
    return layers.Conv2D(
        filters,
        (FRAMES, 1),
        (stride, 1),
        kernel_initializer=kernel or he_normal(),
        bias_initializer=bias,
        name=name,
    )(maps)


def graph(maps, filters, joints, name):
    """ResGCN's graph convolution: joints up to two bones away."""
    return GraphConvolution(filters, joints, kernel_initializer=he_normal(), name=f"{name}-gcn")(maps)


def shortcut(maps, filters, name, stride=1):
    """The module's input, brought to the output's shape where it has another."""
    if stride == 1 and maps.shape[-1] == filters:
        return maps
    return norm(pointwise(maps, filters, f"{name}-0", stride), f"{name}-1")


def basic_module(maps, filters, joints, name, stride=1, residual=True):
    """A graph convolution and one over time; one shortcut around both, unless ``residual`` is false."""
    x = graph(maps, filters, joints, f"{name}-scn-conv")
    x = relu(norm(x, f"{name}-scn-bn"), f"{name}-scn")
    x = norm(temporal(x, filters, f"{name}-tcn-conv", stride), f"{name}-tcn-bn")
    if not residual:
        return relu(x, f"{name}-tcn")
    return added(x, shortcut(maps, filters, f"{name}-residual", stride), f"{name}-tcn")


def bottleneck_module(maps, filters, joints, name, stride=1, reduction=1, start_as_shortcut=True):
    """The same on ``filters // reduction`` channels, with a shortcut around each of the two.

    With ``start_as_shortcut`` the scale of what is added to the shortcuts starts at 0.
    """
    width, gamma = filters // reduction, "zeros" if start_as_shortcut else "ones"

    def narrowed(maps, name, convolve):
        x = relu(norm(pointwise(maps, width, f"{name}-conv_down"), f"{name}-bn_down"), f"{name}-down")
        x = relu(norm(convolve(x), f"{name}-bn"), f"{name}-mid")
        return norm(pointwise(x, filters, f"{name}-conv_up"), f"{name}-bn_up", gamma)

    name, over_time = f"{name}-scn", f"{name}-tcn"
    x = narrowed(maps, name, lambda x: graph(x, width, joints, f"{name}-conv"))
    maps = added(x, shortcut(maps, filters, f"{name}-residual"), name)
    x = narrowed(maps, over_time, lambda x: temporal(x, width, f"{over_time}-conv", stride))
    return added(x, shortcut(maps, filters, f"{over_time}-residual", stride), over_time)
