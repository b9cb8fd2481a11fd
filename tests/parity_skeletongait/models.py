"""How the fixtures of SkeletonGait and SkeletonGait++ are computed (see `parity_attengait`)."""

import keras
import numpy as np
from fixtures import reader
from keras import ops

from keras_gait.checkpoints.by_name import load_state, model_from_state
from keras_gait.data.opengait.sets import join_frames
from keras_gait.layers import (
    CentreColumns,
    GeMStripPooling,
    PartsLinear,
    StripPooling,
    TemporalMaxPooling,
    bn_neck,
)
from keras_gait.models.skeletongait_plusplus import attention_fusion


def published(array):
    """Channels-last to OpenGait's layout: channels second, ``[n, c, p]``, ``[n, c, s, h, w]``."""
    return np.moveaxis(ops.convert_to_numpy(array), -1, 1)


def _clips(maps):
    """``[n, s, (c,) h, w]`` of 0..1 to what a model takes."""
    maps = maps[:, :, None] if maps.ndim == 4 else maps
    return np.moveaxis(maps, 2, -1) * np.float32(255)


def _channels_last(sequence):
    """``[s, (c,) h, w]`` to ``(s, h, w, c)``."""
    return sequence[..., None] if sequence.ndim == 3 else np.moveaxis(sequence, 1, -1)


def _model(meta, clips):
    """The fixture's model, told by its weights; only the frames' size is none of theirs."""
    use_emb2 = meta["config"]["model_cfg"].get("use_emb2", False)
    return model_from_state(reader.state(meta), use_emb2=use_emb2, frame_shape=clips.shape[2:])


PARTS = {"embed_1": "FCs", "embed_2": "BNNecks-unit", "logits": "BNNecks", "parts": "strips"}
POOLED = {"pooled": "temporal_pooling"}


def _outputs(model, layers):
    """The outputs of the named layers."""
    return {name: model.get_layer(layer).output for name, layer in layers.items()}


def _whole(model, clips, layers):
    outputs = {"embeddings": model.output["embeddings"]} | _outputs(model, PARTS | POOLED | layers)
    return keras.Model(model.input, outputs)(clips)


def _packed(model, clips, lengths, layers):
    """As published code runs packed sequences: convolutions see across their ends, the maximum does not."""
    front = keras.Model(model.input, _outputs(model, {"maps": "batch_to_frames"} | layers))(clips)
    maps, ends = front["maps"][0], np.cumsum(lengths)
    pooled = ops.stack([ops.max(maps[end - n : end], axis=0) for n, end in zip(lengths, ends, strict=True)])
    rest = keras.Model(model.get_layer(POOLED["pooled"]).output, _outputs(model, PARTS))
    outputs = {name: front[name] for name in layers} | {"pooled": pooled} | rest(pooled)
    return outputs | {"embeddings": outputs["embed_2" if model.use_emb2 else "embed_1"]}


def _forward(model, clips, inputs, layers):
    """The outputs of the model and of the named layers, for a packed batch where there is a ``seqL``."""
    if "seqL" in inputs:
        return _packed(model, clips, inputs["seqL"].ravel(), layers)
    return _whole(model, clips, layers)


def _published(outputs):
    return {name: published(value) for name, value in outputs.items()}


def skeletongaitpp_inputs(meta, inputs, path):
    """Both modalities joined and cut, one sequence after the other."""
    count = sum(name.startswith("pose_") for name in inputs)
    clips = [
        join_frames(inputs[f"pose_{i}"].transpose(0, 2, 3, 1), inputs[f"sil_{i}"][..., None])
        for i in range(count)
    ]
    together = np.concatenate(clips)[None]
    width = CENTRE[meta["config"]["transform"]](together.shape[3])
    frames = ops.convert_to_numpy(CentreColumns(width)(together))
    lengths = np.array([[len(clip) for clip in clips]], np.int32)
    return {"input": np.moveaxis(frames, -1, 2), "seqL": lengths}


def deepgaitv2(meta, inputs, path):
    clips = _clips(inputs["maps"])
    return _published(_forward(_model(meta, clips), clips, inputs, {"layer4": "batch_to_frames"}))


def skeletongaitpp(meta, inputs, path):
    clips = _clips(inputs["maps_sils"])
    model = _model(meta, clips)
    outputs = _forward(model, clips, inputs, {"fused_mean": "fusion"})
    frames = ops.reshape(ops.mean(outputs["fused_mean"], axis=(1, 2)), (*clips.shape[:2], -1))
    return _published(outputs | {"fused_mean": frames})


