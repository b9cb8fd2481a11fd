"""Read pickles that may come from anywhere: NumPy arrays and plain containers, nothing else.

A pickle can name any function of any module and have it called. Here only the few names that NumPy
arrays and plain containers need are known; any other is refused before anything of it runs.
"""

import collections
import io
import pickle
import tokenize

import numpy as np

from keras_gait.errors import GaitError


def _encode_latin1(text, encoding):
    """What ``_codecs.encode`` is for in old pickles: bytes kept as Latin-1 text."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r} where latin1 was expected")
    return text.encode("latin1")


_ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    # NumPy's own functions for this, as its arrays and scalars name them when they are pickled:
    ("numpy._core.multiarray", "_reconstruct"): np.zeros(1).__reduce__()[0],
    ("numpy._core.multiarray", "scalar"): np.float32(0).__reduce__()[0],
    ("numpy._core.numeric", "_frombuffer"): np.zeros(1).__reduce_ex__(5)[0],
    ("_codecs", "encode"): _encode_latin1,
    ("collections", "OrderedDict"): collections.OrderedDict,
    **{("builtins", kind.__name__): kind for kind in (set, frozenset, bytearray, complex)},
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
    return array
