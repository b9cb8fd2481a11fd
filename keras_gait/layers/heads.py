"""From feature maps to part descriptors, logits and projections: how the networks end.

The functions add layers to a functional model. All are float32 whatever the policy, for embeddings are
compared to many digits.
"""

from keras import initializers, layers

from keras_gait.layers.frames import BatchToFrames
from keras_gait.layers.normalisation import BatchNorm
from keras_gait.layers.parts import PartsLinear, SeparateGlorot, UnitLength
from keras_gait.layers.strips import StripPooling
from keras_gait.layers.temporal import TemporalMaxPooling


def separate_fcs(parts, units, name="FCs", unit_columns=False):
    """Add a linear map for each part: ``(batch, parts, channels) -> (batch, parts, units)``."""
    layer = PartsLinear(
        units, kernel_initializer=SeparateGlorot(), unit_columns=unit_columns, name=name, dtype="float32"
    )
    return layer(parts)


def bn_neck(parts, classes, norm=True, name="BNNecks"):
    """Add a neck: batch normalisation of every part, then a linear classifier of every part, no bias.

    The published ``parallel_BN1d=False`` (one BatchNorm1d a part) computes the same and needs no option.

    Args:
        parts: ``(batch, parts, channels)`` of a functional model.
        classes: how many; 0 adds no classifier.
        norm: descriptors and classifier columns scaled to length 1, so that logits are cosines.
        name: of the classifier layer and, with ``-bn1d``, of the normalisation.

    Returns:
        ``(features (batch, parts, channels), logits (batch, parts, classes) or None)``.
    """
    _, count, channels = parts.shape
    flat = layers.Reshape((count * channels,), name=f"{name}-flat", dtype="float32")(parts)
    flat = BatchNorm(name=f"{name}-bn1d", dtype="float32")(flat)
    features = layers.Reshape((count, channels), name=f"{name}-parts", dtype="float32")(flat)
    if norm:
        features = UnitLength(name=f"{name}-unit", dtype="float32")(features)
    if not classes:
        return features, None
    return features, separate_fcs(features, classes, name, unit_columns=norm)


def mlp_head(parts, hidden, size, name):
    """Add a head of two linear maps, shared by all parts (projector, predictor; BYOL, Grill et al., 2020).

    ``(batch, parts, channels) -> (batch, parts, size)``: linear, normalisation over samples and parts, ReLU,
    linear. Starts as PyTorch's layers do.

    Args:
        parts: descriptors of a functional model.
        hidden: channels between the two maps.
        size: channels out.
        name: the layers with weights are ``name-net-0``, ``-1`` and ``-3``.
    """

    def linear(x, units, index):
        limit = x.shape[-1] ** -0.5  # of weights and bias
        return layers.Dense(
            units,
            kernel_initializer=initializers.RandomUniform(-limit, limit),
            bias_initializer=initializers.RandomUniform(-limit, limit),
            name=f"{name}-net-{index}",
            dtype="float32",
        )(x)

    x = linear(parts, hidden, 0)
    x = BatchNorm(gamma_initializer="ones", name=f"{name}-net-1", dtype="float32")(x)
    return linear(layers.ReLU(name=f"{name}-net-2", dtype="float32")(x), size, 3)


def part_heads(maps, present, units, nclasses, use_emb2=False, bins=(16,)):
    """Maximum over time, strips, a linear map for each, a neck: the outputs of a recognition model.

    Args:
        maps: ``(batch * frames, height, width, channels)``.
        present: ``(batch, frames)``.
        units: channels of a part's descriptor.
        nclasses: classes of the neck's classifier; 0 for none.
        use_emb2: the embeddings are those after the neck; those before it are ``"features"`` then.
        bins: strip counts.

    Returns:
        dict of ``"embeddings" (batch, sum(bins), units)`` and, where there are any, ``"logits"`` and
        ``"features"``.
    """
    clips = BatchToFrames(name="batch_to_frames")(maps, present)
    pooled = TemporalMaxPooling(name="temporal_pooling")(clips, present)
    parts = StripPooling(bins, name="strips", dtype="float32")(pooled)
    before = separate_fcs(parts, units)
    if not nclasses and not use_emb2:
        return {"embeddings": before}
    after, logits = bn_neck(before, nclasses)
    outputs = {"embeddings": after, "features": before} if use_emb2 else {"embeddings": before}
    return outputs if logits is None else outputs | {"logits": logits}
