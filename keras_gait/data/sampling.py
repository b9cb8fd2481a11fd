"""Sampling: which sequences, and which of their frames, make up the n-th batch.

Every draw hangs on the seed and the batch's number alone, so a run that goes on after a stop sees the
very batches that it would have seen.
"""

from dataclasses import dataclass

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.vision.pose_sequences import padded_indices

MIN_FRAMES = 16  # shortest clip that `varying_length` draws


@dataclass(frozen=True)
class ClipSampling:
    """How a clip is cut out of a sequence.

    Args:
        frames: frames of a clip.
        shuffled: draw frames without order instead of consecutive ones.
        varying_length: draw the clips' length anew for each batch, from 16 to ``frames - 1``.
        repeat: loop sequences shorter than the clip instead of leaving them out.
    """

    frames: int = 30
    shuffled: bool = False
    varying_length: bool = False
    repeat: bool = False

    def __post_init__(self):
        if self.varying_length and self.frames <= MIN_FRAMES:
            raise GaitError(
                f"clips of varying length need more than {MIN_FRAMES} frames to vary below. Received: "
                f"sampler.frames {self.frames}"
            )

    def usable(self, lengths):
        """Which sequences of these lengths can give a clip."""
        return np.ones(len(lengths), bool) if self.repeat else lengths >= self.frames

    def length(self, rng):
        """The clip length of one batch."""
        return int(rng.integers(MIN_FRAMES, self.frames)) if self.varying_length else self.frames

    padded = False  # all clips of a batch are equally long

    def lengths(self, count, rng):
        """The lengths of a batch's ``count`` clips."""
        return [self.length(rng)] * count

    def frames_of(self, available, length, rng):
        """Indices of a clip's frames in a sequence of ``available`` frames, ``(length,)``."""
        if self.shuffled:
            order = rng.permutation(available)
            return np.resize(order, length) if available < length else order[:length]
        if available < length:
            return (rng.integers(available) + np.arange(length)) % available
        return rng.integers(available - length + 1) + np.arange(length)


