"""One function that opens whatever model file a user has."""

import zipfile
import zlib
from pathlib import Path

import h5py
import keras

from keras_gait.checkpoints.attengait import attengait_from_weights
from keras_gait.checkpoints.by_name import model_from_state
from keras_gait.checkpoints.legacy_hdf5 import read_weights
from keras_gait.checkpoints.sge_models import sge_from_tf1
from keras_gait.checkpoints.tf1 import find_prefix
from keras_gait.errors import DAMAGED_HDF5, GaitError
from keras_gait.files import is_tf1_checkpoint

PUBLISHED = (".pt", ".pth", ".ckpt", ".npz")  # endings of weights by their published names
# arguments of models that such weights always tell: a recipe may be one for another size
TOLD = (
    *("network", "inputs", "embedding_size"),
    *("hidden_dim", "div", "mlp_hidden_size", "projection_size"),
)
WHOLE = ("selfgait",)  # methods whose weights tell all of their model: they need no recipe


def load_model(path, method=None, **options):
    """Open a model file: our ``.keras`` and ``.hdf5``, or published weights.

    Those are AttenGait's ``.hdf5``, OpenGait's ``.pt``, GaitGraph2's ``.ckpt``, GaitGraph's and SelfGait's
    ``.pth`` (or arrays by these names as ``.npz``); SGE's ``trained_model.ckpt`` of TensorFlow 1, several
    files whose names begin so, in the published folders (see `sge_from_tf1`).

    Args:
        path: the file; of TensorFlow 1 how the names of its files begin, or their folder.
        method: the name of the system that the weights must be of, where they are by name.
        options: what a published file of weights alone does not tell, see `attengait_from_weights` and
            `model_from_state`.

    Returns:
        A `keras.Model`, not compiled; ``model.encoder`` maps clips to embeddings.

    Raises:
        GaitError: no such file, not a model, or weights that do not fit.
    """
    path = Path(path)
    if is_tf1_checkpoint(path) or (path / "checkpoint").is_file():
        if method not in (None, "sge"):
            raise GaitError(f"{path} is a checkpoint of TensorFlow 1, SGE's, not of {method}")
        return sge_from_tf1(find_prefix(path))
    if not path.is_file():
        raise GaitError(f"no model file at {path}")
    if path.suffix in PUBLISHED:
        return _load_published(path, method, options)
    if zipfile.is_zipfile(path) or (h5py.is_hdf5(path) and _is_ours(path)):
        return _load_ours(path)
    if h5py.is_hdf5(path):
        weights, config = read_weights(path)
        try:
            return attengait_from_weights(weights, config, **options)
        except GaitError as error:
            raise GaitError(f"{path}: {error}") from error
    raise GaitError(
        f"{path} is not a model: expected a .keras file, Keras HDF5 (.hdf5, .h5), or {', '.join(PUBLISHED)}"
    )


def _load_published(path, method, options):
    try:
        return model_from_state(path, method, **options)
    except GaitError as error:
        raise GaitError(str(error) if str(path) in str(error) else f"{path}: {error}") from error


def _load_ours(path):
    import keras_gait.models  # registers the classes that the file names

    try:
        model = keras.saving.load_model(path, compile=False)
    except (*DAMAGED_HDF5, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise GaitError(f"{path} does not open as a Keras model: {reason}") from error
    known = [name for name in keras_gait.models.__all__ if type(model).__name__ == name]
    if not known:
        raise GaitError(
            f"{path} holds a {type(model).__name__}, which is none of this package's models: "
            f"{', '.join(keras_gait.models.__all__)}"
        )
    return model


def _is_ours(path):
    """Whether Keras 3 wrote this HDF5 file; the published ones come from Keras 2."""
    try:
        with h5py.File(path, "r") as file:
            version = file.attrs.get("keras_version", "2")
    except DAMAGED_HDF5 as error:
        raise GaitError(f"{path} is a damaged HDF5 file; copy it again: {error}") from error
    return not str(version).startswith("2")
