"""Validation on subjects held out of training: by their distances, for they are of no known class."""

import csv

import keras
import numpy as np

from keras_gait.errors import GaitError
from keras_gait.evaluation.embedding import embed
from keras_gait.losses import contrastive
from keras_gait.training.checkpointing import export, to_numpy
from keras_gait.training.devices import undistributed


def held_out(dataset, subjects):
    """Which sequences, ``(n,)`` bool, are of the last ``subjects`` subjects.

    Raises:
        GaitError: one subject held out, which makes no pairs, or fewer than two left to train on.
    """
    known = len(dataset.subjects)
    if subjects and not 2 <= subjects <= known - 2:
        raise GaitError(
            f"train.validation_subjects {subjects} of the {known} subjects of {dataset.path} leaves "
            f"{max(known - subjects, 0)} to train on. At least 2 must train and 2 be held out (or 0 for none)"
        )
    return dataset.labels >= known - subjects


class Validation(keras.callbacks.Callback):
    """Every ``every`` epochs: loss and contrast of held-out sequences, and the best model so far.

    Sequences are embedded as in evaluation, then compared in batches of fixed random composition.
    ``val_loss`` and ``val_contrastive`` are the means over batches; the model with the lowest ``val_loss`` is
    kept as ``model-best.keras``.

    Args:
        folder: of the run; what its ``history.csv`` says of the epochs before ``done`` still counts.
        dataset: the sequences held out.
        loss: a function of labels and embeddings.
        batch_size: sequences compared with each other.
    """

    logged = ("val_loss", "val_contrastive")

    def __init__(self, folder, done, dataset, loss, batch_size, every, verbose):
        super().__init__()
        self.dataset, self.loss, self.every, self.verbose = dataset, loss, every, verbose
        self.file = folder / "model-best.keras"
        order = np.random.default_rng(len(dataset)).permutation(len(dataset))
        self.batches = np.array_split(order, -(-len(order) // batch_size))
        self.best = _best_before(folder / "history.csv", done)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every or self.model.stop_training:
            return
        with undistributed():
            embeddings = embed(self.model, self.dataset)
            values = np.mean([self._compare(embeddings, batch) for batch in self.batches], axis=0)
        logs.update(zip(self.logged, map(float, values), strict=True))
        if self.verbose:
            found = ", ".join(f"{name} {logs[name]:.4f}" for name in self.logged)
            print(f"\nepoch {epoch + 1}, {len(self.dataset)} sequences held out: {found}")
        if logs["val_loss"] < self.best:
            self.best = logs["val_loss"]
            export(self.model, self.file)

    def _compare(self, embeddings, batch):
        """Loss and contrast of these sequences."""
        labels, vectors = self.dataset.labels[batch], np.asarray(embeddings[batch])
        return [float(to_numpy(function(labels, vectors))) for function in (self.loss, contrastive)]


def _best_before(history, done):
    """The lowest ``val_loss`` of the epochs before ``done``."""
    if not history.exists():
        return float("inf")
    with history.open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < done and row.get("val_loss")]
    return min((float(row["val_loss"]) for row in rows), default=float("inf"))
