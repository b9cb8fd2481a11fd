"""Residual blocks of the OpenGait networks, added to a functional model layer by layer.

Every function takes ``maps (batch * frames, height, width, channels)`` and ``present (batch, frames)`` and
gives maps of ``filters`` channels. Layers are called as the published checkpoint calls their weights, with
``-`` for ``.``; ``name`` is the block's own name there. No convolution has a bias.
"""

from keras import layers

from keras_gait.layers.normalisation import BatchNorm
from keras_gait.layers.temporal import TemporalConvolution


def conv(maps, filters, size, name, stride=1):
    """A convolution whose zero padding is half a kernel on all sides, whatever the stride."""
    if size == 1 and stride > 1:  # of a strided 1x1 kernel, oneDNN's gradient writes where it must not
        maps = layers.AveragePooling2D(1, stride, name=f"{name}-pick")(maps)
        stride = 1
    if stride > 1:
        maps = layers.ZeroPadding2D(size // 2, name=f"{name}-pad")(maps)
        padding = "valid"
    else:
        padding = "same"
    return layers.Conv2D(filters, size, stride, padding=padding, use_bias=False, name=name)(maps)


def conv_bn_relu(maps, present, filters, name, stride=1, names=("0", "1")):
    """Convolution 3x3, normalisation, ReLU; ``names`` are those of the first two below ``name``."""
    x = conv(maps, filters, 3, f"{name}-{names[0]}", stride)
    return relu(BatchNorm(name=f"{name}-{names[1]}")(x, present), f"{name}-{names[1]}")


def relu(maps, name):
    return layers.ReLU(name=f"{name}-relu")(maps)


def basic_block(maps, present, filters, name, stride=1):
    """Two 3x3 convolutions of every frame by itself and a shortcut (ResNet's basic block)."""
    x = conv_bn_relu(maps, present, filters, name, stride, ("conv1", "bn1"))
    x = BatchNorm(name=f"{name}-bn2")(conv(x, filters, 3, f"{name}-conv2"), present)
    return _joined(x, maps, present, name, stride)


def basic_block_p3d(maps, present, filters, name, stride=1):
    """A basic block with a convolution over three frames, itself with a shortcut, between the two."""
    x = conv_bn_relu(maps, present, filters, f"{name}-conv1-forward_block", stride)
    moved = TemporalConvolution(filters, name=f"{name}-shortcut3d")(x, present)
    moved = BatchNorm(name=f"{name}-sbn")(moved, present)
    x = relu(layers.Add(name=f"{name}-sbn-add")([x, moved]), f"{name}-sbn")
    x = conv(x, filters, 3, f"{name}-conv2-forward_block-0")
    x = BatchNorm(name=f"{name}-conv2-forward_block-1")(x, present)
    return _joined(x, maps, present, name, stride)


def basic_block_3d(maps, present, filters, name, stride=1):
    """A basic block whose convolutions are 3x3x3, over three frames too; ``stride`` in space only."""
    x = TemporalConvolution(filters, (3, 3, 3), stride, name=f"{name}-conv1")(maps, present)
    x = relu(BatchNorm(name=f"{name}-bn1")(x, present), f"{name}-bn1")
    x = TemporalConvolution(filters, (3, 3, 3), name=f"{name}-conv2")(x, present)
    x = BatchNorm(name=f"{name}-bn2")(x, present)
    return _joined(x, maps, present, name, stride)


def bottleneck(maps, present, filters, name, stride=1):
    """1x1, 3x3 with the stride, 1x1 to ``4 * filters`` channels, and a shortcut (ResNet's bottleneck)."""
    x = relu(BatchNorm(name=f"{name}-bn1")(conv(maps, filters, 1, f"{name}-conv1"), present), f"{name}-bn1")
    x = conv_bn_relu(x, present, filters, name, stride, ("conv2", "bn2"))
    x = BatchNorm(name=f"{name}-bn3")(conv(x, 4 * filters, 1, f"{name}-conv3"), present)
    return _joined(x, maps, present, name, stride)


def _joined(x, maps, present, name, stride):
    """Add the shortcut: the block's input, brought to the output's shape where it has another."""
    if stride > 1 or maps.shape[-1] != x.shape[-1]:
        maps = conv(maps, x.shape[-1], 1, f"{name}-downsample-0", stride)
        maps = BatchNorm(name=f"{name}-downsample-1")(maps, present)
    return relu(layers.Add(name=f"{name}-add")([x, maps]), name)


BLOCKS = {"2d": basic_block, "3d": basic_block_3d, "p3d": basic_block_p3d}


def stage(maps, present, mode, filters, count, name, stride=1):
    """``count`` blocks of a kind of `BLOCKS`, the first with the stride."""
    prefix = f"{name}-forward_block" if mode == "2d" else name  # what runs frame by frame is wrapped there
    for i in range(count):
        maps = BLOCKS[mode](maps, present, filters, f"{prefix}-{i}", stride if i == 0 else 1)
    return maps
