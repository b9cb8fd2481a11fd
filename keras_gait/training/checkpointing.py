"""Save and restore the whole state of a training run, so that a stop at any moment costs no exactness."""

import time
import zipfile
from pathlib import Path

import keras
import numpy as np
from absl import logging as absl_logging
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.files import written_whole

STATE_FILE = "training-state.npz"
SECONDS_BETWEEN_SAVES = 60


def to_numpy(variable):
    """A variable's value as an array of its own; a mirrored one is read from its first device."""
    return np.array(ops.convert_to_numpy(ops.convert_to_tensor(variable)))


def save_state(model, path, epoch):
    """Write weights, optimizer and random state, with the number of epochs done, in one step.

    Raises:
        GaitError: a weight is infinite or NaN; the file stays as it was.
    """
    arrays = {f"{i:05d}": to_numpy(v) for i, v in enumerate(_variables(model))}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise not_finite("weights", Path(path).parent)
    with written_whole(path) as temporary:
        np.savez(temporary, epoch=epoch, **arrays)


def not_finite(what, folder):
    """The error of a run that has run away."""
    kept = "keeps the last good state" if (folder / STATE_FILE).exists() else "has no state saved before"
    return GaitError(f"the {what} became infinite or NaN; {folder} {kept}. Lower --lr")


def restore_state(model, path):
    """Put a saved state back into a model that was built and compiled the same way -> epochs done.

    Raises:
        GaitError: the file is unreadable or belongs to another model.
    """
    variables = _variables(model)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [archive[f"{i:05d}"] for i in range(len(archive.files) - 1)]
            epoch = int(archive["epoch"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise GaitError(
            f"{path} is not a readable training state; delete it to start over: {error}"
        ) from error
    if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
        raise GaitError(f"{path} belongs to another model or optimizer; use another --prefix or delete it")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return epoch


def _variables(model):
    """Weights, random seeds and optimizer variables, in a fixed order; no metrics."""
    metrics = {id(v) for v in model.metrics_variables}
    return [v for v in model.variables if id(v) not in metrics] + list(model.optimizer.variables)


def product_of(learner):
    """The model that a training is for: the one trained, or what this calls its ``product``."""
    return getattr(learner, "product", learner)


def export(learner, *paths):
    """Save the model that was trained for use, in float32, without training state, to each path.

    ``.keras`` and ``.hdf5`` by the path's ending.
    """
    model = product_of(learner)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        plain = type(model).from_config(model.get_config())
    finally:
        keras.config.set_dtype_policy(policy)
    weights = [to_numpy(w) for w in model.weights]
    plain.set_weights(weights[: len(plain.weights)])
    verbosity = absl_logging.get_verbosity()
    absl_logging.set_verbosity(absl_logging.ERROR)  # Keras warns of every .hdf5, which users ask for
    for path in paths:
        with written_whole(path) as temporary:
            plain.save(temporary)
    absl_logging.set_verbosity(verbosity)


class SaveState(keras.callbacks.Callback):
    """Keep `STATE_FILE` fresh, and a model every ``save_epoch`` epochs as ``model-state-NNNN.keras``.

    The state is written at the end of an epoch, at most once a minute and at every ``save_epoch``.
    """

    def __init__(self, folder, save_epoch):
        super().__init__()
        self.folder, self.save_epoch = Path(folder), save_epoch
        self._saved_at = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        milestone = done % self.save_epoch == 0
        if self.model.stop_training:  # the loss is NaN
            return
        if milestone or time.monotonic() - self._saved_at > SECONDS_BETWEEN_SAVES:
            save_state(self.model, self.folder / STATE_FILE, done)
            self._saved_at = time.monotonic()
        if milestone:
            export(self.model, self.folder / f"model-state-{done:04d}.keras")


class KeepState(keras.callbacks.Callback):
    """Start ``fit`` from the state that the model has now: on PyTorch, ``fit`` first runs the model once to
    build it, which draws from its random seeds.
    """

    def __init__(self, model):
        super().__init__()
        self._before = [to_numpy(v) for v in _variables(model)]

    def on_train_begin(self, logs=None):
        for variable, value in zip(_variables(self.model), self._before, strict=True):
            variable.assign(value)


class History(keras.callbacks.Callback):
    """One row an epoch in ``history.csv``: losses, their sum, learning rate.

    Args:
        path: the file; rows from ``done`` on are dropped, for these epochs will be run again.
        done: epochs done before.
        also: names of values that come in some epochs only.
    """

    def __init__(self, path, done, also=()):
        super().__init__()
        self.path, self.also = Path(path), tuple(also)
        rows = self.path.read_text().splitlines() if self.path.exists() else []
        self._lines = rows[:1] + [row for row in rows[1:] if int(row.split(",")[0]) < done]

    def on_epoch_end(self, epoch, logs=None):
        logs = logs | {"learning_rate": float(to_numpy(self.model.optimizer.learning_rate))}
        if not self._lines:
            self._lines.append(",".join(["epoch", *dict.fromkeys((*logs, *self.also))]))
        names = self._lines[0].split(",")[1:]
        self._lines.append(",".join([str(epoch), *(self._text(name, logs) for name in names)]))
        with written_whole(self.path) as temporary:
            temporary.write_text("\n".join(self._lines) + "\n")

    def _text(self, name, logs):
        """A value; all digits of those by which a run that goes on must judge as one that was not stopped."""
        if name not in logs:
            return ""
        return repr(float(logs[name])) if name in self.also else f"{logs[name]:.6g}"