def packed(meta, inputs, path):
    limit = meta["config"]["sampler"].get("frames_all_limit", 720)
    sequences = [_channels_last(inputs[f"seq_{i}"][:limit]) for i in range(len(inputs))]
    lengths = np.array([len(sequence) for sequence in sequences])
    clips = np.concatenate(sequences)[None]
    width = CENTRE[meta["config"]["transform"]](clips.shape[3])
    model = _model(meta, clips[:, :, :, :width])
    together = _packed(model, clips, lengths, {"centre": "centre_columns"})
    filled = np.full((len(sequences), lengths.max(), *clips.shape[2:]), -1.0, "float32")
    for row, sequence in zip(filled, sequences, strict=True):
        row[: len(sequence)] = sequence
    return {
        "seqL": lengths[None].astype(np.int32),
        "embeddings": published(together["embeddings"]),
        "alone_embeddings": published(model.encoder(filled)),
        "packed_checksum": ops.convert_to_numpy(ops.sum(together["centre"], axis=(2, 3, 4)))[0],
    }


# columns of a frame that the published transform leaves
CENTRE = {
    "BaseSilCuttingTransform": lambda width: width - 20 * (width // 64),
    "BaseSilTransform": lambda width: width,
}


def fusion(meta, inputs, path):
    maps = {name: np.moveaxis(inputs[name], 1, -1) for name in ("sil_feat", "map_feat")}
    frames, *shape = maps["sil_feat"].shape[1:]
    first, second = keras.Input(shape), keras.Input(shape)
    present = keras.Input((frames,))
    fused = attention_fusion(first, second, present, squeeze=meta["config"]["squeeze_ratio"])
    model = keras.Model([first, second, present], fused)
    load_state(model, reader.state(meta))
    folded = [value.reshape(-1, *shape) for value in maps.values()]
    fused = ops.convert_to_numpy(model([*folded, np.ones((len(maps["sil_feat"]), frames))]))
    return {"fused": published(fused.reshape(maps["sil_feat"].shape))}


def _neck(state, name, norm, parts, training=False):
    """Features, logits and normalisation of the neck ``name`` on ``parts (n, p, c)``."""
    own = {
        key.replace(name, "BNNecks", 1): value for key, value in state.items() if key.startswith(name + ".")
    }
    given = keras.Input(parts.shape[1:])
    features, logits = bn_neck(given, own["BNNecks.fc_bin"].shape[2], norm=norm)
    model = keras.Model(given, [features, logits])
    load_state(model, own)
    features, logits = model(parts, training=training)
    return published(features), published(logits), model.get_layer("BNNecks-bn1d")


def _channels_first(vector, parts):
    """Ours, parts and within channels, to the published channels and within parts."""
    return ops.convert_to_numpy(vector).reshape(parts, -1).T.ravel()


def part_heads(meta, inputs, path):
    config, state = meta["config"], reader.state(meta)
    parts = np.moveaxis(inputs["parts"], 1, -1)
    outputs = {"hpp": published(StripPooling(config["bin_num"])(np.moveaxis(inputs["feature_map"], 1, -1)))}
    for output, name in (("fcs", "FCs"), ("fcs_norm", "FCsNorm")):
        layer = PartsLinear(config["out_channels"], unit_columns=output.endswith("norm"))
        layer.build(parts.shape)
        layer.kernel.assign(state[f"{name}.fc_bin"])
        outputs[output] = published(layer(parts))
    fcs = np.moveaxis(outputs["fcs"], 1, -1)
    for name in ("BNNecks", "BNNecksNoNorm", "BNNecksSplit"):
        outputs[f"{name}_feature"], outputs[f"{name}_logits"], _ = _neck(
            state, name, "NoNorm" not in name, fcs
        )
    feature, logits, bn1d = _neck(state, "BNNecks", True, fcs, training=True)
    maps, lengths = np.moveaxis(inputs["packed"], 1, -1)[0], inputs["seqL"][0]
    present = np.arange(max(lengths)) < lengths[:, None]
    filled = np.zeros((*present.shape, *maps.shape[1:]), "float32")
    filled[present] = maps
    return outputs | {
        "BNNecks_train_feature": feature,
        "BNNecks_train_logits": logits,
        "BNNecks_running_mean_after": _channels_first(bn1d.moving_mean, config["parts_num"]),
        "BNNecks_running_var_after": _channels_first(bn1d.moving_variance, config["parts_num"]),
        "temporal_max": published(TemporalMaxPooling()(filled, present)),
    }


def gem_pooling(meta, inputs, path):
    maps = np.moveaxis(inputs["x"], 1, -1)
    return {
        f"pooled_{i}": published(GeMStripPooling(meta["config"]["bin_num"], p=float(p))(maps))
        for i, p in enumerate(inputs["p"])
    }


FAMILIES = {
    "deepgaitv2": deepgaitv2,
    "packed": packed,
    "skeletongaitpp": skeletongaitpp,
    "skeletongaitpp_inputs": skeletongaitpp_inputs,
    "attention_fusion": fusion,
    "part_heads": part_heads,
    "gem_pooling": gem_pooling,
}
