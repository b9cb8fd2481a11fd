"""Batches of one axis of consecutive skeleton windows, for a pretext task."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keras_gait.data.pipeline import Batches
from keras_gait.data.skeletons.checks import check_axis, check_finite, check_windows
from keras_gait.data.skeletons.pretext import check_task, following, frame_orders, pretext


@dataclass
class SkeletonBatches(Batches):
    """Batches by number: ``batches[n]`` is the n-th of a training run.

    Args:
        dataset: the windows in file order, of modality "skeleton", see `keras_gait.data.dataset`.
        axis: 0, 1, 2 for x, y, z.
        task: "rev_rec", "prediction" or "sorting", see `keras_gait.data.skeletons.pretext`.
        sampler: a `ConsecutiveSampler` over the same windows, or over the first of them alone.
        recordings: of each window, ``(n,)`` int, see `keras_gait.data.skeletons.recordings`.
        seed: of the frames' order in "sorting": one draw for each window, axis and run.
        pairs: what "prediction" predicts, "published" or "recordings", see `following`.
        label_outputs: names of the model's outputs that the recordings are for.
    """

    dataset: object
    axis: int
    task: str
    sampler: object
    recordings: np.ndarray
    seed: int = 0
    pairs: str = "published"
    label_outputs: tuple = ("errors", "projection")

    input_names = ("skeletons", "targets")
    classes = 0  # no classifier
    batch_dtype = np.dtype("float32")

    def __post_init__(self):
        check_axis(self.axis)
        check_task(self.task)
        self.example_shape = (check_windows(self.dataset), self.dataset.frame_shape[0])
        self._nexts = following(self.recordings, self.pairs)

    def __getitem__(self, number):
        """``((inputs, targets), recordings, None)``: twice ``(b, f, J)`` float32, and int32 ``(b,)``."""
        rows = self.sampler.sequences(number)
        if self.task == "prediction":
            wanted, places = np.unique([rows, self._nexts[rows]], return_inverse=True)
            windows, nexts = self._read(wanted)[places.reshape(2, -1)]
            pair = pretext(self.task, windows, nexts=nexts)
        elif self.task == "sorting":
            pair = pretext(self.task, self._read(rows), orders=self._orders[rows])
        else:
            pair = pretext(self.task, self._read(rows))
        return pair, self.recordings[rows].astype(np.int32), None

    def _read(self, rows):
        windows = self.dataset.read_many(rows)
        check_finite(windows, self.dataset, rows)
        return np.ascontiguousarray(windows[..., self.axis], np.float32)

    @cached_property
    def _orders(self):
        return frame_orders(len(self.dataset), self.example_shape[0], self.seed, self.axis)
