"""Rankings, with numbers that one can check in one's head."""

import numpy as np
import pytest

from keras_gait.evaluation import ranking
from keras_gait.evaluation.ranking import rank


def on_a_line(*places):
    return np.array(places, "float32")[:, None]


def test_ranks_precision_and_penalty_of_one_probe():
    # in order of distance: b a b a -> the right ones (a) stand at ranks 2 and 4
    result = rank(on_a_line(1, 2, 3, 4), ["b", "a", "b", "a"], on_a_line(0), ["a"])
    assert result.first.tolist() == [2]
    assert result.precision.tolist() == [(1 / 2 + 2 / 4) / 2]
    assert result.penalty.tolist() == [2 / 4]


def test_the_cmc_counts_probes_found_so_far():
    result = rank(on_a_line(0, 1, 2), ["a", "b", "c"], on_a_line(0, 0, 0), ["a", "b", "c"])
    assert result.cmc(4) == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert result.cmc(2, np.array([False, False, True])).tolist() == [0, 0]


def test_a_probe_without_its_subject_in_the_gallery_is_left_out():
    result = rank(on_a_line(0, 1), ["a", "b"], on_a_line(0, 0), ["a", "x"])
    assert np.isnan(result.first[1])
    assert result.summary() == {"rank-1": 1, "rank-5": 1, "mAP": 1, "mINP": 1}


def test_gallery_sequences_of_the_same_view_are_left_out():
    views = ["000", "090", "090"]
    result = rank(on_a_line(0, 5, 6), ["a", "b", "a"], on_a_line(0), ["a"], views, ["000"])
    assert result.first.tolist() == [2]  # the one at distance 0 has the probe's own view


def test_blocks_do_not_change_a_ranking(monkeypatch):
    rng = np.random.default_rng(0)
    gallery, probe = rng.integers(0, 3, (60, 5)), rng.integers(0, 3, (20, 5))
    labels, probe_labels = rng.integers(0, 6, 60), rng.integers(0, 6, 20)
    whole = rank(gallery, labels, probe, probe_labels)
    monkeypatch.setattr(ranking, "_BLOCK_BYTES", 8 * 60 * 3)
    blocks = rank(gallery, labels, probe, probe_labels)
    np.testing.assert_array_equal(whole.first, blocks.first)
    np.testing.assert_array_equal(whole.precision, blocks.precision)


def test_no_probe_at_all_gives_no_number():
    result = rank(on_a_line(0), ["a"], on_a_line(0), ["x"])
    assert np.isnan(result.summary()["mAP"])
    assert np.isnan(result.cmc(3)).all()
