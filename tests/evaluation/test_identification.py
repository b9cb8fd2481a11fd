"""Rank-n, nAUC and the confusion matrix of scores, against numbers by hand and against pairs counted."""

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation.identification import identify, micro_roc_area, published_windows


def test_ranks_and_confusion_of_three_sequences():
    scores = [[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 5.0, 2.0]]
    found = identify(scores, [0, 1, 3])
    assert found.rank_n.tolist() == [1 / 3, 1.0, 1.0, 1.0]
    assert found.rank_1 == 1 / 3
    assert found.classes.tolist() == [0, 1, 2, 3]  # 2 is named, though nobody is it
    assert found.confusion.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_only_classes_that_occur_are_in_the_confusion():
    found = identify(np.eye(9)[[2, 7]], [2, 7])
    assert found.classes.tolist() == [2, 7]
    assert found.confusion.tolist() == [[1, 0], [0, 1]]


def test_of_equal_scores_the_first_class_is_named_and_ranks_first():
    found = identify(np.zeros((2, 3)), [0, 2])
    assert found.named.tolist() == [0, 0]
    assert found.rank_n.tolist() == [0.5, 0.5, 1.0]


def test_the_area_is_that_of_all_pairs_with_ties_at_one_half():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, (20, 5)).astype(np.float32)  # full of ties
    labels = rng.integers(0, 5, 20)
    true = np.arange(5) == labels[:, None]
    right, wrong = scores[true][:, None], scores[~true][None]
    assert micro_roc_area(scores, labels) == pytest.approx(((right > wrong) + 0.5 * (right == wrong)).mean())


def test_the_area_pools_all_sequences():
    # each sequence ranks its own class first, but 6 of the 8 pairs of both are in order
    scores = np.array([[10.0, 9.0, 8.0], [2.0, 1.0, 0.0]])
    assert identify(scores, [0, 0]).rank_1 == 1.0
    assert micro_roc_area(scores, [0, 0]) == pytest.approx((4 + 2) / 8)


def test_one_class_alone_has_no_area():
    assert np.isnan(micro_roc_area(np.ones((3, 1)), [0, 0, 0]))


def test_nothing_scored_says_no_sequences():
    with pytest.raises(GaitError, match="no sequences"):
        identify(np.empty((0, 3)), [])


def test_published_windows_are_whole_of_one_label_and_in_full_batches():
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1])
    scores = np.arange(18.0).reshape(9, 2)
    means, kept = published_windows(scores, labels, batch_size=4, frames=2)  # rows 0..7, windows 0|1|2|3
    assert kept.tolist() == [0, 1, 1]  # the second window is of two persons
    assert means.tolist() == [[1.0, 2.0], [9.0, 10.0], [13.0, 14.0]]
    assert len(published_windows(scores, labels, batch_size=4)[0]) == 8
    assert len(published_windows(scores, labels, batch_size=128)[0]) == 9  # not one full batch: all


def test_windows_of_mixed_labels_alone_leave_no_sequences():
    means, kept = published_windows(np.zeros((2, 3)), np.array([0, 1]), frames=2)
    with pytest.raises(GaitError, match="no sequences"):
        identify(means, kept)
