"""Batches of pose sequences: chosen frames of all sequences, augmented as one array."""

from dataclasses import dataclass

import numpy as np

from keras_gait.data.pipeline import Batches
from keras_gait.vision.pose_sequences import check_poses

BLOCK = 32  # sequences that are augmented at once: some hundred kilobytes, which stay in a processor's cache


@dataclass
class PoseBatches(Batches):
    """Batches by number: ``batches[n]`` is the n-th of a training run.

    Args:
        dataset: the sequences, of modality "pose", see `keras_gait.data.dataset`.
        labels: class index of every sequence, ``(n,)`` int.
        sampler: a `ShuffledSampler` or `PKSampler` over the same sequences.
        clips: a `PoseSampling`.
        augment: applied to a batch, ``augment(poses (B, L, V, 3), rng)``, or None.
        views: how often each sequence of a batch is in it, each time with draws of its own: first all
            sequences once, then all again.
        label_outputs: names of the model's outputs that the labels are for.
    """

    dataset: object
    labels: np.ndarray
    sampler: object
    clips: object
    augment: object = None
    views: int = 1
    label_outputs: tuple = ("embeddings",)

    classes = 0  # no classifier
    batch_dtype = np.dtype("float32")

    def __getitem__(self, number):
        """``(poses (views * batch, L, V, 3) float32, labels int32, None)``."""
        rng = self.sampler.rng(number)
        sequences = np.tile(self.sampler.sequences(number, rng), self.views)
        return self.read(sequences, rng), self.labels[sequences].astype(np.int32), None

    def read(self, sequences, rng):
        """Chosen frames of these sequences, augmented: ``(B, L, V, 3)`` float32."""
        frames = self.clips.indices(self._counts(sequences), rng)
        poses = np.empty((*frames.shape, *self.dataset.frame_shape), np.float32)
        for first in range(0, len(poses), BLOCK):
            block = slice(first, first + BLOCK)
            some = self._read(sequences[block], frames[block])
            poses[block] = some if self.augment is None else self.augment(some, rng)
        return poses

    def _counts(self, sequences):
        counts = self.dataset.frames[sequences]
        if not counts.all():
            check_poses([], self._name(sequences[counts.argmin()]))
        return counts

    def _read(self, sequences, frames):
        """These ``frames (B, L)`` of the sequences, ``(B, L, V, 3)``; one read for each sequence."""
        first = frames.min(axis=1)
        spans = frames.max(axis=1) + 1 - first
        rows = zip(sequences.tolist(), first.tolist(), spans.tolist(), strict=True)
        poses = np.concatenate([self.dataset.read(i, start, count) for i, start, count in rows])
        starts = np.cumsum(spans) - spans
        poses = poses[frames + (starts - first)[:, None]]
        if not np.isfinite(poses).all():
            broken = np.flatnonzero(~np.isfinite(poses).all(axis=(1, 2, 3)))[0]
            check_poses(self.dataset.read(int(sequences[broken])), self._name(sequences[broken]))
        return poses

    def _name(self, i):
        labels = (getattr(self.dataset, key)[i] for key in ("subject", "condition", "view", "video"))
        return f"{self.dataset.path}: sequence {'/'.join(filter(None, map(str, labels)))}"
