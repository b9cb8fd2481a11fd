"""Features that SGE's published training saved beside its recognition network, scored as it scored them."""

from pathlib import Path

import numpy as np

from keras_gait.checkpoints.sge_folders import parse_folder
from keras_gait.checkpoints.sge_models import recognition_from_state
from keras_gait.checkpoints.state_files import DAMAGED, first_line
from keras_gait.checkpoints.tf1 import read_tf1
from keras_gait.errors import GaitError
from keras_gait.evaluation.closed_set import Identified
from keras_gait.evaluation.identification import identify, published_windows
from keras_gait.files import is_tf1_checkpoint

BATCH = 128  # rows; those beyond the last full batch are not scored


def has_saved_features(checkpoint):
    """Whether the features of a test set lie beside a published checkpoint."""
    return Path(checkpoint).with_name("val_X.npy").is_file()


def identify_saved(checkpoint):
    """The figures of ``val_X.npy``, ``val_y.npy`` beside ``checkpoint`` -> list of `Identified`.

    For IAS that is IAS-A; ``val_2_X.npy`` and ``val_2_y.npy`` are IAS-B. Each is scored by its own
    ``A_trained_model.ckpt``, ``B_trained_model.ckpt`` where they are there. Labels are one-hot; who the
    classes are is not told, so they are numbered from 0.
    """
    folder = parse_folder(checkpoint)
    if folder.manner is None:
        raise GaitError(
            f"{checkpoint} is an encoder: features are scored by a recognition network, ..._RN_..."
        )
    frames = folder.frames if folder.manner == "ap" else 1
    sets = [("val", folder.dataset, "")]
    if folder.path.joinpath("val_2_X.npy").is_file():
        sets = [("val", f"{folder.dataset}-A", "A_"), ("val_2", f"{folder.dataset}-B", "B_")]
    results = []
    for begin, name, own in sets:
        chosen = folder.path / f"{own}{Path(checkpoint).name}"
        network = recognition_from_state(read_tf1(chosen if is_tf1_checkpoint(chosen) else checkpoint))
        features, labels = (_read(folder.path / f"{begin}_{part}.npy") for part in "Xy")
        _check_fit(folder.path / f"{begin}_X.npy", features, labels, network)
        scores = network.predict(features, batch_size=BATCH, verbose=0)
        counted = published_windows(scores, labels.argmax(axis=1), BATCH, frames)
        people = tuple(map(str, range(labels.shape[1])))
        results.append(Identified(name, identify(*counted), people))
    return results


def _check_fit(path, features, labels, network):
    dim, classes = network.input_shape[1], network.output_shape[1]
    if features.shape != (len(labels), dim) or labels.shape[1] != classes:
        raise GaitError(
            f"{path} holds features {features.shape} with labels {labels.shape}, but the recognition network "
            f"takes (rows, {dim}) with labels (rows, {classes}): they are not of this network"
        )


def _read(path):
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED as error:
        reason = first_line(error)
        raise GaitError(
            f"{path} does not open as an array ({reason}): get the file itself, a pointer of Git LFS is none"
        ) from error
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise GaitError(f"{path} holds {array.dtype} {array.shape}; expected numbers (rows, columns)")
    return array
