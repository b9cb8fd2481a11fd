"""Divisions by rates: who is labelled, trains and tests, and what leaves nobody."""

import numpy as np
import pytest

from keras_gait.data.dataset import GaitDataset
from keras_gait.data.label_split import by_rates, labelled, walking_order, windows, without
from keras_gait.errors import GaitError

SUBJECTS = np.repeat(["001", "002", "003", "005", "010"], 4)


def make(subjects):
    """Five subjects in two walks from two views each, 20 sequences in the order of folders."""
    index = {"subject": subjects, "condition": ["nm"] * 20, "video": ["01", "01", "02", "02"] * 5}
    index |= {"view": ["000", "090"] * 10, "frames": [30] * 20}
    return GaitDataset("set", {"frame_shape": (8, 6, 1), "dtype": "uint8"}, index, None, "digest")


@pytest.fixture
def dataset():
    return make(SUBJECTS)


def test_the_first_subjects_are_labelled_whole(dataset):
    assert labelled(dataset, 0.5).tolist() == [True] * 8 + [False] * 12
    assert labelled(dataset, 0.0).sum() == 0
    assert labelled(dataset, 1.0).all()


def test_the_first_sequences_are_labelled_though_they_cut_through_a_subject(dataset):
    assert labelled(dataset, 0.5, "sequences").tolist() == [True] * 10 + [False] * 10
    backwards = dataset.select(np.arange(20)[::-1])
    assert labelled(backwards, 0.5, "sequences").tolist() == [False] * 10 + [True] * 10


def test_subjects_are_in_the_order_of_their_numbers():
    dataset = make(np.repeat(["9", "10", "11", "12", "13"], 4))
    assert set(dataset.subject[labelled(dataset, 0.4)]) == {"9", "10"}


def test_a_share_is_rounded_down_but_loses_nobody_to_binary_digits():
    subjects = [f"{i:03d}" for i in range(100)]
    assert len(by_rates(subjects, 0.29).train) == 29
    assert len(by_rates(subjects, 0.299).train) == 29
    assert len(by_rates(subjects, 0.29, by="sequences").train) == 28  # as published


@pytest.mark.parametrize(
    ("rate", "by", "message"),
    [
        (1.5, "subjects", "data.label_rate must be a share from 0 to 1. Received: 1.5"),
        (-0.1, "subjects", "data.label_rate must be a share"),
        (float("nan"), "subjects", "data.label_rate must be a share"),
        (0.1, "subjects", "data.label_rate 0.1 of 5 subjects with 20 sequences leaves 0 with labels"),
        (0.3, "subjects", "leaves 1 with labels, and telling people apart takes two or more"),
        (0.2, "sequences", "leaves 1 with labels"),
        (0.5, "views", "data.label_by must be subjects or sequences. Received: views"),
    ],
)
def test_a_label_rate_that_leaves_too_few_is_refused(dataset, rate, by, message):
    with pytest.raises(GaitError, match=message):
        labelled(dataset, rate, by)


def test_subjects_are_left_out_and_unknown_ones_told(dataset, capsys):
    assert set(without(dataset, ["005"]).subject) == {"001", "002", "003", "010"}
    assert capsys.readouterr().out == ""
    assert without(dataset, ["777"]) is dataset
    assert capsys.readouterr().out == "set has no subject 777 to leave out\n"
    assert len(without(dataset, [])) == 20


def test_folders_are_walked_by_subject_type_and_view(dataset):
    shuffled = np.random.default_rng(0).permutation(20)
    some = dataset.select(shuffled)
    assert shuffled[walking_order(some)].tolist() == list(range(20))


def test_the_sets_are_disjoint_and_of_whole_subjects():
    split = by_rates(SUBJECTS, 0.8, 0.2)
    assert sorted(np.concatenate(split).tolist()) == list(range(20))
    assert (set(SUBJECTS[split.finetune]), set(SUBJECTS[split.test])) == ({"001"}, {"010"})
    assert set(SUBJECTS[split.train]) == {"002", "003", "005"}


def test_by_sequences_one_subject_is_in_two_sets():
    split = by_rates(SUBJECTS, 0.9, 0.1, by="sequences")
    assert split.finetune.tolist() == [0, 1]
    assert split.train.tolist() == list(range(2, 18))
    assert split.test.tolist() == [18, 19]
    assert set(SUBJECTS[split.train]) & set(SUBJECTS[split.test]) == {"010"}


def test_the_published_fine_tuning_set_is_cut_from_the_training_set():
    split = by_rates(SUBJECTS, 0.9, 0.1, by="sequences", published=True)
    assert split.finetune.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"partition_rate": 1.1}, "partition_rate must be a share from 0 to 1. Received: 1.1"),
        ({"partition_rate": 0.5, "label_rate": -1}, "label_rate must be a share from 0 to 1. Received: -1"),
        ({"partition_rate": 0.5, "label_rate": 0.6}, "label_rate 0.6 exceeds partition_rate 0.5"),
        ({"partition_rate": 0.5, "by": "views"}, "partition_by must be subjects or sequences"),
    ],
)
def test_rates_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(GaitError, match=message):
        by_rates(SUBJECTS, **settings)


def test_windows_lie_inside_their_sequences_and_the_short_ones_have_none():
    counts = np.array([4, 5, 9, 3, 30])
    rows, starts = windows(counts, 5, np.random.RandomState(0))
    assert rows.tolist() == [1, 2, 4]
    assert starts[0] == 0
    assert (starts + 5 <= counts[rows]).all()
    drawn = [windows([9], 5, np.random.RandomState(seed))[1].item() for seed in range(100)]
    assert set(drawn) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("length", [1, 5, 30])
def test_windows_are_drawn_as_one_after_another_in_walking_order(length):
    counts = np.random.default_rng(length).integers(1, 120, 80)
    random = np.random.RandomState(7)
    one_by_one = [random.randint(0, count - length + 1) for count in counts if count >= length]
    assert windows(counts, length, np.random.RandomState(7))[1].tolist() == one_by_one


def test_windows_longer_than_all_sequences_are_refused():
    with pytest.raises(
        GaitError, match="none of 2 sequences has the 30 frames of a clip, the longest has 29"
    ):
        windows([12, 29], 30, np.random.RandomState(0))
