"""The training stream: P x K batches of clips and targets as a ``tf.data`` pipeline."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from keras_gait.data.augmentation import mix_batch
from keras_gait.errors import GaitError


@dataclass
class ClipBatches:
    """Batches by number: ``batches[n]`` is the n-th of a training run.

    Args:
        dataset: the sequences, see `keras_gait.data.dataset`.
        labels: class index of every sequence, ``(n,)`` int.
        classes: how many; 0 for triplet training without a classifier.
        sampler: a `PKSampler` over the same sequences.
        clips: a `ClipSampling`.
        mixing: keyword arguments of `mix_batch`, or None for no mixing.
        transform: applied to a batch's frames ``(batch, frames, height, width, channels)``, or None; it keeps
            their shape and dtype.
    """

    dataset: object
    labels: np.ndarray
    classes: int
    sampler: object
    clips: object
    mixing: dict | None = None
    transform: object = None
    failure: GaitError | None = None  # what went wrong in a background read

    def __getitem__(self, number):
        """``(clips, labels, targets)``: uint8 or float32 frames, int32 ``(batch,)``, one-hot or mixed."""
        rng = self.sampler.rng(number)
        sequences = self.sampler.sequences(number, rng)
        length = self.clips.length(rng)
        clips = np.stack([self._clip(i, length, rng) for i in sequences])
        if self.transform is not None:
            clips = self.transform(clips)
        labels = self.labels[sequences]
        targets = np.eye(self.classes, dtype=np.float32)[labels] if self.classes else None
        if self.mixing is not None and self.classes:
            clips, targets = mix_batch(clips, targets, rng, **self.mixing)
        return clips, labels.astype(np.int32), targets

    def _clip(self, i, length, rng):
        frames = self.clips.frames_of(int(self.dataset.frames[i]), length, rng)
        first, count = int(frames.min()), int(np.ptp(frames)) + 1
        return self.dataset.read(i, first, count)[frames - first]

    @contextmanager
    def own_errors(self):
        """Within, a read that fails raises its own `GaitError`, not the wrapping that tf.data gives it."""
        import tensorflow as tf

        try:
            yield
        except tf.errors.OpError:
            if self.failure is None:
                raise
            raise self.failure from None

    def to_tf_data(self, first=0, parallel=2):
        """An endless ``tf.data.Dataset`` of ``(clips, {"embeddings": labels, "logits": targets})``.

        Batches come in order from number ``first``, whatever the parallel reads finish first.
        """
        import tensorflow as tf

        mixed = self.mixing is not None and self.classes
        types = (tf.float32 if mixed else self.dataset.dtype, tf.int32, tf.float32)

        def read(number):
            try:
                clips, labels, targets = self[int(number)]
            except GaitError as error:
                self.failure = error
                raise
            return clips, labels, targets if self.classes else np.zeros((len(labels), 0), np.float32)

        def shape(clips, labels, targets):
            clips.set_shape((None, None, *self.dataset.frame_shape))
            labels.set_shape((None,))
            targets.set_shape((None, self.classes))
            wanted = {"embeddings": labels}
            return clips, wanted | ({"logits": targets} if self.classes else {})

        numbers = tf.data.Dataset.range(first, np.iinfo(np.int64).max)
        batches = numbers.map(
            lambda n: tf.numpy_function(read, [n], types),
            num_parallel_calls=parallel,
            deterministic=True,
        )
        return batches.map(shape).prefetch(2)
