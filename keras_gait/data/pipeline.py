"""The training stream: batches of clips and targets as a ``tf.data`` pipeline."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from keras_gait.data.augmentation import mix_batch
from keras_gait.errors import GaitError


class Batches:
    """What all batches by number have in common: errors of background reads and the ``tf.data`` stream.

    ``batches[n]`` is the n-th of a training run: ``(clips, labels, targets)``, targets only where ``classes``
    is not 0. Subclasses have ``dataset``, ``sampler``, ``classes``, ``label_outputs`` and ``batch_dtype``.
    """

    frame_shape = None  # of the frames in a batch, where it is not the data set's
    example_shape = None  # of one of a batch's inputs, where it is not any number of such frames
    input_names = ()  # where a model has several inputs; ``clips`` is then a tuple of arrays of one shape
    failure = None  # the `GaitError` that went wrong in a background read

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
        """An endless ``tf.data.Dataset`` of ``(clips, {"embeddings": labels, "logits": targets})``, the
        labels by the names of ``label_outputs``, clips by those of ``input_names`` if there are any.

        Batches come in order from number ``first``, whatever the parallel reads finish first.
        """
        import tensorflow as tf

        inputs = max(1, len(self.input_names))
        types = (*[self.batch_dtype] * inputs, tf.int32, tf.float32)
        example_shape = self.example_shape or (None, *(self.frame_shape or self.dataset.frame_shape))

        def read(number):
            try:
                clips, labels, targets = self[int(number)]
            except GaitError as error:
                self.failure = error
                raise
            clips = clips if self.input_names else (clips,)
            return *clips, labels, targets if self.classes else np.zeros((len(labels), 0), np.float32)

        def shape(*batch):
            *clips, labels, targets = batch
            for each in clips:
                each.set_shape((None, *example_shape))
            clips = dict(zip(self.input_names, clips, strict=True)) if self.input_names else clips[0]
            labels.set_shape((None,))
            targets.set_shape((None, self.classes))
            wanted = dict.fromkeys(self.label_outputs, labels)
            return clips, wanted | ({"logits": targets} if self.classes else {})

        numbers = tf.data.Dataset.range(first, np.iinfo(np.int64).max)
        batches = numbers.map(
            lambda n: tf.numpy_function(read, [n], types),
            num_parallel_calls=parallel,
            deterministic=True,
        )
        return batches.map(shape).prefetch(2)


@dataclass
class ClipBatches(Batches):
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
        augment: applied to each sequence's frames, ``augment(frames, rng)``, or None.
        frame_shape: of the frames in a batch, where ``augment`` changes it.
        label_outputs: names of the model's outputs that the labels are for.

    Where clips differ in length (``clips.padded``), batches are int16 and the missing frames -1.
    """

    dataset: object
    labels: np.ndarray
    classes: int
    sampler: object
    clips: object
    mixing: dict | None = None
    transform: object = None
    augment: object = None
    frame_shape: tuple | None = None
    label_outputs: tuple = ("embeddings",)

    def __getitem__(self, number):
        """``(clips, labels, targets)``: frames of `batch_dtype`, int32 ``(batch,)``, one-hot or mixed."""
        rng = self.sampler.rng(number)
        sequences = self.sampler.sequences(number, rng)
        lengths = self.clips.lengths(len(sequences), rng)
        clips = [self._clip(i, length, rng) for i, length in zip(sequences, lengths, strict=True)]
        clips = pad(clips) if self.clips.padded else np.stack(clips)
        if self.transform is not None:
            clips = self.transform(clips)
        labels = self.labels[sequences]
        targets = np.eye(self.classes, dtype=np.float32)[labels] if self.classes else None
        if self._mixed:
            clips, targets = mix_batch(clips, targets, rng, **self.mixing)
        return clips, labels.astype(np.int32), targets

    def _clip(self, i, length, rng):
        clip = read_clip(self.dataset, i, self.clips.frames_of(int(self.dataset.frames[i]), length, rng))
        return clip if self.augment is None else self.augment(clip, rng)

    @property
    def _mixed(self):
        return self.mixing is not None and self.classes > 0

    @property
    def batch_dtype(self):
        """float32 where clips are mixed, int16 where they are padded, else the data set's."""
        if self._mixed:
            return np.dtype("float32")
        return np.dtype("int16") if self.clips.padded else self.dataset.dtype


def read_clip(dataset, i, frames):
    """These ``frames (T,)`` of sequence ``i``, in any order, by one read: ``(T, *frame_shape)``."""
    first, count = int(frames.min()), int(np.ptp(frames)) + 1
    return dataset.read(i, first, count)[frames - first]


def pad(clips):
    """Clips of different length as one int16 array ``(batch, longest, height, width, channels)``; -1 for
    the frames that are missing at their ends.
    """
    batch = np.full((len(clips), max(map(len, clips)), *clips[0].shape[1:]), -1, np.int16)
    for place, clip in zip(batch, clips, strict=True):
        place[: len(clip)] = clip
    return batch
