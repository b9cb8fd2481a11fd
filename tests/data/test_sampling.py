"""Sampling: which sequences, and which of their frames."""

import numpy as np
import pytest

from keras_gait.data.sampling import (
    ClipSampling,
    FrameSampling,
    PKSampler,
    PoseSampling,
    ShuffledSampler,
    TripletSampler,
)
from keras_gait.errors import GaitError
from keras_gait.vision.pose_sequences import pad_indices

LABELS = np.array([7, 3, 7, 5, 3, 9, 9, 9, 9, 1])  # five subjects with one to four sequences


def batch(sampler, number):
    return sampler.sequences(number, sampler.rng(number))


def test_a_batch_is_p_subjects_with_k_sequences_each():
    sampler = PKSampler(LABELS, p=2, k=3, seed=0)
    for number in range(10):
        subjects = LABELS[batch(sampler, number)].reshape(2, 3)
        assert (subjects == subjects[:, :1]).all()
        assert subjects[0, 0] != subjects[1, 0]


@pytest.mark.parametrize(("p", "batches"), [(1, 5), (2, 2), (5, 1)])
def test_a_pass_shows_every_subject_at_most_once_and_drops_the_rest(p, batches):
    sampler = PKSampler(LABELS, p=p, k=1, seed=0)
    for first in range(0, 3 * batches, batches):
        subjects = np.concatenate([LABELS[batch(sampler, first + i)] for i in range(batches)])
        assert len(set(subjects.tolist())) == p * batches


def test_an_epoch_has_the_published_number_of_steps():
    assert [PKSampler(LABELS, p, 1, seed=0).steps_per_epoch for p in (1, 2, 3, 5)] == [5, 3, 2, 1]


def test_every_sequence_of_a_subject_is_drawn():
    sampler = PKSampler(LABELS, p=5, k=4, seed=0)
    drawn = {int(i) for number in range(20) for i in batch(sampler, number)}
    assert drawn == set(range(len(LABELS)))


def test_a_batch_is_the_same_whenever_it_is_asked_for():
    one, other = PKSampler(LABELS, 2, 3, seed=4), PKSampler(LABELS, 2, 3, seed=4)
    forwards = [batch(one, number).tolist() for number in range(6)]
    assert [batch(other, number).tolist() for number in reversed(range(6))] == forwards[::-1]


def test_passes_and_seeds_differ():
    orders = {
        tuple(LABELS[batch(PKSampler(LABELS, 5, 1, seed), number)]) for seed in (1, 2) for number in range(5)
    }
    assert len(orders) > 5


def test_too_few_subjects_are_refused_with_the_number_to_use():
    with pytest.raises(GaitError, match=r"batch of 6 subjects .* has 5 subjects .*--p 5 or less"):
        PKSampler(LABELS, p=6, k=1, seed=0)


def frames(clips, available, seed=0, length=None):
    rng = np.random.default_rng(seed)
    return clips.frames_of(available, length or clips.frames, rng)


def test_a_clip_is_consecutive_frames_from_any_start():
    clips = ClipSampling(frames=16)
    starts = set()
    for seed in range(50):
        found = frames(clips, 19, seed)
        assert np.diff(found).tolist() == [1] * 15
        starts.add(int(found[0]))
    assert starts == {0, 1, 2, 3}  # 3 is the last that leaves 16 frames


def test_shuffled_frames_are_a_choice_without_order_or_repeats():
    found = frames(ClipSampling(frames=16, shuffled=True), 30)
    assert len(set(found.tolist())) == 16
    assert (np.diff(found) != 1).any()
    assert 0 <= found.min() <= found.max() < 30


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_short_sequence_is_looped(shuffled):
    found = frames(ClipSampling(frames=16, shuffled=shuffled, repeat=True), 7)
    np.testing.assert_array_equal(found[7:14], found[:7])
    assert sorted(found[:7].tolist()) == list(range(7))


def test_only_looping_takes_sequences_shorter_than_a_clip():
    lengths = np.array([10, 16, 17])
    assert ClipSampling(frames=17).usable(lengths).tolist() == [False, False, True]
    assert ClipSampling(frames=17, repeat=True).usable(lengths).all()


def test_varying_lengths_run_from_16_to_one_below_the_clip():
    rng = np.random.default_rng(0)
    lengths = {ClipSampling(frames=30, varying_length=True).length(rng) for _ in range(500)}
    assert lengths == set(range(16, 30))
    assert {ClipSampling(frames=30).length(rng) for _ in range(5)} == {30}


