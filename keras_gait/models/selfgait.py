"""SelfGait: a set encoder of silhouettes that learns without labels (Liu et al., ICASSP 2021).

The online network embeds a clip; its projection, seen by a predictor, shall meet what a target network, whose
weights follow those of the online one, projects of another view of the clip (BYOL).
"""

import keras

from keras_gait.layers import (
    BatchToFrames,
    FramesToBatch,
    StripPooling,
    TemporalMaxPooling,
    conv,
    micro_motion,
    mlp_head,
    separate_fcs,
)
from keras_gait.models.clips import ClipModel, check_count, check_sizes, clip_input, leaky


def set_encoder(frames, channels, bins, name="online_network"):
    """Strips of every frame by itself: six convolutions, two maxima of 2x2, mean plus maximum of each strip.

    ``(batch, frames, height, width, 1) -> (batch, frames, sum(bins), channels[2])``.
    """
    x = FramesToBatch(name="frames_to_batch")(frames)
    widths = [width for width in channels for _ in range(2)]
    for i, width in enumerate(widths, 1):
        layer = f"{name}-set_layer{i}"
        x = conv(x, width, 5 if i == 1 else 3, f"{layer}-forward_block-conv")
        x = leaky(x, f"{layer}-forward_block")
        if i in (2, 4):
            x = keras.layers.MaxPooling2D(2, name=f"{layer}-pool")(x)
    strips = StripPooling(bins, name=f"{name}-strips")(x)
    return BatchToFrames(name=f"{name}-frames")(strips, frames)


def strip_features(parts, present, hidden_dim, name="TP_1"):
    """The maximum over the frames that are present, then a linear map for each strip, float32.

    ``(batch, frames, strips, channels), (batch, frames) -> (batch, strips, hidden_dim)``.
    """
    return separate_fcs(TemporalMaxPooling(name=f"{name}-max")(parts, present), hidden_dim, name)


@keras.saving.register_keras_serializable("keras_gait")
class SelfGait(ClipModel):
    """Strips of every frame, their short motions, the maximum over time, a linear map for each strip.

    Takes clips ``(batch, frames, height, width, 1)`` of 0..255, frames in order, absent frames negative.
    Returns ``{"embeddings": (batch, sum(bins), hidden_dim)}``: 31 strips; with heads also ``"projection"``
    and ``"prediction"``, both ``(batch, sum(bins), projection_size)``, for learning without labels.

    Args:
        nclasses: 0; SelfGait learns from views and from triplets and has no classifier.
        channels: widths of the encoder's three pairs of convolutions.
        hidden_dim: channels of a strip's descriptor.
        bins: horizontal strips at each scale, top to bottom.
        div: the hidden channels of the micro-motion blocks are ``channels[2] // div``.
        heads: with projector and predictor.
        mlp_hidden_size: channels within either head.
        projection_size: channels that either head gives.
        frame_shape: ``(height, width, channels)``; wider frames are cut to the centre.
    """

    has_classifier = False
    not_in_recipes = (*ClipModel.not_in_recipes, "heads")

    def __init__(
        self,
        nclasses=0,
        channels=(32, 64, 128),
        hidden_dim=128,
        bins=(1, 2, 4, 8, 16),
        div=4,
        heads=True,
        mlp_hidden_size=256,
        projection_size=128,
        frame_shape=(64, 44, 1),
        **kwargs,
    ):
        check_count(3, channels=channels)
        sizes = {"hidden_dim": hidden_dim, "mlp_hidden_size": mlp_hidden_size}
        check_sizes(channels=channels, bins=bins, div=div, projection_size=projection_size, **sizes)
        if div > channels[2]:
            raise ValueError(f"div must not exceed channels[2]={channels[2]}. Received: div={div}")
        clips, frames, present = clip_input(frame_shape)
        parts = set_encoder(frames, channels, bins)
        parts = micro_motion(
            parts,
            present,
            channels[2] // div,
            "conv_trans",
            use_bias=True,
            kernel_initializer="fan_in_uniform",
        )
        outputs = {"embeddings": strip_features(parts, present, hidden_dim)}
        if heads:
            head = {"hidden": mlp_hidden_size, "size": projection_size}
            outputs["projection"] = mlp_head(outputs["embeddings"], name="projection_1", **head)
            outputs["prediction"] = mlp_head(outputs["projection"], name="predictor", **head)
        super().__init__(
            clips,
            outputs,
            nclasses=nclasses,
            channels=channels,
            bins=bins,
            div=div,
            heads=heads,
            projection_size=projection_size,
            frame_shape=frame_shape,
            **sizes,
            **kwargs,
        )


def target_of(model):
    """The target network of a `SelfGait`: its encoder, strip maps and projector, without short motions.

    Takes clips as the model does, of any number of frames, and gives the projection ``(batch, strips,
    projection_size)``. Its weights are its own, new ones; those of the model that they follow have the same
    ``path``.

    Args:
        model: a `SelfGait` with heads.
    """
    if not model.heads:
        raise ValueError("A target is for a model with heads. Received: heads=False")
    clips, frames, present = clip_input(model.frame_shape)
    features = strip_features(set_encoder(frames, model.channels, model.bins), present, model.hidden_dim)
    projection = mlp_head(features, model.mlp_hidden_size, model.projection_size, "projection_1")
    return keras.Model(clips, projection, name="target")
