"""P x K sampling of clips: which sequences, and which of their frames, make up the n-th batch.

Every draw hangs on the seed and the batch's number alone, so a run that goes on after a stop sees the
very batches that it would have seen.
"""

from dataclasses import dataclass

import numpy as np

from keras_gait.errors import GaitError

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
