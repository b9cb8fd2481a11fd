"""Batches of views: consecutive frames of silhouettes, read once, augmented twice (SelfGait, section 2)."""

from dataclasses import dataclass

import numpy as np

from keras_gait.data.pipeline import Batches, read_clip
from keras_gait.errors import GaitError


@dataclass
class ViewBatches(Batches):
    """Batches by number: ``batches[n]`` is the n-th of a training run.

    Each batch draws a window of each of its sequences anew, and the views' augmentations independently.

    Args:
        dataset: sequences of silhouettes, uint8 of one channel, see `keras_gait.data.dataset`.
        labels: class index of every sequence, ``(n,)`` int.
        sampler: a `ShuffledSampler` or `PKSampler` over the same sequences.
        clips: a `ClipSampling`.
        augment: applied to a batch, ``augment(clips, rng)``, a `ViewAugmentation`; once for each view.
        views: 2, the model's inputs "view_1" and "view_2"; or 1, a model's only input.
        label_outputs: names of the model's outputs that the labels are for.
    """

    dataset: object
    labels: np.ndarray
    sampler: object
    clips: object
    augment: object
    views: int = 2
    label_outputs: tuple = ("labels",)

    classes = 0  # no classifier

    def __post_init__(self):
        *_, channels = self.dataset.frame_shape
        if self.dataset.dtype != np.uint8 or channels != 1:
            held = ", ".join(self.dataset.channels) or f"{channels} of {self.dataset.dtype}"
            raise GaitError(
                f"{self.dataset.path}: views are made of silhouettes, one channel of uint8; its channels are "
                f"{held}. Choose the silhouettes by data.channels, or give another data set"
            )

    @property
    def input_names(self):
        """ "view_1" and "view_2"; none where a model takes one view alone."""
        return ("view_1", "view_2") if self.views == 2 else ()

    @property
    def batch_dtype(self):
        return self.dataset.dtype

    def __getitem__(self, number):
        """``((view 1, view 2), labels, None)``: uint8 ``(batch, frames, height, width, 1)`` and int32
        ``(batch,)``. Where there is one view it stands in the place of the pair.
        """
        rng = self.sampler.rng(number)
        sequences = self.sampler.sequences(number, rng)
        length = self.clips.length(rng)
        counts = self.dataset.frames[sequences].tolist()
        windows = [self.clips.frames_of(count, length, rng) for count in counts]
        rows = zip(sequences.tolist(), windows, strict=True)
        clips = np.stack([read_clip(self.dataset, i, frames) for i, frames in rows])
        views = tuple(self.augment(clips, rng) for _ in range(self.views))
        return views if self.views == 2 else views[0], self.labels[sequences].astype(np.int32), None
