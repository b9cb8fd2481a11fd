"""Read pickles that may come from anywhere: NumPy arrays and plain containers, nothing else.

A pickle can name any function of any module and have it called. Here only the few names that NumPy
arrays and plain containers need are known; any other is refused before anything of it runs.
"""

import collections
import io
import pickle
import re
import tokenize

import numpy as np

from keras_gait.errors import GaitError


def _encode_latin1(text, encoding):
    """What ``_codecs.encode`` is for in old pickles: bytes kept as Latin-1 text."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r} where latin1 was expected")
    return text.encode("latin1")


# NumPy's constructors trust what they are told: an array of objects over given bytes has those bytes for
# addresses, and one of any size is made of nothing. So what a pickle calls are these, which do not.


class _DType:
    """``numpy.dtype`` of plain numbers, texts or objects, as `dtype`."""

    def __init__(self, name, *_):
        if not isinstance(name, str) or not re.fullmatch("[<>|=]?[biufcSUO][0-9]{1,9}", name):
            raise pickle.UnpicklingError(f"numbers or texts expected, not {str(name)[:20]!r}")
        self.dtype = np.dtype(name)

    def __setstate__(self, state):
        _, order, *parts = state[:5]
        if any(part is not None for part in parts):
            raise pickle.UnpicklingError("numbers or texts expected, not fields")
        self.dtype = self.dtype.newbyteorder(order)


class _Array(np.ndarray):
    """``numpy.ndarray``, made of its values: their number is checked."""

    def __new__(cls, shape, name, values):
        return _from_buffer(values, _DType(name), shape, "C")

    def __setstate__(self, state):
        version, shape, kind, *values = state
        super().__setstate__((version, shape, kind.dtype, *values))

    def __reduce__(self):
        return np.asarray(self).__reduce__()


def _reconstruct(kind, shape, _):
    if kind is not _Array or shape != (0,):
        raise pickle.UnpicklingError("an array that is not made of its values")
    return np.ndarray.__new__(kind, shape)


def _scalar(kind, *value):
    if kind.dtype.hasobject or not value:
        raise pickle.UnpicklingError("a scalar that is no number or text")
    return np.float32(0).__reduce__()[0](kind.dtype, *value)


def _from_buffer(values, kind, shape, order):
    if not isinstance(values, bytes | bytearray):  # not the memory of another array
        raise pickle.UnpicklingError("an array that is not made of bytes")
    return np.frombuffer(values, kind.dtype).reshape(shape, order=order)


def _bytes():
    """No bytes at all, which the first protocols could not tell otherwise."""
    return b""


def _bytearray(*values):
    if values and not isinstance(values[0], bytes | str):
        raise pickle.UnpicklingError("a bytearray that is not made of its bytes")
    return bytearray(*values)


_ALLOWED = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode_latin1,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("builtins", "bytes"): _bytes,
    ("builtins", "bytearray"): _bytearray,
    **{("builtins", kind.__name__): kind for kind in (set, frozenset, complex)},
}


class RefusedPickle(GaitError):  # noqa: N818 - it is raised by what a file wants, not by a mistake
    """A pickle that wants more than arrays: no damage but an attack, so a command ends at once."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, place):
        super().__init__(file)
        self._place = place

    def find_class(self, module, name):
        key = (module.replace("numpy.core", "numpy._core").replace("__builtin__", "builtins"), name)
        if key not in _ALLOWED:
            raise RefusedPickle(
                f"{self._place}: this pickle asks for {module}.{name}, which is refused and was not run; "
                "only NumPy arrays and plain containers are read. Save its content anew as arrays."
            )
        return _ALLOWED[key]


def loads(data, place):
    """The object in the pickle ``data`` (bytes). ``place`` names its origin in errors (GaitError)."""
    try:
        return _Unpickler(io.BytesIO(data), place).load()
    except GaitError:
        raise
    except Exception as error:  # damaged pickles raise nearly anything
        raise GaitError(f"{place}: this pickle is damaged ({error!r}): get the file again.") from error


def load_npy(path):
    """The array of objects in a .npy file, whose content is a pickle (GaitError)."""
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with open(path, "rb") as file:
            _, _, dtype = headers[np.lib.format.read_magic(file)](file)
            content = file.read() if dtype.hasobject else None
    except (ValueError, KeyError, SyntaxError, TypeError, tokenize.TokenError) as error:
        raise GaitError(f"{path} is damaged or no .npy file ({error}): get it again.") from error
    array = content and loads(content, path)
    if not isinstance(array, np.ndarray):
        raise GaitError(f"{path} holds no array of objects: get it again.")
    return np.asarray(array)
