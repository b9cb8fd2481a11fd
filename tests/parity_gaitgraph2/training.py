"""How the fixtures of schedule and training step are computed (see `parity_gaitgraph2`)."""

import keras
import numpy as np
from fixtures import reader

from keras_gait.checkpoints.by_name import load_state, published_variables
from keras_gait.models.poses import embedding
from keras_gait.training import gaitgraph
from keras_gait.training.checkpointing import to_numpy
from keras_gait.training.cycled_adam import make_cycled_adam
from parity_gaitgraph2.graphs import graph_of
from parity_gaitgraph2.models import any_network

CYCLE = {"name": "onecycle"}


def one_cycle(meta, inputs, path):
    """As the optimizer has them during its updates."""
    config = {"optimizer": "Adam"} | meta["config"]
    settings = {"name": config["optimizer"], "learning_rate": config["max_lr"], "weight_decay": 0.0}
    optimizer = make_cycled_adam(settings, CYCLE, config["total_steps"])
    found = {"learning_rate": [], "beta1": []}
    for step in inputs["steps"]:
        optimizer.iterations.assign(int(step))
        found["learning_rate"].append(to_numpy(optimizer.learning_rate))
        found["beta1"].append(to_numpy(optimizer.beta_1(optimizer.iterations)))
    return {name: np.array(values) for name, values in found.items()}


def train_step(meta, inputs, path):
    """As `supervised.train` runs its steps, the gradients as Adam's first mean gathers them."""
    x, labels = inputs["x"], inputs["labels"].astype(np.int32)
    config = {"dataset": graph_of(x.shape[2]), "weight_decay": 0.0} | meta["config"]
    branches = keras.Input(x.shape[1:])
    maps = any_network(branches, config["model_type"], config["dataset"])
    bn, edge = "input_branches.0.bn", "main_stream.0.edge"
    if config["model_type"].startswith("st-gcn"):
        bn, edge = "data_bn", "edge_importance.0"
    model = keras.Model(branches, {"embeddings": embedding(maps, config["num_class"])})
    load_state(model, reader.state(meta))
    settings = {"learning_rate": config["max_lr"], "weight_decay": config["weight_decay"]}
    recipe = {
        "losses": {"name": "supcon", "temperature": config["temperature"]},
        "optimizer": {"name": config["optimizer"], **settings},
        "schedule": CYCLE,
        "averaging": {"start": None},
        "train": {"epochs": 1, "multi_gpu": 0},
    }
    gaitgraph.make_compiler(recipe, model, None, config["total_steps"])(0.0)
    trainable = model.trainable_variables
    before = _values(model, trainable)

    found = {"embedding": to_numpy(model(x, training=True)["embeddings"])[:, 0]}
    statistics = _values(model, model.weights)
    found["running_mean_input_bn"], found["running_var_input_bn"] = (
        statistics[f"{bn}.running_{name}"] for name in ("mean", "var")
    )
    for step in range(3):
        beta_1 = to_numpy(model.optimizer.beta_1(model.optimizer.iterations))
        logs = model.train_on_batch(x, {"embeddings": labels}, return_dict=True)
        found[f"loss_{step}"] = logs["loss"]
        if step == 0:
            gradients = {
                name: mean / (1 - beta_1)
                for name, mean in _values(model, trainable, model.optimizer._means).items()
            }
            if config["optimizer"] == "Adam":
                gradients = {n: g - config["weight_decay"] * before[n] for n, g in gradients.items()}
            after = _values(model, trainable)
    return found | {
        "gradient_norm": np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in gradients.values())),
        "gradient_fcn_weight": gradients["fcn.weight"][:, ::16],
        "gradient_edge": gradients[edge],
        "fcn_bias_after": after["fcn.bias"],
        "edge_after": after[edge],
    }


def _values(model, variables, arrays=None):
    """``{published name: array}`` of these variables, or of arrays that belong to them."""
    values = {v.path: to_numpy(array) for v, array in zip(variables, arrays or variables, strict=True)}
    return {
        each.name: values[each.variable.path].transpose(np.argsort(each.axes))
        for each in published_variables(model)
        if each.variable.path in values
    }


FAMILIES = {"one_cycle": one_cycle, "train_step": train_step}