@dataclass(frozen=True)
class FrameSampling:
    """How many and which frames of a sequence train, as OpenGait's collate function draws them.

    Ordered: a window of ``frames + skip`` consecutive frames from any start, of which ``skip`` are left out
    at random; a shorter sequence is looped first. Unordered: any frames in any order, each at most once where
    the sequence is long enough.

    Args:
        frames: frames of a clip.
        skip: frames left out of an ordered window.
        ordered: as above.
        limits: ``(least, most)`` frames, drawn for each sequence anew, instead of ``frames``; None for a
            fixed number.
    """

    frames: int = 30
    skip: int = 4
    ordered: bool = True
    limits: tuple | None = None

    def __post_init__(self):
        if self.limits is not None and self.limits[0] > self.limits[1]:
            raise GaitError(
                "sampler.frames_min must not exceed sampler.frames_max. Received: "
                f"{self.limits[0]} and {self.limits[1]}"
            )

    @property
    def padded(self):
        """Whether the sequences of a batch differ in length."""
        return self.limits is not None

    def usable(self, lengths):
        """Which sequences of these lengths can give a clip: all that have a frame."""
        return np.asarray(lengths) > 0

    def lengths(self, count, rng):
        """The lengths of a batch's ``count`` clips."""
        if self.limits is None:
            return [self.frames] * count
        return rng.integers(*self.limits, count, endpoint=True).tolist()

    def frames_of(self, available, length, rng):
        """Indices of a clip's frames in a sequence of ``available`` frames, ``(length,)``."""
        if not self.ordered:
            return rng.choice(available, length, replace=available < length)
        window = length + self.skip
        loops = -(-window // available)
        start = rng.integers(available * loops - window + 1)
        kept = np.sort(rng.choice(window, length, replace=False))
        return (start + kept) % available


@dataclass(frozen=True)
class PoseSampling:
    """Which frames of pose sequences train, for a whole batch at once (GaitGraph2's transforms).

    Sequences of ``frames`` or fewer are padded with their own frames in reversed order; of a longer one, any
    ``frames`` in a row but the very last that there are, as published.

    Args:
        frames: frames of every sequence in a batch.
        flip_sequence: probability that a sequence runs backwards (before it is cut).
        shuffled: the frames chosen come in any order.
    """

    frames: int = 60
    flip_sequence: float = 0.5
    shuffled: bool = False

    def __post_init__(self):
        if not 0 <= self.flip_sequence <= 1:
            raise GaitError(
                "augmentation.flip_sequence must be a probability from 0 to 1. Received: "
                f"{self.flip_sequence}"
            )

    def indices(self, counts, rng):
        """Frames of sequences with ``counts (B,)`` frames each: ``(B, frames)`` int64."""
        counts = np.asarray(counts, np.int64)
        backwards = (rng.random(len(counts)) < self.flip_sequence)[:, None]
        starts = rng.integers(np.maximum(counts - self.frames, 1))[:, None]
        cut = starts + np.arange(self.frames)
        cut = np.where(backwards, counts[:, None] - 1 - cut, cut)
        padded = padded_indices(np.minimum(counts, self.frames), self.frames)
        padded = np.where(backwards, padded[:, ::-1], padded)
        chosen = np.where(counts[:, None] > self.frames, cut, padded)
        return rng.permuted(chosen, axis=1) if self.shuffled else chosen


class PKSampler:
    """Batches of ``p`` subjects with ``k`` sequences each, drawn with replacement.

    A pass goes through all subjects in random order and drops the rest that does not fill a batch.

    Args:
        labels: subject label of every sequence, ``(n,)`` int.
        p: subjects a batch, over all devices together.
        k: sequences a subject.
        seed: of every draw.
    """

    def __init__(self, labels, p, k, seed):
        self.p, self.k, self.seed = p, k, seed
        self.batch_size = p * k
        order = np.argsort(labels, kind="stable")
        self.subjects, starts = np.unique(labels[order], return_index=True)
        self._members = np.split(order, starts[1:])
        if len(self.subjects) < p:
            raise GaitError(
                f"a batch of {p} subjects was asked for, but the data has {len(self.subjects)} subjects with "
                f"usable sequences. Use --p {len(self.subjects)} or less (per GPU)"
            )

    @property
    def steps_per_epoch(self):
        return -(-len(self.subjects) // self.p)

    def rng(self, number):
        """The random generator of batch ``number``, for whatever else that batch draws."""
        return np.random.default_rng([self.seed, 1, number])

    def sequences(self, number, rng):
        """Sequence indices of batch ``number``, ``(p * k,)``, subject after subject."""
        per_pass = len(self.subjects) // self.p
        which_pass, place = divmod(number, per_pass)
        order = np.random.default_rng([self.seed, 0, which_pass]).permutation(len(self.subjects))
        chosen = order[place * self.p : (place + 1) * self.p]
        return np.concatenate([rng.choice(self._members[subject], self.k) for subject in chosen])


class TripletSampler(PKSampler):
    """Batches as OpenGait draws them: ``p`` subjects anew for each batch, without passes.

    A subject's ``k`` sequences differ where it has that many. Arguments as for `PKSampler`.
    """

    def sequences(self, number, rng):
        chosen = rng.choice(len(self.subjects), self.p, replace=False)
        return np.concatenate(
            [rng.choice(m, self.k, replace=len(m) < self.k) for m in (self._members[s] for s in chosen)]
        )


class ShuffledSampler:
    """All sequences in random order, pass after pass; what is left at a pass's end is a smaller batch.

    Args:
        labels: subject label of every sequence, ``(n,)``; only their number counts.
        batch_size: sequences of a full batch, over all devices together.
        seed: of every draw.
        multiple: the last batch is cut to a multiple of this, so that it divides among so many devices.
    """

    def __init__(self, labels, batch_size, seed, multiple=1):
        self.total, self.batch_size, self.seed = len(labels), batch_size, seed
        if batch_size < 1 or batch_size % multiple:
            raise GaitError(
                f"a batch must be a number of sequences that divides among {multiple} devices. Received: "
                f"sampler.batch_size {batch_size}"
            )
        self.used = self.total - self.total % batch_size % multiple  # of a pass
        self._known = None, None  # a pass and its order; one value, since several threads ask
        if not self.used:
            raise GaitError(
                f"the data has {len(labels)} usable sequences, too few for {multiple} devices. Use fewer, or "
                "more data"
            )

    @property
    def steps_per_epoch(self):
        return -(-self.used // self.batch_size)

    def rng(self, number):
        """The random generator of batch ``number``, for whatever else that batch draws."""
        return np.random.default_rng([self.seed, 1, number])

    def sequences(self, number, rng):
        """Sequence indices of batch ``number``, at most ``(batch_size,)``."""
        which_pass, place = divmod(number, self.steps_per_epoch)
        order = self.order(which_pass)[: self.used]
        return order[place * self.batch_size : (place + 1) * self.batch_size]

    def order(self, which_pass):
        """All sequences in the order of a pass, ``(n,)``; kept until another pass is asked for."""
        known, order = self._known
        if known != which_pass:
            order = np.random.default_rng([self.seed, 0, which_pass]).permutation(self.total)
            self._known = which_pass, order
        return order


class FixedOrderSampler(ShuffledSampler):
    """All sequences in one random order, the same in every pass; what fills no batch is left out.

    So the recognition network of SGE is trained. Arguments as for `ShuffledSampler`.
    """

    def __init__(self, labels, batch_size, seed):
        super().__init__(labels, batch_size, seed)
        self.used = self.total - self.total % batch_size
        if not self.used:
            raise GaitError(
                f"the data has {self.total} rows, too few for a batch of {batch_size}: use more, a smaller "
                "batch, or sampler.published false"
            )

    def order(self, which_pass):
        return super().order(0)


class ConsecutiveSampler:
    """All sequences in their order, pass after pass: neighbours in time stay neighbours in a batch.

    Args:
        total: how many sequences there are.
        batch_size: sequences of a full batch, over all devices together; at least 2.
        published: leave out what fills no batch at the end. Else it is a smaller batch, or joins the one
            before if it is a single sequence, which has no neighbour.
    """

    def __init__(self, total, batch_size, published=False):
        if batch_size < 2:
            raise GaitError(
                "a batch of consecutive sequences needs two or more, which are compared. Received: "
                f"sampler.batch_size {batch_size}"
            )
        least = batch_size if published else 2
        if total < least:
            raise GaitError(
                f"the data has {total} sequences, but {least} are needed to fill a batch. Use more data, a "
                "smaller sampler.batch_size, or sampler.published false"
            )
        self.total, self.batch_size, self.published = total, batch_size, published
        self.steps_per_epoch = total // batch_size + (not published and total % batch_size > 1)

    def sequences(self, number, rng=None):
        """Sequence indices of batch ``number``, ``(batch_size,)`` but for the last of a pass."""
        place = number % self.steps_per_epoch
        last = place == self.steps_per_epoch - 1 and not self.published
        first = place * self.batch_size
        return np.arange(first, self.total if last else first + self.batch_size)