def test_lengths_cannot_vary_below_16_frames():
    with pytest.raises(GaitError, match=r"more than 16 frames.*16"):
        ClipSampling(frames=16, varying_length=True)


def test_an_ordered_clip_leaves_some_frames_of_a_window_out():
    clips = FrameSampling(frames=30, skip=4)
    spans, starts = set(), set()
    for seed in range(200):
        found = frames(clips, 50, seed)
        assert (np.diff(found) > 0).all()
        spans.add(int(np.ptp(found)))
        starts.add(int(found[0]))
    assert spans <= set(range(29, 34))
    assert {29, 33} & spans
    assert min(starts) < 3
    assert max(starts) > 13


@pytest.mark.parametrize("available", [1, 7, 33])
def test_an_ordered_clip_of_a_short_sequence_goes_round(available):
    found = frames(FrameSampling(frames=30, skip=4), available)
    assert len(found) == 30
    assert set(found.tolist()) <= set(range(available))
    steps = (np.diff(found) - 1) % available  # frames left out between two; round and round is no jump
    assert steps.sum() <= 4 + available * (available == 1)


def test_without_skipping_a_clip_is_consecutive():
    assert np.diff(frames(FrameSampling(frames=16, skip=0), 40)).tolist() == [1] * 15


def test_an_unordered_clip_repeats_only_what_a_short_sequence_lacks():
    clips = FrameSampling(frames=10, ordered=False)
    found = frames(clips, 10)
    assert sorted(found.tolist()) == list(range(10))
    assert (np.diff(found) < 0).any()
    assert set(frames(clips, 3).tolist()) <= {0, 1, 2}


def test_unfixed_lengths_are_drawn_for_each_sequence_within_the_limits():
    rng = np.random.default_rng(0)
    clips = FrameSampling(limits=(20, 23))
    assert clips.padded
    drawn = clips.lengths(100, rng)
    assert set(drawn) == {20, 21, 22, 23}
    fixed = FrameSampling(frames=30)
    assert not fixed.padded
    assert fixed.lengths(3, rng) == [30, 30, 30]


def test_limits_in_the_wrong_order_are_refused():
    with pytest.raises(GaitError, match=r"frames_min must not exceed .* 30 and 20"):
        FrameSampling(limits=(30, 20))


def test_every_sequence_with_a_frame_will_do():
    assert FrameSampling(frames=30).usable(np.array([0, 1, 40])).tolist() == [False, True, True]


def test_triplet_batches_draw_subjects_anew_each_time_and_no_sequence_twice():
    sampler = TripletSampler(LABELS, p=3, k=2, seed=0)
    seen = []
    for number in range(60):
        found = batch(sampler, number)
        subjects = LABELS[found].reshape(3, 2)
        assert (subjects[:, 0] == subjects[:, 1]).all()
        assert len(set(subjects[:, 0].tolist())) == 3
        for subject, pair in zip(subjects[:, 0], found.reshape(3, 2), strict=True):
            enough = (subject == LABELS).sum() >= 2
            assert (pair[0] != pair[1]) == enough
        seen.append(tuple(sorted(subjects[:, 0].tolist())))
    assert len(set(seen)) > 5  # of ten possible triples


def test_a_triplet_batch_is_the_same_whenever_it_is_asked_for():
    one, other = TripletSampler(LABELS, 2, 3, seed=4), TripletSampler(LABELS, 2, 3, seed=4)
    forwards = [batch(one, number).tolist() for number in range(6)]
    assert [batch(other, number).tolist() for number in reversed(range(6))] == forwards[::-1]
    assert batch(TripletSampler(LABELS, 2, 3, seed=5), 0).tolist() != forwards[0]


def test_a_shuffled_pass_shows_every_sequence_once_with_a_small_last_batch():
    sampler = ShuffledSampler(LABELS, 4, seed=0)
    assert sampler.steps_per_epoch == 3
    passes = []
    for first in (0, 3, 6):
        found = [batch(sampler, first + i) for i in range(3)]
        assert [len(part) for part in found] == [4, 4, 2]
        passes.append(np.concatenate(found).tolist())
        assert sorted(passes[-1]) == list(range(10))
    assert passes[0] != passes[1] != passes[2]


