"""GaitSet: gait as a set of silhouettes (Chao et al., AAAI 2019; the version of OpenGait)."""

import keras

from keras_gait.layers import (
    BatchToFrames,
    FramesToBatch,
    StripPooling,
    TemporalMaxPooling,
    conv,
    separate_fcs,
)
from keras_gait.models.clips import ClipModel, check_count, check_sizes, clip_input, leaky


def stage(maps, filters, sizes, name):
    """Convolutions of the given sizes, each with a LeakyReLU; layers ``name-0-conv``, ``name-2-conv``."""
    for i, size in enumerate(sizes):
        index = f"{name}-{2 * i}"
        maps = leaky(conv(maps, filters, size, f"{index}-conv"), index)
    return maps


def halved(maps, name):
    return keras.layers.MaxPooling2D(2, name=f"{name}-pool")(maps)


@keras.saving.register_keras_serializable("keras_gait")
class GaitSet(ClipModel):
    """A CNN of every frame, a second one of what the frames' maxima show, strips of both at five scales.

    Takes clips ``(batch, frames, height, width, channels)`` of 0..255 in any order, absent frames negative.
    Returns ``{"embeddings": (batch, 2 * sum(bins), embedding_size)}``: 62 parts.

    Args:
        nclasses: 0; GaitSet learns from triplets and has no classifier.
        channels: widths of the three stages; (64, 128, 256) for OU-MVLP and GREW.
        embedding_size: channels of a part's descriptor.
        bins: horizontal strips at each scale.
        frame_shape: ``(height, width, channels)``; wider frames are cut to the centre.
    """

    has_classifier = False

    def __init__(
        self,
        nclasses=0,
        channels=(32, 64, 128),
        embedding_size=256,
        bins=(16, 8, 4, 2, 1),
        frame_shape=(64, 44, 1),
        **kwargs,
    ):
        check_count(3, channels=channels)
        check_sizes(channels=channels, embedding_size=embedding_size, bins=bins)
        clips, x, present = clip_input(frame_shape)
        x = FramesToBatch(name="frames_to_batch")(x)

        def over_frames(maps, name):
            maps = BatchToFrames(name=f"{name}-frames")(maps, clips)
            return TemporalMaxPooling(name=f"{name}-max")(maps, present)

        x = halved(stage(x, channels[0], (5, 3), "set_block1-forward_block"), "set_block1")
        group = over_frames(x, "set_block1")
        group = halved(stage(group, channels[1], (3, 3), "gl_block2"), "gl_block2")
        x = halved(stage(x, channels[1], (3, 3), "set_block2-forward_block"), "set_block2")
        group = keras.layers.Add(name="gl_block2-add")([group, over_frames(x, "set_block2")])
        group = stage(group, channels[2], (3, 3), "gl_block3")
        x = stage(x, channels[2], (3, 3), "set_block3-forward_block")
        frames = over_frames(x, "set_block3")
        group = keras.layers.Add(name="gl_block3-add")([group, frames])

        strips = [
            StripPooling(bins, name=f"HPP-{branch}", dtype="float32")(maps)
            for branch, maps in (("set", frames), ("gl", group))
        ]
        parts = keras.layers.Concatenate(axis=1, name="parts", dtype="float32")(strips)
        super().__init__(
            clips,
            {"embeddings": separate_fcs(parts, embedding_size, "Head")},
            nclasses=nclasses,
            channels=channels,
            embedding_size=embedding_size,
            bins=bins,
            frame_shape=frame_shape,
            **kwargs,
        )
