"""What an encoder that learns without labels is worth while it learns: its embeddings, as they are."""

import keras
import numpy as np

from keras_gait.evaluation.collapse import effective_rank, spread
from keras_gait.evaluation.embedding import embed
from keras_gait.evaluation.linear_probe import linear_probe, nearest_is_right, odd_walks
from keras_gait.files import write_whole
from keras_gait.training.checkpointing import export, product_of
from keras_gait.training.devices import undistributed

SEQUENCES = 256  # of the training set that are looked at, at most, where no people are held out


class FrozenEvaluation(keras.callbacks.Callback):
    """Before training and every ``every`` epochs: who is recognised by the embeddings, and their spread.

    ``knn``: share of sequences whose nearest one is of the same person, among those of another view and
    another walk, as CASIA-B's protocol compares (of another walk, where nobody has both). ``linear``: of the
    even walks named right by a logistic regression on the odd ones. ``embedding_std``, ``embedding_rank``:
    see `keras_gait.evaluation.collapse`; 0 is collapse.
    The first two are for people who do not train; without any, the other two are of training sequences.
    What the data do not give is left out, which is said before training begins. The encoder as it was is
    kept as ``model-state-0000.keras``, its figures as ``before-training.csv``.

    Args:
        folder: of the run. done: epochs done before.
        dataset: the sequences that are looked at.
        held_out: whether their people do not train.
    """

    def __init__(self, folder, done, dataset, every, verbose, held_out=True):
        super().__init__()
        dataset = dataset.select(dataset.frames > 0)
        if not held_out and len(dataset) > SEQUENCES:
            dataset = dataset.select(np.linspace(0, len(dataset) - 1, SEQUENCES).astype(int))
        self.folder, self.done, self.every, self.verbose = folder, done, every, verbose
        self.dataset, self.held_out = dataset, held_out
        self.measures, self.missing = measures_of(dataset, held_out)
        self.logged = tuple(self.measures)

    def on_train_begin(self, logs=None):
        if self.verbose:
            for line in self.missing:
                print(line)
        if self.done == 0:
            export(self.model, self.folder / "model-state-0000.keras")
        if self.done == 0 and self.measures:
            figures = self.measure()
            rows = [",".join(map(str, row)) for row in (figures, figures.values())]
            write_whole(self.folder / "before-training.csv", "\n".join(rows) + "\n")
            self._tell("before training", figures)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every or self.model.stop_training or not self.measures:
            return
        figures = self.measure()
        logs.update(figures)
        self._tell(f"epoch {epoch + 1}", figures)

    def measure(self):
        """The figures of the encoder as it is now, ``{name: value}``."""
        with undistributed():
            embeddings = embed(product_of(self.model), self.dataset)
        return {name: measure(embeddings) for name, measure in self.measures.items()}

    def _tell(self, when, figures):
        if self.verbose:
            which = "held out" if self.held_out else "of the training set"
            found = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
            print(f"\n{when}, {len(self.dataset)} sequences {which}: {found}")


def measures_of(dataset, held_out):
    """The figures that a data set gives, ``{name: function of embeddings}``, and lines on what is missing.

    Args:
        held_out: whether its people do not train, so that telling them apart means something.
    """
    spreads = {"embedding_std": spread, "embedding_rank": effective_rank}
    if len(dataset) < 2:
        return {}, [f"{len(dataset)} usable sequences of {dataset.path}: the embeddings are not evaluated"]
    if not held_out:
        line = (
            "nobody is held out (train.validation_subjects 0): whether people are recognised is not "
            f"measured, only the spread of the embeddings of {len(dataset)} training sequences"
        )
        return spreads, [line]
    labels, neither = dataset.labels, "neither nearest neighbours (knn) nor a linear probe (linear)"
    training = odd_walks(labels, dataset.types)
    if len(dataset.subjects) < 2:
        return spreads, [f"one person alone of those held out has usable sequences: {neither}"]
    if training.all():
        return spreads, [f"no person held out has two walks: {neither}"]
    apart = _apart(dataset)

    def knn(embeddings):
        return nearest_is_right(embeddings, labels, apart)

    def linear(embeddings):
        return linear_probe(embeddings, labels, training)

    return {"knn": knn, "linear": linear} | spreads, []


def _apart(dataset):
    """What two sequences that are compared must not share, ``(n, k)``: walk and, if possible, view."""
    walks = np.char.add(np.char.add(dataset.subject, "/"), dataset.types)
    apart = np.stack([walks, dataset.view], axis=1)
    for label in range(len(dataset.subjects)):
        own = apart[dataset.labels == label]
        if (own[:, None] != own).all(axis=2).any():
            return apart
    return apart[:, :1]
