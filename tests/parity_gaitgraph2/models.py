"""How the fixtures of the graph networks are computed (see `parity_gaitgraph2`)."""

import keras
import numpy as np
from fixtures import reader
from keras import ops

from keras_gait.checkpoints.by_name import load_state
from keras_gait.layers.resgcn import resgcn
from keras_gait.models.poses import embedding


def network(meta, x):
    """``(embedding [sample, size], last map [sample, 256, frame, joint])`` of branches ``x``."""
    config = {"dataset": "coco"} | meta["config"]
    branches = keras.Input(x.shape[1:])
    maps = resgcn(branches, config["model_type"], config["dataset"])
    vectors = embedding(maps, config["num_class"])
    model = keras.Model(branches, [vectors, maps])
    load_state(model, reader.state(meta))
    vectors, maps = model.predict_on_batch(x)
    return vectors[:, 0], np.moveaxis(maps, -1, 1)


def resgcn_network(meta, inputs, path):
    vectors, feature = network(meta, inputs["x"])
    return {
        "embedding": vectors,
        "feature": feature,
        "feature_every16": feature[:, ::16],
        "feature_mean": feature.mean(axis=(2, 3)),
    }


FAMILIES = {"resgcn": resgcn_network}
