"""Published AttenGait weights (Keras 2 ``.hdf5``) into our model, strictly by layer."""

import re

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.models import AttenGait

PUBLISHED = ("time_distributed", "attention_conv", "hpp", "temporal_hpp", "attention_hpp", "mat_mul", "dense")
BINS = (1, 2, 4, 8, 16)  # of both published pyramids
PART_ATTENTIONS = ("spatial_attention", "temporal_attention", "hidden_attention", "embeddings")


def attengait_from_weights(weights, config=None, **options):
    """Build the `AttenGait` that published weights belong to, and load them.

    Args:
        weights: dict from published names (``"time_distributed/kernel:0"``) to arrays. Numeric suffixes
            only order layers of a kind: they depend on what else the writing process had built.
        config: the file's ``model_config`` dict, where it has one: tells ``softmax_attention`` and
            ``reduction``, which shapes do not.
        options: of `AttenGait`, where neither shapes nor config tell: ``softmax_attention`` (False),
            ``reduction`` ("both"), ``attention_drop_rate``, ``weight_decay``; and ``frame_shape`` where the
            frames' sides are no multiples of 4.

    Raises:
        GaitError: lists every weight that is missing, left over, or of another shape.
    """
    layers = _group(weights)
    try:
        settings = _settings(layers) | _config_settings(config) | options
        model = AttenGait(**settings)
    except GaitError:
        raise
    except (ValueError, IndexError) as error:  # arrays of another rank, or of a frame that cannot be
        raise GaitError(f"the weights' shapes are not those of an AttenGait: {error}") from error
    _load(model, layers)
    return model


def _group(weights):
    """Published layers by kind, in order: ``{"mat_mul": [[kernel], [kernel]], ...}``."""
    layers = {}
    for name, value in weights.items():
        layer = name.split("/")[0]
        kind, number = re.fullmatch(r"(.*?)(?:_(\d+))?", layer).groups()
        if kind not in PUBLISHED:
            raise GaitError(
                f"not AttenGait weights: unknown layer {layer!r}. Known kinds: {', '.join(PUBLISHED)}"
            )
        layers.setdefault(kind, {}).setdefault(int(number or 0), []).append(value)
    return {kind: [numbered[number] for number in sorted(numbered)] for kind, numbered in layers.items()}


def _settings(layers):
    """What the shapes tell of the architecture."""
    missing = [kind for kind in PUBLISHED[:-1] if kind not in layers]
    if missing:
        raise GaitError(f"not AttenGait weights: no layer of kind {', '.join(missing)}")
    convs, linears, dense = layers["time_distributed"], layers["mat_mul"], layers.get("dense", [])
    if len(convs) not in (7, 13) or len(linears) != 2:
        raise GaitError(
            "not AttenGait weights: 7 or 13 convolutions and 2 part maps expected, "
            f"found {len(convs)} and {len(linears)}"
        )
    per_stage = len(convs) // 3 // 2 * 2
    filters = [convs[i * per_stage][0].shape[-1] for i in range(1, 4)]
    _, hidden, length = linears[1][0].shape
    settings = {
        "deep": len(convs) == 13,
        "n_filters": (*filters, hidden),
        "combined_output_length": length,
        "frame_shape": (*_frame_size(layers), convs[0][0].shape[2]),
    }
    if dense:
        inputs, settings["nclasses"] = dense[0][0].shape
        settings["split_crossentropy"] = inputs == length
        settings["shared_weights_crossentropy"] = inputs == length and len(dense) == 1
    return settings


def _frame_size(layers):
    """Height and width of the frames that fit the weights best, multiples of 4 where several do.

    The pyramid tells a quarter of the width; the part maps, a quarter of the height; each attention, the
    patches of 3x3 pixels at its resolution. What does not fit is left to be listed when it is loaded.
    """
    quarter_width, parts = layers["hpp"][0][0].shape[1], layers["mat_mul"][0][0].shape[0]
    quarter_heights = [h for h in range(16, 64) if 2 * sum(h // n for n in BINS) == parts] or [16]
    patches = [weights[0].shape[0] for weights in layers["attention_conv"]]
    sizes = [
        (4 * h + more_rows, 4 * quarter_width + more_columns)
        for h in quarter_heights
        for more_rows in range(4)
        for more_columns in range(4)
    ]

    def fitting(size):
        height, width = size
        grids = [-(-(height // s) // 3) * -(-(width // s) // 3) for s in (1, 2, 4)]
        return sum(count in grids for count in patches)

    return max(sizes, key=fitting)


def _config_settings(config):
    """Settings that only the layers' own configuration tells."""
    settings = {}
    try:
        for layer in (config or {}).get("config", {}).get("layers", []):
            kind, told = layer["class_name"], layer["config"]
            if kind == "InputLayer":
                settings["frame_shape"] = tuple(int(size) for size in told["batch_input_shape"][2:])
            if kind == "AttentionConv":
                settings["softmax_attention"] = bool(told["softmax"])
                settings["attention_drop_rate"] = float(told["dropout_rate"])
            if kind == "HPP":
                settings["reduction"] = "both" if told["reduction"] == "both" else "mean"
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise GaitError(f"the file's model_config is damaged ({error!r}); copy the file again") from error
    return settings


def _load(model, layers):
    targets, problems = published_variables(model), []
    values = {kind: [value for layer in layers.get(kind, []) for value in layer] for kind in PUBLISHED}
    values["dense"] = [np.stack(arrays) for arrays in zip(*layers.get("dense", []), strict=True)]
    for kind, variables in targets.items():
        if len(values[kind]) != len(variables):
            problems.append(f"{kind}: {len(values[kind])} arrays in the file, {len(variables)} in the model")
        problems += [
            f"{kind} array {i}: {value.shape} in the file, {tuple(variable.shape)} in the model"
            for i, (variable, value) in enumerate(zip(variables, values[kind], strict=False))
            if tuple(variable.shape) != value.shape
        ]
    if problems:
        raise GaitError("the weights do not fit AttenGait: " + "; ".join(problems))
    for kind, variables in targets.items():
        for variable, value in zip(variables, values[kind], strict=True):
            variable.assign(value)


def published_variables(model):
    """Our variables in the published order of each kind."""
    depth = 13 if model.deep else 7
    layer = model.get_layer

    def attention(name):
        return [layer(name).attention, layer(name).gamma, layer(name).beta]

    return {
        "time_distributed": [layer(f"conv_{i}").kernel for i in range(depth)],
        "attention_conv": [v for i in range(depth) for v in attention(f"attention_{i}")],
        "hpp": layer("spatial").kernels,
        "temporal_hpp": layer("temporal").kernels,
        "attention_hpp": [v for name in PART_ATTENTIONS for v in attention(name)],
        "mat_mul": [layer("hidden").kernel, layer("descriptor").kernel],
        "dense": [layer("logits").kernel, layer("logits").bias] if model.nclasses else [],
    }
