"""How each family of AttenGait fixtures is computed with this package.

Every function takes ``(meta, inputs, path)`` of a fixture and returns its outputs by name. A note in
``meta["notes"]`` that widens a tolerance is carried out through ``meta["allowed"]``.
"""

import tempfile
from pathlib import Path

import numpy as np
from fixtures import reader
from gradients import gradient, model_gradients
from keras import ops

from keras_gait.checkpoints import attengait_from_weights, load_model
from keras_gait.checkpoints.attengait import published_variables
from keras_gait.data.augmentation import cutmix, mixup
from keras_gait.data.hdf5 import read_hdf5
from keras_gait.evaluation.cross_view import Embedded, cross_view_accuracy
from keras_gait.evaluation.neighbours import nearest
from keras_gait.layers import (
    HorizontalPyramid,
    PartAttention,
    PartsLinear,
    PatchAttention,
    TemporalHorizontalPyramid,
)
from keras_gait.losses import BatchAllTriplet, MarginState, PartsCrossentropy
from keras_gait.training.schedules import WarmupCosine
from keras_gait.vision import flow


def _apply(layer, meta, x):
    """Run a layer on ``x`` with the fixture's weights, in the order the published layer lists them."""
    layer.build(x.shape)
    variables = layer.kernels if hasattr(layer, "kernels") else layer.weights
    for variable, value in zip(variables, reader.state(meta).values(), strict=True):
        variable.assign(value)
    return ops.convert_to_numpy(layer(x))


def attention_conv(meta, inputs, path):
    config = meta["config"]
    size = config["attention_kernel_size"]
    return {"y": _apply(PatchAttention(size, softmax=config["softmax"]), meta, inputs["x"])}


def attention_hpp(meta, inputs, path):
    return {"y": _apply(PartAttention(softmax=meta["config"]["softmax"]), meta, inputs["x"])}


def _pyramid_settings(config):
    activation = config["activation"]
    if "leaky" in activation:
        activation = lambda x: ops.leaky_relu(x, negative_slope=0.2)  # noqa: E731
    return {"bins": config["bins"], "activation": activation}


def hpp(meta, inputs, path):
    reduction = "both" if meta["config"]["reduction"] == "both" else "mean"
    layer = HorizontalPyramid(reduction=reduction, **_pyramid_settings(meta["config"]))
    return {"y": _apply(layer, meta, inputs["x"])}


def temporal_hpp(meta, inputs, path):
    return {"y": _apply(TemporalHorizontalPyramid(**_pyramid_settings(meta["config"])), meta, inputs["x"])}


def matmul(meta, inputs, path):
    parts_last = inputs["x"].transpose(1, 0, 2)
    return {"y": _apply(PartsLinear(meta["config"]["hidden_dim"]), meta, parts_last).transpose(1, 0, 2)}


def _model_options(config):
    return {
        "softmax_attention": config["softmax_attention"],
        "reduction": "both" if config["reduction"] == "both" else "mean",
        "attention_drop_rate": config["attention_drop_rate"],
        "weight_decay": config["weight_decay"],
        "frame_shape": tuple(config["input_shape"][1:]),
    }


def _run_model(model, config, frames):
    outputs = model(frames)
    result = {"encode": ops.convert_to_numpy(outputs["embeddings"]).transpose(1, 0, 2)}
    if "logits" in outputs:
        probs = ops.convert_to_numpy(ops.softmax(outputs["logits"], axis=-1))
        result["probs"] = probs if config["split_crossentropy"] else probs[:, 0]
    return result


def encoder(meta, inputs, path):
    model = attengait_from_weights(reader.state(meta), **_model_options(meta["config"]))
    return _run_model(model, meta["config"], inputs["frames"])


def model_file(meta, inputs, path):
    config = meta["config"]
    options = {} if "final" in config["file"] else _model_options(config)
    return _run_model(load_model(path.parent / config["file"], **options), config, inputs["frames"])


