"""SkeletonGait++: skeleton maps and silhouettes, fused by attention (Fan et al., AAAI 2024)."""

import keras

from keras_gait.layers import BatchNorm, ChannelSlice, FramesToBatch, PairFusion, part_heads
from keras_gait.layers.residual import conv, conv_bn_relu, relu, stage
from keras_gait.models.clips import ClipModel, check_count, check_sizes, clip_input


@keras.saving.register_keras_serializable("keras_gait")
class SkeletonGaitPlusPlus(ClipModel):
    """A branch for the maps and one for the silhouette, fused after the first stage; then SkeletonGait.

    Takes clips ``(batch, frames, height, width or wider, 3)`` with values 0..255: limb map, joint map,
    silhouette; a frame of negative pixels only fills the clip up. Outputs as `SkeletonGait` has them, with
    ``128 * C`` channels.

    Args:
        nclasses: classes to train with; 0 builds no classifier.
        blocks: residual blocks of each stage; the first stage has so many in either branch.
        C: the widths are 32, 64, 128 and 256 times this; a fraction makes a network for small machines.
        use_emb2: embed by the normalised descriptors after the neck, not by those before it.
        frame_shape: ``(height, width, 3)`` that the network works on; wider frames are cut.
    """

    def __init__(
        self,
        nclasses=0,
        blocks=(1, 1, 1, 1),
        C=2.0,  # noqa: N803
        use_emb2=False,
        frame_shape=(64, 44, 3),
        **kwargs,
    ):
        check_count(4, blocks=blocks)
        check_sizes(blocks=blocks)
        width = round(32 * C)
        if width < 1 or width != 32 * C:
            raise ValueError(f"32 * C must be a whole number of channels. Received: C={C}")
        if frame_shape[-1] != 3:
            raise ValueError(
                "frame_shape must have 3 channels: limb map, joint map, silhouette. Received: "
                f"frame_shape={tuple(frame_shape)}"
            )
        clips, x, present = clip_input(frame_shape)
        x = FramesToBatch(name="frames_to_batch")(x)
        branches = []
        for name, first, last in (("sil", 2, 3), ("map", 0, 2)):
            branch = ChannelSlice(first, last, name=f"{name}_channels")(x)
            branch = conv_bn_relu(branch, present, width, f"{name}_layer0-forward_block")
            branches.append(stage(branch, present, "2d", width, blocks[0], f"{name}_layer1"))
        x = attention_fusion(*branches, present)
        x = stage(x, present, "p3d", 2 * width, blocks[1], "layer2", stride=2)
        x = stage(x, present, "p3d", 4 * width, blocks[2], "layer3", stride=2)
        x = stage(x, present, "p3d", 8 * width, blocks[3], "layer4")
        outputs = part_heads(x, present, 4 * width, nclasses, use_emb2)
        super().__init__(
            clips,
            outputs,
            nclasses=nclasses,
            blocks=blocks,
            C=float(C),
            use_emb2=use_emb2,
            frame_shape=frame_shape,
            **kwargs,
        )


def attention_fusion(silhouette, maps, present, squeeze=16, name="fusion"):
    """Weigh two branches against each other, for every channel, frame and pixel (section 3.3 of the paper).

    Args:
        silhouette, maps: ``(batch * frames, height, width, channels)`` of a functional model.
        present: ``(batch, frames)``.
        squeeze: by how much the layers between are narrower than ``channels``.
        name: how the layers' names begin.

    Returns:
        The weighted sum, of the same shape.
    """
    channels = silhouette.shape[-1]
    block = f"{name}-conv-forward_block"
    x = keras.layers.Concatenate(name=f"{name}-both")([silhouette, maps])
    for i, size in ((0, 1), (3, 3)):
        x = conv(x, max(1, channels // squeeze), size, f"{block}-{i}")
        x = relu(BatchNorm(name=f"{block}-{i + 1}")(x, present), f"{block}-{i + 1}")
    scores = conv(x, 2 * channels, 1, f"{block}-6")
    return PairFusion(name=name)(scores, silhouette, maps)
