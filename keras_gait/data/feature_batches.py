"""Batches of rows of features that lie in a file, for a network that is trained on features."""

import numpy as np

from keras_gait.data.pipeline import Batches
from keras_gait.data.sampling import FixedOrderSampler, ShuffledSampler
from keras_gait.errors import GaitError


class FeatureBatches(Batches):
    """Batches by number: ``batches[n]`` is the n-th of a training run. Only its own rows are read.

    Every part of every sequence is a row. Rows come in random order: a fresh one each pass, with a smaller
    batch at its end; or, ``published``, in one and the same, and without what fills no batch.

    Args:
        features: ``(n, parts, dim)`` float32, best a memory map of the file that `embed` wrote.
        labels: class of each sequence, ``(n,)`` int.
        batch_size: rows. seed: of the order. published: as above.
        sequences: indices of the sequences that take part, any of them more than once; None: all.
        label_outputs: names of the model's outputs that the labels are for.
    """

    classes = 0  # the labels are numbers, not one-hot
    batch_dtype = np.dtype("float32")

    def __init__(
        self,
        features,
        labels,
        batch_size=128,
        seed=0,
        published=False,
        sequences=None,
        label_outputs=("logits",),
    ):
        if features.ndim != 3 or len(features) != len(labels):
            raise GaitError(
                f"features of shape {tuple(features.shape)} do not go with {len(labels)} labels: expected "
                "(sequences, parts, numbers), made from the same data set. Delete them and run it again"
            )
        self.features, self.labels = features, np.asarray(labels, np.int32)
        self.taken = np.arange(len(features)) if sequences is None else np.asarray(sequences)
        self.label_outputs = label_outputs
        self.example_shape = features.shape[2:]
        rows = range(len(self.taken) * features.shape[1])
        self.sampler = (FixedOrderSampler if published else ShuffledSampler)(rows, batch_size, seed)

    def __getitem__(self, number):
        """``(features (b, dim) float32, labels (b,) int32, None)``."""
        rows = self.sampler.sequences(number, None)
        place, part = np.divmod(rows, self.features.shape[1])
        sequences = self.taken[place]
        return np.asarray(self.features[sequences, part], np.float32), self.labels[sequences], None