def crossentropy_all(meta, inputs, path):
    loss = PartsCrossentropy(from_logits=False, reduction=None)
    labels = ops.convert_to_tensor(inputs["labels"])
    return {
        "loss": ops.convert_to_numpy(loss(labels, ops.convert_to_tensor(inputs["probs"]))),
        "grad": gradient(lambda probs: ops.sum(loss(labels, probs)), inputs["probs"]),
    }


def triplet(meta, inputs, path):
    config = meta["config"]
    embeddings = np.ascontiguousarray(inputs["embeddings"].transpose(1, 0, 2))
    labels = ops.convert_to_tensor(inputs["labels"])

    def per_part(x):
        state = MarginState(embeddings.shape[1], config["margin"]) if config.get("adaptative") else None
        normalise = "batch" if config.get("norm") else None
        loss = BatchAllTriplet(config["margin"], bool(config.get("soft")), normalise, state=state)
        if state is not None:
            state.update = lambda active: None  # the margins after the first call are not in the fixture
        return loss.per_part(labels, x)

    values = ops.convert_to_numpy(per_part(ops.convert_to_tensor(embeddings)))
    if config.get("norm"):  # self-distances are rounding noise there, say the notes
        meta["rtol"] = 1e-3
    grad = gradient(lambda x: ops.sum(per_part(x)), embeddings)
    return {"loss": values, "grad": grad.transpose(1, 0, 2)}


def training_objective(meta, inputs, path):
    config = meta["config"]
    model = attengait_from_weights(reader.state(meta), **_model_options(config))
    batch = config["global_batch_size"]
    labels = ops.convert_to_tensor(inputs["labels"])
    mixed = ops.convert_to_tensor(inputs["labels_mixed"])

    def loss(outputs, regularisation):
        triplets = ops.sum(BatchAllTriplet().per_part(labels, outputs["embeddings"])) / batch
        crossentropy = PartsCrossentropy(reduction="sum")(mixed, outputs["logits"])
        crossentropy = config["crossentropy_weight"] * crossentropy / batch
        terms = {"triplet": triplets, "crossentropy": crossentropy}
        terms["regularisation"] = regularisation / config["replicas"]
        return terms | {"total": sum(terms.values())}

    terms, grads = model_gradients(model, inputs["frames"], loss)
    by_variable = dict(zip((v.path for v in model.trainable_variables), grads, strict=True))
    published = _in_published_order(model, by_variable, meta["trainable"])
    for name in ("triplet", "crossentropy", "total"):  # losses to 1e-3, gradients to 1e-2, say the notes
        meta.setdefault("allowed", {})[name] = meta["atols"][name] + 1e-3 * abs(terms[name])
    return terms | {
        "grad_norms": np.array([np.linalg.norm(g) for g in published.values()], np.float32),
        "grad_first_conv": published["time_distributed/kernel:0"],
        "grad_first_attention": published["attention_conv/attention_kernel:0"],
    }


def _in_published_order(model, by_variable, names):
    """Gradients under their published names; a stack of classifiers is taken apart."""
    queues = {}
    for kind, variables in published_variables(model).items():
        arrays = [by_variable[v.path] for v in variables]
        if kind == "dense":
            arrays = [array[i] for i in range(len(arrays[0])) for array in arrays]
        queues[kind] = iter(arrays)
    kinds = sorted(queues, key=len, reverse=True)
    return {name: next(queues[next(k for k in kinds if name.startswith(k))]) for name in names}


def lr(meta, inputs, path):
    config = meta["config"]
    schedule = WarmupCosine(
        config["target_lr"], config["total_steps"], config["warmup_steps"], config["hold"]
    )
    rates = [float(ops.convert_to_numpy(schedule(int(step)))) for step in inputs["steps"]]
    return {"lr": np.array(rates, np.float32)}


def _share(inputs):
    return inputs["gamma_a"] / (inputs["gamma_a"] + inputs["gamma_b"])


