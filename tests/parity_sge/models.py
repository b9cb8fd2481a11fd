"""How the fixtures of SGE's networks are computed (see `parity_sge`)."""

import keras
import numpy as np
from fixtures import reader
from keras import ops

from keras_gait.checkpoints.sge_names import UNUSED, load_axis
from keras_gait.models.sge import AXES, SGE, recognition_network, tasks_of
from parity_sge.data import cage_batching
from parity_sge.losses import axis_decay, axis_losses, axis_model


def encoding(meta, inputs, path):
    """The whole network of one axis, by the model that is trained; the targets come reversed."""
    config, state = meta["config"], reader.state(meta)
    model, losses = axis_model(config, inputs["inputs"].shape), axis_losses(config)
    encoder = model.get_layer("axis")
    load_axis(encoder, state)
    skeletons = inputs["inputs"]
    targets = inputs["targets"][:, ::-1] if config.get("Reverse", True) else inputs["targets"]
    trained = _arrays(model({"skeletons": skeletons, "targets": targets.copy()}))
    parts = _arrays(model.parts(skeletons))
    _, states = encoder.encode(skeletons)
    copies = [axis_decay(config)(ops.convert_to_tensor(state[name])) for name in UNUSED if name in state]
    names = {"errors": "reconstruction", "alignment": "attention", "projection": "contrastive"}
    terms = {names[n]: losses[n](np.zeros(len(skeletons)), trained[n]) for n in losses}
    terms["l2"] = sum(model.losses) + sum(copies)
    terms = _arrays(terms)
    cost = sum(terms.values())
    terms["contrastive"] = terms["contrastive"][None]
    return {
        "encoder_outputs": parts["encoded"],
        "training_outputs": parts["outputs"],
        "attention": np.swapaxes(parts["attention"], 0, 1),
        "predictions": parts["free_running"],
        "cages": parts["codes"],
        "projection": trained["projection"],
        **{f"state_h_layer{n}": ops.convert_to_numpy(h) for n, (h, _) in enumerate(states)},
        **{f"state_c_layer{n}": ops.convert_to_numpy(c) for n, (_, c) in enumerate(states)},
        **{f"loss_{name}": value for name, value in terms.items()},
        "cost": cost[None],
    }


def cage_plus_features(meta, inputs, path):
    """Features of the encoders of several tasks, joined and of each task alone."""
    config, state = meta["config"], reader.state(meta)
    skeletons = np.stack([inputs[axis] for axis in AXES], axis=-1)[inputs["ids"][:, 1]]
    options = {
        "frames": skeletons.shape[1],
        "joints": skeletons.shape[2],
        "units": config.get("rnn_size", 256),
    }

    def features(pretext):
        model = SGE(pretext=pretext, manner=config.get("manner", "ap"), **options)
        for task in tasks_of(pretext):
            for axis in AXES:
                prefix = f"{task}/{axis}/"
                own = {n.removeprefix(prefix): a for n, a in state.items() if n.startswith(prefix)}
                load_axis(model.get_layer(f"{task}-{axis}"), own)
        found = ops.convert_to_numpy(model.encoder(skeletons))
        return found.reshape(-1, found.shape[-1])

    alone = {f"features_{task}": features(task) for task in tasks_of("rev_rec_plus")}
    return alone | {"features_plus": features("rev_rec_plus")}


def recognition(meta, inputs, path):
    """Weights are the fixture's own, or trained ones among its inputs."""
    trained = {n.removeprefix("weights/"): a for n, a in inputs.items() if n.startswith("weights/")}
    state = trained or reader.state(meta)
    (width, hidden), (_, classes) = state["W1"].shape, state["W"].shape
    model = recognition_network(width, classes, hidden)
    model.get_layer("hidden").set_weights([state["W1"], state["b1"]])
    model.get_layer("logits").set_weights([state["W"], state["Variable"]])
    parts = keras.Model(model.input, [model.get_layer("hidden").output, model.output])
    units, logits = parts.predict_on_batch(inputs["X"])
    labels = np.float32(inputs["y"])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)(labels, logits)
    accuracy = np.mean(logits.argmax(axis=1) == labels.argmax(axis=1))
    return {
        "hidden": units,
        "logits": logits,
        "loss": ops.convert_to_numpy(loss),
        "accuracy": accuracy,
    }


def _arrays(tensors):
    return {name: ops.convert_to_numpy(tensor) for name, tensor in tensors.items()}


FAMILIES = {
    "encoding": encoding,
    "cage_features": cage_batching,
    "cage_plus_features": cage_plus_features,
    "recognition": recognition,
}
