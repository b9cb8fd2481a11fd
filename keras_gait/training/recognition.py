"""SGE's recognition network: features of trained encoders on disk, who they are of (spec, section 8)."""

from typing import NamedTuple

import keras
import numpy as np

from keras_gait.data.feature_batches import FeatureBatches
from keras_gait.data.skeletons.published import published_rows
from keras_gait.evaluation.embedding import embed
from keras_gait.evaluation.identification import published_windows
from keras_gait.files import written_whole
from keras_gait.models.sge import recognition_network
from keras_gait.training.plateau import rows_before
from keras_gait.training.stage import seed_of, train_stage

BLOCK = 1024  # sequences scored at once
_SEED = 100  # place of this network among all that a run trains


class Features(NamedTuple):
    """Features ``(n, parts, dim)`` of some sequences and their classes ``(n,)``; condition of each, text."""

    values: np.ndarray
    labels: np.ndarray
    condition: np.ndarray


def features_of(model, dataset, labels, path, verbose):
    """`Features` of the sequences, a memory map of ``path``, which is made if it is not there yet."""
    if not path.exists():
        with written_whole(path) as temporary:
            title = path.stem if verbose else None
            embed(model, dataset, output=temporary, title=title)
    return Features(np.load(path, mmap_mode="r"), labels, dataset.condition)


def train_recognition(recipe, classes, training, judged, folder):
    """Train the network on `Features` -> dict of name to weights: "final", and "A", "B" (see `Selection`).

    Args:
        classes: how many.
        judged: `Features` by which the epoch is chosen, or None: the last epoch's weights are taken.
    """
    settings, train = recipe["recognition"], recipe["train"]
    seed = seed_of(train["seed"], _SEED)
    keras.utils.set_random_seed(seed)
    batch_size, published = settings["batch_size"], recipe["sampler"]["published"]
    taken = published_rows(training.labels, recipe["sampler"]["batch_size"], True) if published else None
    batches = FeatureBatches(training.values, training.labels, batch_size, seed, published, taken)
    network = recognition_network(training.values.shape[-1], classes, recipe["model"]["hidden"])
    network = keras.Model(network.input, {"logits": network.output}, name="recognition")
    optimizer = keras.optimizers.Adam(settings["learning_rate"], epsilon=1e-8)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer, loss={"logits": crossentropy})
    selection = Selection(recipe, judged, folder)

    def make_callbacks(done):
        selection.recall(done)
        return [selection]

    train_stage(network, batches, folder, settings["epochs"], train, make_callbacks)
    return selection.chosen() or {"final": network.get_weights()}


class Selection(keras.callbacks.Callback):
    """Keeps the weights of the epoch that tells most of the ``judged`` sequences right.

    Of equal epochs the last. Where they are IAS's two test sets, as published: "A" and "B" are kept when
    theirs improves, "final" when one of them does and their sum is above the sum of the best before.

    Weights of the epoch are in ``best-<name>.npz`` of the folder.
    """

    def __init__(self, recipe, judged, folder):
        super().__init__()
        self.recipe, self.judged, self.folder = recipe, judged, folder
        self.parts = {}
        if judged is not None:
            two = recipe["train"]["selection"] == "published" and set(judged.condition) == {"A", "B"}
            names = ("A", "B") if two else ("",)
            self.parts = (
                {name: np.flatnonzero(judged.condition == name) for name in names}
                if two
                else {"": np.arange(len(judged.labels))}
            )
        self.logged = tuple(_column(name) for name in self.parts)
        self.best = dict.fromkeys(self.parts, -1.0)

    def recall(self, done):
        """Know the best of the epochs ``done`` before, from ``history.csv``."""
        for row in rows_before(self.folder / "history.csv", done):
            self.improved({name: float(row[_column(name)]) for name in self.parts})

    def on_epoch_end(self, epoch, logs=None):
        found = {name: self.accuracy(rows) for name, rows in self.parts.items()}
        logs.update({_column(name): value for name, value in found.items()})
        for name in self.improved(found):
            with written_whole(self._file(name)) as temporary:
                np.savez(temporary, *self.model.get_weights())
        if self.recipe["train"]["verbose"]:
            judged = "test" if self.recipe["train"]["selection"] == "published" else "validation"
            told = "".join(
                f", {judged} {_column(name).replace('_', ' ')} {value:.4f}" for name, value in found.items()
            )
            epochs = self.recipe["recognition"]["epochs"]
            print(f"recognition epoch {epoch + 1}/{epochs}: loss {logs['loss']:.4f}{told}")

    def improved(self, found):
        """Which weights are to be kept after an epoch of these accuracies, by name."""
        better = [name for name, value in found.items() if value > self.best[name]]
        if "" in found:
            kept = ["final"] if found[""] >= self.best[""] else []
        else:
            whole = better and sum(found.values()) > sum(self.best.values())
            kept = better + ["final"] * bool(whole)
        self.best |= {name: found[name] for name in better}
        return kept

    def accuracy(self, rows):
        """Share of these judged sequences that are told right, by the mean logits over their parts."""
        published = self.recipe["sampler"]["published"]
        labels, parts = self.judged.labels[rows], self.judged.values.shape[1]
        if published:
            order = published_rows(labels, self.recipe["sampler"]["batch_size"], False)
            rows, labels = rows[order], labels[order]
        scores = np.concatenate(
            [self._scores(rows[first : first + BLOCK]) for first in range(0, len(rows), BLOCK)]
        )
        if published:
            flat = scores.reshape(-1, scores.shape[-1])
            means, labels = published_windows(flat, np.repeat(labels, parts), 128, parts)
        else:
            means = scores.mean(axis=1)
        return float(np.mean(means.argmax(axis=1) == labels))

    def _scores(self, rows):
        values = np.asarray(self.judged.values[rows])
        logits = self.model.predict_on_batch(values.reshape(-1, values.shape[-1]))["logits"]
        return np.asarray(logits).reshape(*values.shape[:2], -1)

    def chosen(self):
        """Name -> weights that were kept."""
        names = [name for name in ("final", *self.parts) if name]
        return {name: _arrays(self._file(name)) for name in names if self._file(name).exists()}

    def _file(self, name):
        return self.folder / f"best-{name}.npz"


def _column(name):
    return f"accuracy_{name}" if name else "accuracy"


def _arrays(path):
    with np.load(path, allow_pickle=False) as archive:
        return [archive[name] for name in archive.files]
