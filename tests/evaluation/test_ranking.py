"""Rankings, with numbers that one can check in one's head."""

import numpy as np
import pytest

from keras_gait.evaluation import ranking
from keras_gait.evaluation.distances import METRICS, as_vectors, distances
from keras_gait.evaluation.ranking import rank, rank_matrix


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


def test_only_the_own_sequences_of_the_same_view_may_be_left_out():
    views = ["000", "000", "090"]
    known = on_a_line(0, 1, 2), ["a", "b", "a"], on_a_line(0), ["a"], views, ["000"]
    assert rank(*known).first.tolist() == [1]
    assert rank(*known, only_own=True).first.tolist() == [2]


def test_a_gallery_smaller_than_the_ranks_leaves_the_curve_at_its_end():
    result = rank(on_a_line(0, 1), ["b", "a"], on_a_line(0, 0), ["a", "x"])
    assert result.cmc(4).tolist() == [0, 1, 1, 1]
    assert result.cmc(4, of_all=True).tolist() == [0, 0.5, 0.5, 0.5]
    assert result.summary(ranks=(1, 20)) == {"rank-1": 0, "rank-20": 1, "mAP": 0.5, "mINP": 0.5}


@pytest.mark.parametrize("only_own", [False, True])
def test_known_distances_are_ranked_alike(only_own):
    rng = np.random.default_rng(5)
    gallery, probe = (rng.integers(0, 3, (n, 4)).astype("float32") for n in (60, 20))  # many ties
    labels, views = (rng.choice(list(words), 80) for words in ("abcd", "xyz"))
    known = labels[:60], labels[60:], views[:60], views[60:], only_own
    matrix = rank_matrix(distances(probe, gallery), *known)
    streamed = rank(gallery, labels[:60], probe, labels[60:], views[:60], views[60:], only_own=only_own)
    np.testing.assert_array_equal(matrix.first, streamed.first)
    np.testing.assert_array_equal(matrix.precision, streamed.precision)
    np.testing.assert_array_equal(matrix.penalty, streamed.penalty)


def by_sorting(gallery, labels, probe, probe_labels, views, probe_views, metric):
    """First ranks, average precisions and penalties as they are defined: a full stable sort a probe."""
    exact = distances(as_vectors(probe, metric), as_vectors(gallery, metric), metric)
    figures = []
    for row, label, view in zip(exact, probe_labels, probe_views, strict=True):
        others = views != view
        order = np.argsort(row[others], kind="stable")
        places = 1 + np.flatnonzero((labels[others] == label)[order])
        precision = np.mean([(n + 1) / place for n, place in enumerate(places)])
        figures.append((places[0], precision, len(places) / places[-1]))
    return np.transpose(figures)


@pytest.mark.parametrize("many", [0, 1])  # rows that the bounds leave open: compared all at once, or singly
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["ties", "noise"])
def test_ranks_are_those_of_a_full_stable_sort(metric, kind, many, monkeypatch):
    monkeypatch.setattr(ranking, "_GALLERY_BYTES", 4 * 12 * 20)  # 20 gallery rows at a time
    monkeypatch.setattr(ranking, "_PROBE_ROWS", 9)
    monkeypatch.setattr(ranking, "_CANDIDATES", 4)
    monkeypatch.setattr(ranking, "_MANY", many)
    rng = np.random.default_rng(0)

    def draw(count):
        shape = (count, 3, 4)
        values = rng.integers(0, 2, shape) if kind == "ties" else rng.standard_normal(shape)
        return values.astype("float32"), rng.integers(0, 6, count), rng.choice(["000", "090"], count)

    (gallery, labels, views), (probe, probe_labels, probe_views) = draw(90), draw(25)
    result = rank(gallery, labels, probe, probe_labels, views, probe_views, metric)
    expected = by_sorting(gallery, labels, probe, probe_labels, views, probe_views, metric)
    np.testing.assert_array_equal(result.first, expected[0])
    np.testing.assert_allclose(result.precision, expected[1], rtol=1e-12)
    np.testing.assert_array_equal(result.penalty, expected[2])


def test_what_the_bounds_decide_is_not_compared_again(monkeypatch):
    compared = []

    def counting(probes, gallery, *arguments):
        compared.append(len(probes) * len(gallery))
        return distances(probes, gallery, *arguments)

    monkeypatch.setattr(ranking, "distances", counting)
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 30
    gallery = (rng.standard_normal((30, 64))[labels] + 0.1 * rng.standard_normal((300, 64))).astype("float32")
    assert rank(gallery, labels, gallery[:40], labels[:40]).precision.min() == 1
    assert sum(compared) <= 40 * 10 * 2  # the 10 right ones of each, and hardly another


def test_no_probe_at_all_gives_no_number():
    result = rank(on_a_line(0), ["a"], on_a_line(0), ["x"])
    assert np.isnan(result.summary()["mAP"])
    assert np.isnan(result.cmc(3)).all()
