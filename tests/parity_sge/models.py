"""How the fixtures of SGE's networks are computed (see `parity_sge`)."""

import keras
import numpy as np
from fixtures import reader
from keras import ops

from keras_gait.checkpoints.sge_names import UNUSED, load_axis
from keras_gait.data.skeletons.published import published_rows
from keras_gait.models.sge import AXES, DOUBLE_PRETEXTS, SGE, TASKS, recognition_network
from parity_sge.data import axes_of, cage_batching, load_axes
from parity_sge.losses import axis_decay, axis_losses, axis_model


def encoding(meta, inputs, path):
    """The whole network of one axis, by the model that is trained; the targets come reversed."""
    config, state = meta["config"], reader.state(meta)
    model, losses = axis_model(config, state, inputs["inputs"].shape), axis_losses(config)
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
    """Features of the encoders of all or two tasks, joined and of each task alone."""
    config, state = meta["config"], reader.state(meta)
    rows = published_rows(inputs["ids"][:, 0], config.get("batch_size", 128), training=False)
    skeletons = np.stack([inputs[axis] for axis in AXES], axis=-1)[inputs["ids"][rows, 1]]
    tasks = [task for task in TASKS if any(name.startswith(f"{task}/") for name in state)]
    doubles = {both: name for name, both in DOUBLE_PRETEXTS.items()}

    def features(**pretext):
        options = axes_of(state, skeletons.shape, f"{tasks[0]}/")
        model = SGE(manner=config.get("manner", "ap"), **pretext, **options)
        for task in model.tasks:
            load_axes(model, state, task, f"{task}/")
        found = ops.convert_to_numpy(model.encoder(skeletons))
        return found.reshape(-1, found.shape[-1])

    found = {f"features_{task}": features(pretext=task) for task in tasks}
    plus = features(pretext="rev_rec_plus", double_pretext=doubles.get(tuple(tasks)))
    return found | {"features_plus": plus}


def recognition(meta, inputs, path):
    """Weights are the fixture's own, or trained ones among its inputs."""
    config = meta["config"]
    trained = {n.removeprefix("weights/"): a for n, a in inputs.items() if n.startswith("weights/")}
    state = trained or reader.state(meta)
    (width, hidden), (_, classes) = state["W1"].shape, state["W"].shape
    model = recognition_network(width, classes, hidden)
    layers = {"W1": ("hidden", "kernel"), "b1": ("hidden", "bias"), "W": ("logits", "kernel")}
    layers |= {"Variable": ("logits", "bias")}
    variables = {name: getattr(model.get_layer(layer), kind) for name, (layer, kind) in layers.items()}
    for name, variable in variables.items():
        variable.assign(state[name].astype(np.float32))
    x, y = inputs["X"], inputs["y"].astype(np.float32)
    parts = keras.Model(model.input, [model.get_layer("hidden").output, model.output])
    units, logits = map(ops.convert_to_numpy, parts(x))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    found = {
        "hidden": units,
        "logits": logits,
        "loss": ops.convert_to_numpy(loss(y, logits)),
        "accuracy": np.mean(logits.argmax(axis=1) == y.argmax(axis=1)),
    }
    steps = config.get("steps", 0)
    if steps:
        model.compile(keras.optimizers.Adam(config.get("learning_rate", 0.0005), epsilon=1e-8), loss)
        losses = [model.train_on_batch(x, y) for _ in range(steps)]
        found["losses"] = np.array([*losses, model.test_on_batch(x, y)])
        found |= {f"after/{name}": ops.convert_to_numpy(v) for name, v in variables.items()}
    return found


def _arrays(tensors):
    return {name: ops.convert_to_numpy(tensor) for name, tensor in tensors.items()}


FAMILIES = {
    "encoding": encoding,
    "cage_features": cage_batching,
    "cage_plus_features": cage_plus_features,
    "recognition": recognition,
}
