"""Checkpoints of PyTorch and archives of NumPy as dicts of arrays by name; nothing in a file runs."""

import pickle
import re
import struct
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np

from keras_gait.errors import GaitError

# What NumPy and PyTorch raise on a damaged file, by where the damage is; a `GaitError` is a ValueError.
DAMAGED = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError),
    *(RuntimeError, SyntaxError, TypeError, ValueError, struct.error, tokenize.TokenError),
    *(zipfile.BadZipFile, zlib.error),
)


def read_state(path):
    """``{published name: array}`` of a ``.pt`` checkpoint (needs PyTorch) or of an ``.npz`` file.

    Raises:
        GaitError: the file is damaged, or holds anything but arrays and plain containers: nothing in it runs.
    """
    path = Path(path)
    if not path.is_file():
        raise GaitError(f"no checkpoint at {path}")
    return _read_npz(path) if path.suffix == ".npz" else _read_pt(path)


def _read_npz(path):
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except DAMAGED as error:
        raise GaitError(f"{path} does not open as .npz: {first_line(error)}") from error


def _read_pt(path):
    try:
        import torch
    except ImportError as error:
        raise GaitError(
            f"{path} needs PyTorch to open: pip install torch, or save its arrays by name as .npz elsewhere"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd bytes; they are refused below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        reason = f"it asks for {asked[1]}" if asked else "it is no plain pickle"
        raise GaitError(
            f"{path} is refused: it is damaged or holds more than weights, which could run as a program "
            f"({reason})"
        ) from error
    except DAMAGED as error:
        raise GaitError(f"{path} does not open as a PyTorch checkpoint: {first_line(error)}") from error
    state = content.get("model", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not state:
        raise GaitError(
            f"{path} holds no weights: a dict of arrays by name was expected, alone or as 'model'"
        )
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, torch.Tensor) and value.layout == torch.strided):
            raise GaitError(f"{path}: {name!r} holds a {type(value).__name__}, not a dense array by its name")
    return {name: _array(value.detach()) for name, value in state.items()}


def _array(tensor):
    """As NumPy has it; half precision, which NumPy does not have in all kinds, as float32."""
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def first_line(error):
    return (str(error).strip() or repr(error)).splitlines()[0]
