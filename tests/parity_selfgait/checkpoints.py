"""How the fixtures of whole SelfGait checkpoints are computed: by the loader of published files."""

import keras
import numpy as np
from fixtures import reader
from keras import ops

from keras_gait.checkpoints.by_name import model_from_state
from keras_gait.checkpoints.selfgait_models import target_from_state


def _clips(silhouettes):
    """``[n, s, h, w]`` of 0..255 to what a model takes."""
    return silhouettes.astype(np.float32)[..., None]


def complete(meta, inputs, path):
    """Both networks; by batch statistics last, for that changes the running ones."""
    state, clips = reader.state(meta), _clips(inputs["silhouettes"])
    options = {"frame_shape": clips.shape[2:]}
    model, target = model_from_state(state, **options), target_from_state(state, **options)
    features = keras.Model(target.input, target.get_layer("TP_1").output)
    outputs = model(clips, training=False)
    found = {
        "online_feature": outputs["embeddings"],
        "online_projection": outputs["projection"],
        "prediction": outputs["prediction"],
        "target_feature": features(clips, training=False),
        "target_projection": target(clips, training=False),
    }
    found |= {
        "prediction_train": model(clips, training=True)["prediction"],
        "target_projection_train": target(clips, training=True),
    }
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


FAMILIES = {"complete": complete}
