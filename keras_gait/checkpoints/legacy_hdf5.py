"""Read the weights of Keras 2 HDF5 files, without running anything that the file holds."""

import json

import h5py
import numpy as np

from keras_gait.errors import DAMAGED_HDF5, GaitError


def read_weights(path):
    """``(weights, config)`` of a weight file or whole-model file of Keras 2.

    ``weights`` maps ``"<layer>/<weight>:0"`` to arrays, in the order of the file; ``config`` is the dict
    of the ``model_config`` attribute, None in a file of weights alone.
    """
    try:
        with h5py.File(path, "r") as file:
            group = file.get("model_weights", file)
            if not _names(group, "layer_names"):
                raise GaitError(f"{path} is HDF5 but holds no Keras weights (no 'layer_names')")
            config = file.attrs.get("model_config")
            config = None if config is None else json.loads(config)
            weights = {
                weight: np.asarray(group[layer][weight], np.float32)
                for layer in _names(group, "layer_names")
                for weight in _names(group[layer], "weight_names")
            }
    except GaitError:
        raise
    except DAMAGED_HDF5 as error:
        raise GaitError(
            f"{path} is damaged or no Keras HDF5 file; copy it again: {' '.join(str(error).split())}"
        ) from error
    return weights, config


def _names(group, attribute):
    """A list of names in an attribute, which Keras cuts into ``name0``, ``name1``, ... when it is long."""
    chunks = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(chunks)}" in group.attrs:
        chunks.append(f"{attribute}{len(chunks)}")
    names = [name for chunk in chunks for name in group.attrs[chunk]]
    return [name.decode() if isinstance(name, bytes) else name for name in names]
