"""AttenGait: attention on optical flow (Castro et al., Pattern Recognition 2024)."""

import numbers

import keras

from keras_gait.layers import (
    BatchToFrames,
    FramesToBatch,
    HorizontalPyramid,
    PartAttention,
    PartsClassifier,
    PartsLinear,
    PatchAttention,
    PixelScaling,
    TemporalHorizontalPyramid,
)
from keras_gait.models.clips import ClipModel

SIZES = {
    "small": (32, 64, 128, 256),
    "medium": (64, 128, 256, 256),
    "large": (128, 256, 512, 256),
}
DEEP_ABOVE = 999  # the published code builds the deep variant for more classes than this


@keras.saving.register_keras_serializable("keras_gait")
class AttenGait(ClipModel):
    """A per-frame CNN with spatial attention, pyramids over space and space-time, part descriptors.

    Takes clips ``(batch, frames, height, width, channels)``, colour-coded optical flow with values 0..255,
    of at least 16 frames. Returns ``{"embeddings": (batch, parts, combined_output_length)}``, 62 parts for
    frames 64 high, and with a classifier ``"logits": (batch, 62 or 1, nclasses)``.

    Args:
        nclasses: classes to train with; 0 builds no classifier.
        deep: four instead of two convolutions per resolution; by default for more than 999 classes.
        model_size: ``"small"``, ``"medium"`` or ``"large"``, see `SIZES`.
        n_filters: three stage widths and the width of the first part map, instead of ``model_size``.
        combined_output_length: channels of a part's descriptor.
        split_crossentropy: a classifier for each part; otherwise one on all parts joined.
        shared_weights_crossentropy: with ``split_crossentropy``, the same classifier for all parts.
        softmax_attention: softmax over the attention weights.
        attention_drop_rate: share of attention weights dropped in training, below 1.
        reduction: pooling over frames, ``"both"`` (mean plus maximum) or ``"mean"``.
        weight_decay: L2 factor on all kernels but those of normalisation and classifier.
        subtract_mean: subtract a mean frame from every frame, see `PixelScaling`.
        frame_shape: ``(height, width, channels)``; at least 64 and 4.
    """

    min_frames = 16  # the highest bin of the temporal pyramid
    masks_padding = False

    def __init__(
        self,
        nclasses=0,
        deep=None,
        model_size="small",
        n_filters=None,
        combined_output_length=16,
        split_crossentropy=False,
        shared_weights_crossentropy=False,
        softmax_attention=False,
        attention_drop_rate=0.25,
        reduction="both",
        weight_decay=0.0,
        subtract_mean=False,
        frame_shape=(64, 64, 3),
        **kwargs,
    ):
        if model_size not in SIZES:
            raise ValueError(
                f"model_size must be one of {sorted(SIZES)}. Received: model_size={model_size!r}"
            )
        if len(frame_shape) != 3 or frame_shape[0] < 64 or frame_shape[1] < 4:
            raise ValueError(
                "frame_shape must be (height, width, channels), height at least 64, width at least 4. "
                f"Received: frame_shape={tuple(frame_shape)}"
            )
        if n_filters is not None and not _are_widths(n_filters):
            raise ValueError(
                f"n_filters must be four widths, whole numbers from 1. Received: n_filters={n_filters}"
            )
        if combined_output_length < 1:
            raise ValueError(
                "combined_output_length must be at least 1. Received: "
                f"combined_output_length={combined_output_length}"
            )
        if not 0 <= attention_drop_rate < 1:
            raise ValueError(
                "attention_drop_rate must be at least 0 and below 1. Received: "
                f"attention_drop_rate={attention_drop_rate}"
            )
        deep = nclasses > DEEP_ABOVE if deep is None else deep
        widths = tuple(n_filters or SIZES[model_size])

        def regularizer():
            return keras.regularizers.L2(weight_decay) if weight_decay else None

        def conv(x, filters, size, name):
            layer = keras.layers.Conv2D(
                filters,
                size,
                padding="same",
                use_bias=False,
                activation="swish",
                kernel_regularizer=regularizer(),
                name=name,
            )
            return layer(x)

        def attend(x, layer, name, dropout_rate=attention_drop_rate):
            settings = {"dropout_rate": dropout_rate, "kernel_regularizer": regularizer(), "name": name}
            return layer(softmax=softmax_attention, **settings)(x)

        def linear(x, units, name):
            return PartsLinear(units, kernel_regularizer=regularizer(), name=name)(x)

        clips = keras.Input((None, *frame_shape), name="frames")
        x = FramesToBatch(name="frames_to_batch")(PixelScaling(subtract_mean, name="pixel_scaling")(clips))
        x = conv(x, widths[0], 5, "conv_0")
        depth = 0
        for stage, filters in enumerate(widths[:3]):
            if stage:
                x = keras.layers.MaxPooling2D(2, name=f"pool_{stage}")(x)
            for _ in range(4 if deep else 2):
                x = attend(x, PatchAttention, f"attention_{depth}")
                depth += 1
                x = conv(x, filters, 3, f"conv_{depth}")
        x = attend(x, PatchAttention, f"attention_{depth}")
        x = BatchToFrames(name="batch_to_frames")(x, clips)

        spatial = HorizontalPyramid(reduction=reduction, kernel_regularizer=regularizer(), name="spatial")(x)
        temporal = TemporalHorizontalPyramid(kernel_regularizer=regularizer(), name="temporal")(x)
        spatial = attend(spatial, PartAttention, "spatial_attention")
        temporal = attend(temporal, PartAttention, "temporal_attention")
        parts = keras.layers.Concatenate(axis=1, name="parts")([spatial, temporal])
        parts = attend(linear(parts, widths[3], "hidden"), PartAttention, "hidden_attention")
        parts = linear(parts, combined_output_length, "descriptor")
        embeddings = attend(parts, PartAttention, "embeddings", dropout_rate=0.0)
        outputs = {"embeddings": embeddings}
        if nclasses:
            kind = "joint"
            if split_crossentropy:
                kind = "shared" if shared_weights_crossentropy else "split"
            outputs["logits"] = PartsClassifier(nclasses, kind, name="logits")(embeddings)
        super().__init__(
            clips,
            outputs,
            nclasses=nclasses,
            deep=deep,
            model_size=model_size,
            n_filters=n_filters,
            combined_output_length=combined_output_length,
            split_crossentropy=split_crossentropy,
            shared_weights_crossentropy=shared_weights_crossentropy,
            softmax_attention=softmax_attention,
            attention_drop_rate=attention_drop_rate,
            reduction=reduction,
            weight_decay=weight_decay,
            subtract_mean=subtract_mean,
            frame_shape=frame_shape,
            **kwargs,
        )

    @classmethod
    def for_classes(cls, classes, classifier=True, deep=None, **options):
        """The model for data of so many classes: they tell the depth even where no ``classifier`` is."""
        deep = classes > DEEP_ABOVE if deep is None else deep
        return cls(nclasses=classes if classifier else 0, deep=deep, **options)

    @property
    def mean_frame(self):
        """The variable that holds the mean frame, with ``subtract_mean``."""
        return self.get_layer("pixel_scaling").mean


def _are_widths(values):
    return (
        isinstance(values, list | tuple)
        and len(values) == 4
        and all(isinstance(value, numbers.Integral) and value > 0 for value in values)
    )


def attention_maps(model):
    """The spatial attention that a model has learnt.

    Returns a dict from layer name to its map over the frame, a NumPy array ``(rows, columns)`` at the
    layer's resolution, first layer first.
    """
    return {
        layer.name: keras.ops.convert_to_numpy(layer.attention_map(*layer.output.shape[1:3]))
        for layer in model.layers
        if isinstance(layer, PatchAttention)
    }
