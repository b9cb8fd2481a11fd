"""GaitGL: global and local features in space and time (Lin et al., ICCV 2021; the version of OpenGait)."""

import keras

from keras_gait.layers import (
    BatchNorm,
    BatchToFrames,
    BlockConvolution,
    BlocksPresent,
    FramesPresent,
    FramesToBatch,
    GeMStripPooling,
    RepeatShortClips,
    StripConv3D,
    TemporalConvolution,
    TemporalMaxPooling,
    bn_neck,
    separate_fcs,
)
from keras_gait.models.clips import ClipModel, check_sizes, clip_input, leaky

PARTS = 64  # strips of the last map, which is as high as the frames


def global_local(maps, present, filters, strips, name, stacked=False):
    """A 3x3x3 convolution of the whole map and one of each of its strips.

    Their activations are added or, ``stacked``, put one below the other: twice as many rows.
    """
    whole = TemporalConvolution(filters, (3, 3, 3), name=f"{name}-global_conv3d-conv3d")(maps, present)
    local = StripConv3D(filters, strips, name=f"{name}-local_conv3d-conv3d")(maps, present)
    whole, local = leaky(whole, f"{name}-global_conv3d"), leaky(local, f"{name}-local_conv3d")
    if stacked:
        return keras.layers.Concatenate(axis=2, name=name)([whole, local])
    return keras.layers.Add(name=name)([whole, local])


def backbone(maps, present, channels):
    """Maps of every block of three frames -> ``(maps (batch, blocks, height, width, channels), present)``.

    Three widths make the net for CASIA-B with 8 strips in the local branches, four the deeper one for OU-MVLP
    and GREW: twice as many convolutions, 2 strips.
    """
    deep = len(channels) == 4
    strips = 2 if deep else 8

    for i in range(2 if deep else 1):
        maps = TemporalConvolution(channels[0], (3, 3, 3), name=f"conv3d-{2 * i}-conv3d")(maps, present)
        maps = leaky(maps, f"conv3d-{2 * i}")
    maps = leaky(BlockConvolution(channels[0], name="LTA-0-conv3d")(maps), "LTA-0")
    present = BlocksPresent(name="LTA-present")(present)

    def stage(maps, filters, name, stacked=False):
        if not deep:
            return global_local(maps, present, filters, strips, name, stacked)
        maps = global_local(maps, present, filters, strips, f"{name}-0")
        return global_local(maps, present, filters, strips, f"{name}-1", stacked)

    maps = stage(maps, channels[1], "GLConvA0")
    folded = FramesToBatch(name="MaxPool0-fold")(maps)  # a 3-D maximum has no float16 kernel on TensorFlow
    maps = BatchToFrames(name="MaxPool0-unfold")(
        keras.layers.MaxPooling2D(2, name="MaxPool0")(folded), present
    )
    maps = stage(maps, channels[2], "GLConvA1")
    return stage(maps, channels[-1], "GLConvB2", stacked=True), present


@keras.saving.register_keras_serializable("keras_gait")
class GaitGL(ClipModel):
    """3-D convolutions over the whole map and over strips, the maximum over time, 64 parts.

    Takes clips ``(batch, frames, height, width, channels)`` of 0..255, frames in order, absent frames
    negative and last; one or two frames are repeated. Returns ``{"embeddings": (batch, 64,
    embedding_size)}`` and with a classifier ``"logits": (batch, 64, nclasses)``.

    Args:
        nclasses: classes to train with; 0 builds no classifier.
        channels: three widths for the net of CASIA-B, four for the deeper one of OU-MVLP and GREW: (32, 64,
            128, 256).
        bn_necks: descriptors before normalisation, logits from `bn_neck`, as published for GREW; otherwise
            descriptors after normalisation and a linear classifier of each part.
        frame_shape: ``(height, width, channels)``, a height that 64 divides; wider frames are cut to the
            centre.
    """

    def __init__(
        self,
        nclasses=0,
        channels=(32, 64, 128),
        bn_necks=False,
        frame_shape=(64, 44, 1),
        **kwargs,
    ):
        check_sizes(channels=channels)
        if len(channels) not in (3, 4):
            raise ValueError(f"channels must have 3 or 4 entries. Received: channels={channels!r}")
        clips, x, present = clip_input(frame_shape)
        if frame_shape[0] % PARTS:
            raise ValueError(
                f"The height must be a multiple of {PARTS}. Received: frame_shape={tuple(frame_shape)}"
            )
        x = RepeatShortClips(name="repeat")(x, present)
        x, present = backbone(x, FramesPresent(name="repeat-present")(x), channels)
        x = TemporalMaxPooling(name="TP")(x, present)
        parts = separate_fcs(GeMStripPooling((PARTS,), name="HPP", dtype="float32")(x), channels[-1], "Head0")
        if bn_necks:
            outputs = {"embeddings": parts}
            if nclasses:
                outputs["logits"] = bn_neck(parts, nclasses)[1]
        else:
            outputs = {"embeddings": BatchNorm(name="Bn", dtype="float32")(parts)}
            if nclasses:
                outputs["logits"] = separate_fcs(outputs["embeddings"], nclasses, "Head1")
        super().__init__(
            clips,
            outputs,
            nclasses=nclasses,
            channels=channels,
            bn_necks=bn_necks,
            frame_shape=frame_shape,
            **kwargs,
        )
