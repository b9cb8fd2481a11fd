"""How the fixtures of the graph networks are computed (see `parity_gaitgraph2`).

Networks of fixtures take branches ``[sample, frame, joint, branch, channel]``, our models the poses that
branches are made of: so here the network is put onto branches, and the joints of the first are the poses.
"""

import keras
import numpy as np
from fixtures import reader

from keras_gait.checkpoints.by_name import load_state
from keras_gait.layers import UnitLength
from keras_gait.layers.resgcn import resgcn
from keras_gait.models import STGCN, GaitGraph2
from keras_gait.models.gaitgraph import body_parts
from keras_gait.models.poses import embedding
from keras_gait.models.stgcn import stgcn
from parity_gaitgraph2.graphs import graph_of


def computed(meta, x, last_map):
    """``(embedding [sample, size], map [sample, frame, joint, channel])`` of branches ``x``.

    ``last_map(branches, name, joints)`` is the network.
    """
    config = {"dataset": graph_of(x.shape[2])} | meta["config"]
    branches = keras.Input(x.shape[1:])
    maps = last_map(branches, config["model_type"], config["dataset"])
    model = keras.Model(branches, [embedding(maps, config["num_class"]), maps])
    load_state(model, reader.state(meta))
    vectors, maps = model.predict_on_batch(x)
    return vectors[:, 0], maps


def any_network(branches, name, joints):
    """The last map of the network of any published name."""
    return stgcn(branches, joints) if name.startswith("st-gcn") else resgcn(branches, name, joints)


def network(meta, inputs, path):
    vectors, maps = computed(meta, inputs["x"], any_network)
    feature = np.moveaxis(maps, -1, 1)
    return {
        "embedding": vectors,
        "feature": feature,
        "feature_every16": feature[:, ::16],
        "feature_mean": feature.mean(axis=(2, 3)),
    }


def first_version(meta, inputs, path):
    """Version 1 puts the axes in the order ``[sample, branch, channel, frame, joint]``."""

    def last_map(branches, name, joints):
        return resgcn(branches, name, joints, body_parts(joints))

    vectors, _ = computed(meta, np.transpose(inputs["x"], (0, 3, 4, 1, 2)), last_map)
    return {"embedding": keras.ops.convert_to_numpy(UnitLength()(vectors))}


def test_time(meta, inputs, path):
    x = inputs["x"] if inputs["x"].ndim == 5 else inputs["x"][:, :, :, None]
    joints = graph_of(x.shape[2])
    oumvlp = joints == "oumvlp"
    config = {
        "backend_name": "resgcn-n51-r4" if oumvlp else "resgcn-n39-r8",
        "embedding_layer_size": 64 if oumvlp else 128,
        "tta": True,
    } | meta["config"]
    options = {"embedding_size": config["embedding_layer_size"], "joints": joints}
    if config["backend_name"] == "st-gcn":
        model = STGCN(**options)
    else:
        kind = {(3, 5): "branches", (1, 15): "concat", (1, 3): "plain"}[x.shape[3:]]
        model = GaitGraph2(network=config["backend_name"], inputs=kind, **options)
    load_state(model, reader.state(meta))
    encoder = model.tta_encoder if config["tta"] else model.encoder
    return {"embedding": encoder.predict_on_batch(np.ascontiguousarray(x[:, :, :, 0, :3]))[:, 0]}


FAMILIES = {
    "resgcn": network,
    "st_gcn": network,
    "v1_resgcn": first_version,
    "tta": test_time,
}
