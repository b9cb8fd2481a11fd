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


KEYS = ("state_dict", "model")  # that hold the weights: Lightning's, and OpenGait's or GaitGraph's
MODULE = "_state_dict"  # how keys end where each module of a model has one of its own (SelfGait)
OPTIMIZER = "optimizer_state_dict"  # is no module's
# What checkpoints keep beside their weights: flags, paths, NumPy's numbers, callbacks; schedules, which
# PyTorch before 2 saved with a method of theirs and, through that, with the optimizer.
BESIDE = (
    "argparse.Namespace",
    "builtins.dict",
    "builtins.getattr",
    "jsonargparse.namespace.Namespace",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray.scalar",
    "numpy.dtype",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "torch.optim.adam.Adam",
    "torch.optim.adamw.AdamW",
    "torch.optim.lr_scheduler.OneCycleLR",
    "torch.optim.swa_utils.SWALR",
)
DICTS = (  # of another kind, read as plain ones
    "collections.defaultdict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
)


class LeftOut:
    """Stands for an object beside the weights: takes what the file would make it of, and does nothing."""

    def __new__(cls, *arguments):
        return super().__new__(cls)

    def __init__(self, *arguments):
        pass

    def __setstate__(self, state):
        pass


class PlainDict:
    """Stands for a dict of another kind: makes a plain one."""

    def __new__(cls, *arguments):
        return {}


def _stand_in(path, kind=LeftOut):
    """A class that PyTorch finds by its name; what really bears the name is never called."""
    module, _, name = path.rpartition(".")
    return type(name, (kind,), {"__module__": module, "__qualname__": name})


STAND_INS = [*map(_stand_in, BESIDE), *(_stand_in(path, PlainDict) for path in DICTS)]


def read_state(path):
    """``{published name: array}`` of a PyTorch checkpoint (needs PyTorch) or of an ``.npz`` file.

    Raises:
        GaitError: the file is damaged, or holds anything but arrays, plain containers and `BESIDE`: nothing
            in it runs.
    """
    return read_checkpoint(path)[0]


def read_checkpoint(path):
    """The weights of `read_state`, and the key of the checkpoint that holds them: None where it is they."""
    path = Path(path)
    if not path.is_file():
        raise GaitError(f"no checkpoint at {path}")
    return (_read_npz(path), None) if path.suffix == ".npz" else _read_pt(path)


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
            with torch.serialization.safe_globals(STAND_INS):
                content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        reason = f"it asks for {asked[1]}" if asked else "it is no plain pickle"
        raise GaitError(
            f"{path} is refused: it is damaged or holds more than weights, which could run as a program; if "
            f"you trust it, save its weights alone ({reason})"
        ) from error
    except DAMAGED as error:
        raise GaitError(f"{path} does not open as a PyTorch checkpoint: {first_line(error)}") from error
    content = content if isinstance(content, dict) else {}
    key = next((key for key in KEYS if key in content), None)
    state = content[key] if key else _of_modules(content)
    if not isinstance(state, dict) or not state:
        raise GaitError(
            f"{path} holds no weights: a dict of arrays by name was expected, alone or as "
            f"{' or '.join(map(repr, KEYS))}"
        )
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, torch.Tensor) and value.layout == torch.strided):
            raise GaitError(f"{path}: {name!r} holds a {type(value).__name__}, not a dense array by its name")
    return {name: _array(value.detach()) for name, value in state.items()}, key


def _of_modules(content):
    """The weights of several modules as one dict, by names such as ``"TP_1_state_dict/fc_bin"``."""
    modules = {
        key: state
        for key, state in content.items()
        if str(key).endswith(MODULE) and key != OPTIMIZER and isinstance(state, dict)
    }
    named = {f"{key}/{name}": array for key, state in modules.items() for name, array in state.items()}
    return named or content


def _array(tensor):
    """As NumPy has it; half precision, which NumPy does not have in all kinds, as float32."""
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def first_line(error):
    return (str(error).strip() or repr(error)).splitlines()[0]
