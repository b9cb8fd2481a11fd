"""SkeletonGait: DeepGaitV2 on skeleton maps (Fan et al., AAAI 2024, arXiv 2311.13444 and 2303.03301)."""

import keras

from keras_gait.layers import FramesToBatch, part_heads
from keras_gait.layers.residual import BLOCKS, conv_bn_relu, stage
from keras_gait.models.clips import ClipModel, check_count, check_sizes, clip_input


@keras.saving.register_keras_serializable("keras_gait")
class SkeletonGait(ClipModel):
    """A residual network over space and time, the maximum over time, 16 strips, a linear map for each.

    Takes clips ``(batch, frames, height, width or wider, channels)`` with values 0..255, limb and joint map
    (or one channel: DeepGaitV2 on silhouettes); a frame of negative pixels only fills the clip up. Returns
    ``{"embeddings": (batch, 16, channels[2])}``, with classes ``"logits": (batch, 16, nclasses)``, and with
    ``use_emb2`` the ``"features"`` before the neck, which the triplet loss wants.

    Args:
        nclasses: classes to train with; 0 builds no classifier.
        mode: what the last three stages see of a frame's neighbours: ``"2d"`` nothing, ``"3d"`` 3x3x3
            convolutions, ``"p3d"`` one over time between two over space.
        layers: residual blocks of each stage.
        channels: widths of the four stages.
        use_emb2: embed by the normalised descriptors after the neck, not by those before it.
        frame_shape: ``(height, width, channels)`` that the network works on; wider frames are cut.
    """

    def __init__(
        self,
        nclasses=0,
        mode="p3d",
        layers=(1, 1, 1, 1),
        channels=(64, 128, 256, 512),
        use_emb2=False,
        frame_shape=(64, 44, 2),
        **kwargs,
    ):
        if mode not in BLOCKS:
            raise ValueError(f"mode must be one of {sorted(BLOCKS)}. Received: mode={mode!r}")
        check_count(4, layers=layers, channels=channels)
        check_sizes(layers=layers, channels=channels)
        clips, x, present = clip_input(frame_shape)
        x = FramesToBatch(name="frames_to_batch")(x)
        x = conv_bn_relu(x, present, channels[0], "layer0-forward_block")
        x = stage(x, present, "2d", channels[0], layers[0], "layer1")
        x = stage(x, present, mode, channels[1], layers[1], "layer2", stride=2)
        x = stage(x, present, mode, channels[2], layers[2], "layer3", stride=2)
        x = stage(x, present, mode, channels[3], layers[3], "layer4")
        outputs = part_heads(x, present, channels[2], nclasses, use_emb2)
        super().__init__(
            clips,
            outputs,
            nclasses=nclasses,
            mode=mode,
            layers=layers,
            channels=channels,
            use_emb2=use_emb2,
            frame_shape=frame_shape,
            **kwargs,
        )