def mixup_batch(meta, inputs, path):
    images, labels = mixup(inputs["images"], inputs["labels"], inputs["permutation"], _share(inputs))
    return {"images": images, "labels": labels}


def cutmix_batch(meta, inputs, path):
    images, labels = cutmix(
        inputs["images"],
        inputs["labels"],
        inputs["permutation"],
        _share(inputs),
        inputs["centre_rows"],
        inputs["centre_cols"],
    )
    return {"images": images, "labels": labels}


def knn(meta, inputs, path):
    config = meta["config"]
    metric = config["metric"] if config["metric_given_as"] == "str" else "L1"  # what the original runs
    labels = nearest(
        inputs["gallery"], inputs["gallery_labels"], inputs["probe"], metric, config["k"], config["p"]
    )
    return {"labels": np.squeeze(labels)}


def protocol_casiab(meta, inputs, path):
    accuracy = cross_view_accuracy(
        *(
            Embedded(*(inputs[f"{part}{field}"] for field in ("", "_labels", "_views")))
            for part in ("gallery", "probe")
        ),
        inputs["probe_conditions"],
        metric=meta["config"]["effective_metric"],
        k=meta["config"]["k"],
    )
    return {"accs": accuracy}


def farneback(meta, inputs, path):
    return {"flow": flow.farneback_flow(inputs["previous"], inputs["current"])}


def flow_colour(meta, inputs, path):
    if "flow" not in inputs:
        return {"wheel": flow.colour_wheel()}
    rgb = flow.flow_to_colour(inputs["flow"])
    meta["allowed"] = {"uint8": 1}  # the notes allow it: truncation
    return {"rgb": rgb, "uint8": flow.colour_to_uint8(rgb)}


def cut(meta, inputs, path):
    meta["allowed"] = {"cut": meta["atol"]}
    return {"cut": flow.cut(inputs["flow"], inputs["silhouette"])}


def pretreatment_casiab(meta, inputs, path):
    meta["allowed"] = {"images": meta["atol"]}
    frames = flow.flow_frames(inputs["grey"], inputs["silhouettes"])
    return {"images": np.stack([image for _, image, _ in frames if image is not None])}


def dataset_casiab_train(meta, inputs, path):
    config = meta["config"]
    info = read_hdf5(path.parent / config["info_file"])
    first = read_hdf5(path.parent / config["folder"] / info["file"][0])
    assert list(info["file"]) == config["file"]
    assert [list(map(int, frames)) for frames in info["frames"]] == config["frames"]
    assert [list(boxes) for boxes in info["bbs"]] == config["bbs"]
    assert list(info["shape"]) == config["shape"]
    return info | {f"first/{key}": value for key, value in first.items()}


def info(meta, inputs, path):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "info.h5"
        file.write_bytes(inputs["h5"].tobytes())
        read = read_hdf5(file)
    config = meta["config"]
    assert list(read["file"]) == config["file"]
    assert [len(frames) for frames in read["frames"]] == config["frames_lengths"]
    if "bbs_lengths" in config:
        assert [len(boxes) for boxes in read["bbs"]] == config["bbs_lengths"]
    return read | {f"frames_{i}": np.array(frames) for i, frames in enumerate(read["frames"])}


FAMILIES = {
    "attention_conv": attention_conv,
    "attention_hpp": attention_hpp,
    "crossentropy_all": crossentropy_all,
    "cut": cut,
    "cutmix": cutmix_batch,
    "dataset_casiab_train": dataset_casiab_train,
    "encoder": encoder,
    "farneback": farneback,
    "flow_colour": flow_colour,
    "hpp": hpp,
    "info": info,
    "knn": knn,
    "lr": lr,
    "matmul": matmul,
    "mixup": mixup_batch,
    "model": encoder,
    "model-final": model_file,
    "model-state": model_file,
    "pretreatment_casiab": pretreatment_casiab,
    "protocol_casiab": protocol_casiab,
    "temporal_hpp": temporal_hpp,
    "training_objective": training_objective,
    "triplet": triplet,
}
