"""Published-like folders of TensorFlow 1 checkpoints for tests."""

import numpy as np

from keras_gait.checkpoints.sge_models import RECOGNITION
from keras_gait.checkpoints.sge_names import published_state


def write_tf1(path, state):
    """Write ``{name: array}`` as the checkpoint whose files' names begin with ``path``."""
    import tensorflow as tf

    path.parent.mkdir(parents=True, exist_ok=True)
    names = sorted(state)
    slices = [""] * len(names)
    tensors = [tf.constant(state[name]) for name in names]
    tf.raw_ops.SaveV2(prefix=str(path), tensor_names=names, shape_and_slices=slices, tensors=tensors)


def recognition_state(model):
    """Published names of a recognition network's weights, and what an optimizer leaves beside them."""
    state = {
        name: np.array(getattr(model.get_layer(layer), weight))
        for name, (layer, weight) in RECOGNITION.items()
    }
    beside = {f"{name}/Adam3": np.zeros_like(array) for name, array in state.items()}
    return state | beside | {"learning_rate": np.float32(0.001), "new_train/beta1_power": np.float32(0.9)}


def write_models(
    models, model, name="BIWI_LA_RN_ap_4_0.1_0pre_rev_rec", encoder="BIWI_LA_{}_4_0.1_0pre_rev_rec"
):
    """Write an SGE's recognition network and encoders below the folder ``models``, as published -> the RN's
    checkpoint."""
    for axis in "xyz":
        state = published_state(model.get_layer(f"rev_rec-{axis}"))
        write_tf1(models / "Gait_Encoding_models" / encoder.format(axis) / "trained_model.ckpt", state)
    kind = "CAGEs_RN_models" if "pre_" in name else "AGEs_RN_models"
    network = models / kind / name / "trained_model.ckpt"
    write_tf1(network, recognition_state(model))
    return network
