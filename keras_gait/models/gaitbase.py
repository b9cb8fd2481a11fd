"""GaitBase: a plain residual network for silhouettes (Fan et al., OpenGait, CVPR 2023)."""

import keras

from keras_gait.layers import BatchNorm, FramesToBatch, basic_block, bottleneck, conv, part_heads
from keras_gait.models.clips import ClipModel, check_count, check_sizes, clip_input

BLOCKS = {"BasicBlock": basic_block, "Bottleneck": bottleneck}


def backbone(maps, present, block, channels, layers, strides, maxpool, name="Backbone-forward_block"):
    """ResNet of every frame by itself, four stages of ``block``; ``maxpool`` halves the map before them."""
    maps = conv(maps, channels[0], 3, f"{name}-conv1-conv")
    maps = BatchNorm(name=f"{name}-bn1")(maps, present)
    maps = keras.layers.ReLU(name=f"{name}-relu")(maps)
    if maxpool:  # zeros around, like the least value of the ReLU, do not move a maximum
        maps = keras.layers.ZeroPadding2D(1, name=f"{name}-maxpool-pad")(maps)
        maps = keras.layers.MaxPooling2D(3, 2, name=f"{name}-maxpool")(maps)
    for stage, (filters, depth, stride) in enumerate(zip(channels, layers, strides, strict=True), 1):
        for i in range(depth):
            maps = BLOCKS[block](maps, present, filters, f"{name}-layer{stage}-{i}", 1 if i else stride)
    return maps


@keras.saving.register_keras_serializable("keras_gait")
class GaitBase(ClipModel):
    """A small ResNet of every frame, the maximum over time, strips, a neck with a classifier.

    Takes clips ``(batch, frames, height, width, channels)`` of 0..255 in any order, absent frames negative.
    Returns ``{"embeddings": (batch, sum(bins), embedding_size)}``, 16 parts before the neck's normalisation,
    and with a classifier ``"logits": (batch, sum(bins), nclasses)``, cosines.

    Args:
        nclasses: classes to train with; 0 builds no classifier.
        block: ``"BasicBlock"`` or ``"Bottleneck"``, whose stages end with four times their width.
        channels: widths of the four stages.
        layers: blocks of each.
        strides: of each stage's first block, 1 or 2.
        maxpool: halve the map before the first stage.
        embedding_size: channels of a part's descriptor.
        bins: horizontal strips at each scale.
        frame_shape: ``(height, width, channels)``; wider frames are cut to the centre.
    """

    def __init__(
        self,
        nclasses=0,
        block="BasicBlock",
        channels=(64, 128, 256, 512),
        layers=(1, 1, 1, 1),
        strides=(1, 2, 2, 1),
        maxpool=False,
        embedding_size=256,
        bins=(16,),
        frame_shape=(64, 44, 1),
        **kwargs,
    ):
        if block not in BLOCKS:
            raise ValueError(f"block must be one of {sorted(BLOCKS)}. Received: block={block!r}")
        check_count(4, channels=channels, layers=layers, strides=strides)
        check_sizes(
            channels=channels,
            layers=layers,
            strides=strides,
            embedding_size=embedding_size,
            bins=bins,
        )
        clips, x, present = clip_input(frame_shape)
        x = FramesToBatch(name="frames_to_batch")(x)
        x = backbone(x, present, block, channels, layers, strides, maxpool)
        super().__init__(
            clips,
            part_heads(x, present, embedding_size, nclasses, bins=bins),
            nclasses=nclasses,
            block=block,
            channels=channels,
            layers=layers,
            strides=strides,
            maxpool=maxpool,
            embedding_size=embedding_size,
            bins=bins,
            frame_shape=frame_shape,
            **kwargs,
        )