@pytest.mark.parametrize(
    ("batch_size", "multiple", "sizes"),
    [(4, 2, [4, 4, 2]), (8, 4, [8]), (6, 3, [6, 3]), (30, 4, [8]), (20, 1, [10]), (10, 2, [10])],
)
def test_the_last_batch_divides_among_the_devices(batch_size, multiple, sizes):
    sampler = ShuffledSampler(LABELS, batch_size // multiple * multiple, seed=0, multiple=multiple)
    assert [len(batch(sampler, i)) for i in range(sampler.steps_per_epoch)] == sizes


def test_what_the_cut_leaves_out_differs_from_pass_to_pass():
    sampler = ShuffledSampler(LABELS, 8, seed=0, multiple=4)
    assert set().union(*(batch(sampler, number).tolist() for number in range(10))) == set(range(10))


def test_shuffled_batches_are_the_same_whenever_they_are_asked_for():
    one, other = ShuffledSampler(LABELS, 4, seed=4), ShuffledSampler(LABELS, 4, seed=4)
    forwards = [batch(one, number).tolist() for number in range(6)]
    assert [batch(other, number).tolist() for number in reversed(range(6))] == forwards[::-1]
    assert batch(ShuffledSampler(LABELS, 4, seed=5), 0).tolist() != forwards[0]


@pytest.mark.parametrize(("batch_size", "multiple"), [(0, 1), (5, 2), (-4, 1)])
def test_a_batch_that_does_not_divide_is_refused(batch_size, multiple):
    with pytest.raises(GaitError, match=rf"among {multiple} devices.*sampler.batch_size {batch_size}"):
        ShuffledSampler(LABELS, batch_size, seed=0, multiple=multiple)


def test_fewer_sequences_than_devices_are_refused():
    with pytest.raises(GaitError, match="3 usable sequences, too few for 4 devices"):
        ShuffledSampler(LABELS[:3], 8, seed=0, multiple=4)


def pose_frames(count, length, draws=4000, **settings):
    """Frames chosen from so many sequences of ``count`` frames."""
    return PoseSampling(length, **settings).indices(np.full(draws, count), np.random.default_rng(0))


def test_poses_are_consecutive_and_the_last_start_is_never_drawn():
    found = pose_frames(14, 10, flip_sequence=0.0)
    assert (np.diff(found) == 1).all()
    starts, times = np.unique(found[:, 0], return_counts=True)
    assert starts.tolist() == [0, 1, 2, 3]  # 4 would be the last
    np.testing.assert_allclose(times, 1000, atol=5 * np.sqrt(750))
    assert (pose_frames(11, 10, flip_sequence=0.0) == np.arange(10)).all()


def test_half_of_the_pose_sequences_run_backwards_before_they_are_cut():
    found = pose_frames(14, 10)
    backwards = found[:, 0] > found[:, -1]
    assert abs(backwards.sum() - 2000) < 5 * np.sqrt(1000)
    assert (np.diff(found[backwards]) == -1).all()
    assert set(found[backwards][:, 0].tolist()) == {13, 12, 11, 10}


@pytest.mark.parametrize("count", [1, 3, 9, 10])
def test_short_pose_sequences_are_padded_whole(count):
    padded = pad_indices(count, 10)
    forwards, backwards = (pose_frames(count, 10, 5, flip_sequence=chance) for chance in (0.0, 1.0))
    assert (forwards == padded).all()
    assert (backwards == padded[::-1]).all()


def test_shuffled_poses_are_the_same_frames_in_any_order():
    found = pose_frames(14, 10, flip_sequence=0.0, shuffled=True)
    ordered = np.sort(found)
    assert (np.diff(ordered) == 1).all()
    assert set(ordered[:, 0].tolist()) == {0, 1, 2, 3}
    place = np.argsort(found)[:, 0]
    assert place.mean() == pytest.approx(4.5, abs=0.25)
    assert len({tuple(row) for row in (found - ordered[:, :1]).tolist()}) > 3900


def test_pose_sequences_of_many_lengths_are_chosen_at_once():
    counts = np.array([4, 30, 10, 11])
    found = PoseSampling(10).indices(counts, np.random.default_rng(0))
    assert found.shape == (4, 10)
    assert (found.min(axis=1) >= 0).all()
    assert (found.max(axis=1) < counts).all()


def test_a_chance_to_run_backwards_that_is_none_is_refused():
    with pytest.raises(GaitError, match=r"augmentation.flip_sequence must be .* Received: 2"):
        PoseSampling(10, flip_sequence=2)
