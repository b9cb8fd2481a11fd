"""GaitPart: temporal micro-motions of body parts (Fan et al., CVPR 2020; the version of OpenGait)."""

import re

import keras

from keras_gait.layers import (
    BatchToFrames,
    FramesToBatch,
    StripConv2D,
    StripPooling,
    TemporalMaxPooling,
    conv,
    micro_motion,
    separate_fcs,
)
from keras_gait.models.clips import ClipModel, check_sizes, clip_input, leaky

CASIAB = ("BC-32", "BC-32", "M", "FC-64-2", "FC-64-2", "M", "FC-128-3", "FC-128-3")
OUMVLP = ("BC-32", "BC-32", "M", "BC-64", "BC-64", "M", "FC-128-3", "FC-128-3", "FC-256-3", "FC-256-3")
SQUEEZE = 4  # the hidden channels of the aggregator are this share of all


def _parsed(code):
    """``"M"`` -> None, ``"BC-32"`` -> (32, 0), ``"FC-64-2"`` -> (64, 2): filters, halvings of the height."""
    if code == "M":
        return None
    found = re.fullmatch(r"BC-([1-9]\d*)|FC-([1-9]\d*)-(\d+)", str(code))
    if not found:
        raise ValueError(
            "backbone_layers must be codes such as 'BC-32' (a convolution), 'FC-64-2' (one of 2^2 strips by "
            f"themselves) and 'M' (the maximum of 2x2). Received: {code!r}"
        )
    whole, focal, halvings = found.groups()
    return (int(whole), 0) if whole else (int(focal), int(halvings))


def backbone(maps, layers):
    """The convolutions and maxima that the codes in ``layers`` name, frame by frame."""
    plan, index, size = [_parsed(code) for code in layers], 0, 5
    for step in plan:
        name = f"Backbone-forward_block-feature-{index}"
        if step is None:
            maps = keras.layers.MaxPooling2D(2, name=name)(maps)
            index += 1
            continue
        filters, halvings = step
        if halvings:
            maps = StripConv2D(filters, size, 2**halvings, name=f"{name}-conv")(maps)
        else:
            maps = conv(maps, filters, size, f"{name}-conv")
        maps = leaky(maps, name)
        index, size = index + 2, 3  # the activation counts in the published names; only the first is 5x5
    return maps


def aggregate(parts, present, name="TFA-pooling_func"):
    """What moves in 3 and in 5 frames around each, weighed by attention, then the maximum over time.

    ``(batch, frames, parts, channels) -> (batch, parts, channels)``.
    """
    hidden = parts.shape[-1] // SQUEEZE
    moved = micro_motion(
        parts, present, hidden, name, ("conv1d3x1", "conv1d3x3"), suffix="-conv", activation=leaky
    )
    return TemporalMaxPooling(name=f"{name}-max")(moved, present)


@keras.saving.register_keras_serializable("keras_gait")
class GaitPart(ClipModel):
    """A CNN of every frame whose later convolutions see strips by themselves, and short motions of parts.

    Takes clips ``(batch, frames, height, width, channels)`` of 0..255, frames in order, absent frames
    negative. Returns ``{"embeddings": (batch, sum(bins), embedding_size)}``: 16 parts.

    Args:
        nclasses: 0; GaitPart learns from triplets and has no classifier.
        backbone_layers: codes of the backbone: ``"BC-c"``, a convolution to c channels; ``"FC-c-k"``, one of
            2^k horizontal strips, each by itself; ``"M"``, the maximum of 2x2 pixels. By default
            `CASIAB`; OU-MVLP has `OUMVLP`.
        embedding_size: channels of a part's descriptor; 256 for OU-MVLP.
        bins: horizontal strips that become parts, at each scale.
        frame_shape: ``(height, width, channels)``; wider frames are cut to the centre.
    """

    has_classifier = False

    def __init__(
        self,
        nclasses=0,
        backbone_layers=CASIAB,
        embedding_size=128,
        bins=(16,),
        frame_shape=(64, 44, 1),
        **kwargs,
    ):
        check_sizes(embedding_size=embedding_size, bins=bins)
        clips, x, present = clip_input(frame_shape)
        x = backbone(FramesToBatch(name="frames_to_batch")(x), backbone_layers)
        x = BatchToFrames(name="HPP-frames")(StripPooling(bins, name="HPP")(x), clips)
        super().__init__(
            clips,
            {"embeddings": separate_fcs(aggregate(x, present), embedding_size, "Head")},
            nclasses=nclasses,
            backbone_layers=backbone_layers,
            embedding_size=embedding_size,
            bins=bins,
            frame_shape=frame_shape,
            **kwargs,
        )
