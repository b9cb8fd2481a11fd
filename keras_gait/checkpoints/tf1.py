"""Checkpoints of TensorFlow 1 (``trained_model.ckpt.index``, ``.data-00000-of-00001``) as arrays by name."""

import re
from pathlib import Path

import numpy as np

from keras_gait.checkpoints.state_files import DAMAGED, first_line
from keras_gait.errors import GaitError
from keras_gait.files import is_tf1_checkpoint


def read_tf1(path):
    """``{variable name: array}`` of a checkpoint, numbers alone. Needs TensorFlow; nothing in it runs.

    Args:
        path: how the names of its files begin, or a folder whose file ``checkpoint`` tells that.

    Raises:
        GaitError: no such checkpoint, or a damaged one.
    """
    prefix = find_prefix(path)
    try:
        import tensorflow as tf
    except ImportError as error:
        raise GaitError(
            f"{prefix} needs TensorFlow to open: pip install tensorflow, or save its arrays elsewhere"
        ) from error
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        kinds = reader.get_variable_to_dtype_map()
        names = [name for name, kind in kinds.items() if kind.is_floating or kind.is_integer]
        return {name: np.asarray(reader.get_tensor(name)) for name in sorted(names)}
    except (*DAMAGED, tf.errors.OpError) as error:
        raise GaitError(
            f"{prefix} does not open as a checkpoint of TensorFlow 1; copy its files again: "
            f"{first_line(error)}"
        ) from error


def find_prefix(path):
    """How the names of a checkpoint's files begin, given by that or by its folder.

    The file ``checkpoint`` may tell the path on the machine where it was trained: its last part counts.
    """
    path = Path(path)
    if path.is_dir():
        note = path / "checkpoint"
        told = note.read_text(encoding="utf-8", errors="replace") if note.is_file() else ""
        found = re.search(r'^model_checkpoint_path: "(?:.*[/\\])?([^"/\\]+)"', told, re.MULTILINE)
        if not found:
            raise GaitError(f"{path} holds no file 'checkpoint' that names one; give the checkpoint itself")
        path = path / found[1]
    if not is_tf1_checkpoint(path):
        raise GaitError(f"no checkpoint of TensorFlow 1 at {path}: {path.name}.index is missing")
    if not list(path.parent.glob(f"{path.name}.data-*")):
        raise GaitError(f"{path}: {path.name}.index is there, {path.name}.data-00000-of-00001 is missing")
    return path
