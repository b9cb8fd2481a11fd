"""Distances are exact, and lie between their bounds."""

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation import distances as module
from keras_gait.evaluation.distances import METRICS, as_vectors, check_metric, distance_bounds, distances


def test_each_metric_is_its_formula():
    probe, gallery = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])
    assert distances(probe, gallery, "L1") == 7
    assert distances(probe, gallery, "L2") == 5
    assert distances(probe, gallery, "chebyshev") == 4
    assert distances(probe, gallery, "minkowski", p=3) == pytest.approx(91 ** (1 / 3))


def test_cosine_counts_the_angle_and_not_the_length():
    probe, gallery = np.array([[2.0, 0.0]]), np.array([[9.0, 0.0], [0.0, 5.0], [-1.0, 0.0]])
    np.testing.assert_allclose(distances(probe, gallery, "cosine"), [[0, 1, 2]], atol=1e-15)


def test_cosines_of_parts_are_averaged():
    probe, gallery = np.array([[[2.0, 0.0], [0.0, 9.0]]]), np.array([[[1.0, 0.0], [3.0, 0.0]]])
    np.testing.assert_allclose(distances(probe, gallery, "cos"), [[(0 + 1) / 2]], atol=1e-15)


def test_parts_are_averaged_after_their_roots():
    probe, gallery = np.zeros((1, 2, 2)), np.array([[[3.0, 4.0], [0.0, 1.0]]])
    assert distances(probe, gallery, "parts") == 3  # (5 + 1) / 2


def test_a_gallery_of_many_blocks_gives_the_same_distances(monkeypatch):
    rng = np.random.default_rng(0)
    probe, gallery = rng.standard_normal((3, 7)), rng.standard_normal((50, 7))
    whole = distances(probe, gallery)
    monkeypatch.setattr(module, "_GALLERY_ROWS", 8)
    np.testing.assert_array_equal(distances(probe, gallery), whole)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_distances_lie_between_their_bounds(metric, scale):
    rng = np.random.default_rng(1)
    gallery = (scale * (rng.standard_normal((70, 4, 16)) + 3)).astype("float32")
    outlier = 40 * gallery[:1]  # far outside the levels that the gallery is rounded to
    probe = np.concatenate([gallery[:5], gallery[:5] * 1.001, outlier]).astype("float32")
    probe, gallery = as_vectors(probe, metric), as_vectors(gallery, metric)
    exact, (lower, upper) = distances(probe, gallery, metric), distance_bounds(gallery, metric)
    low = lower(probe)
    high = upper(probe, low)
    assert low.shape == high.shape == exact.shape
    assert (low <= exact).all()
    assert (exact <= high).all()


@pytest.mark.parametrize("metric", METRICS)
def test_bounds_are_close_to_far_distances(metric):
    rng = np.random.default_rng(2)
    gallery, probe = rng.random((40, 16, 32), "float32"), rng.random((5, 16, 32), "float32")
    gallery, probe = as_vectors(gallery, metric), as_vectors(probe, metric)
    exact, (lower, upper) = distances(probe, gallery, metric), distance_bounds(gallery, metric)
    low = lower(probe)
    assert (exact - low < 0.01 * exact).all()
    assert (upper(probe, low) - exact < 0.02 * exact).all()


def test_a_gallery_of_one_value_has_bounds():
    gallery = np.full((3, 8), 2.5, "float32")
    lower, upper = distance_bounds(gallery, "L1")
    low = lower(gallery)
    assert (low <= 0).all()
    assert (upper(gallery, low) >= 0).all()


def test_an_unknown_metric_is_refused_by_name():
    with pytest.raises(GaitError, match="unknown metric 'L3'; known are L1, L2"):
        check_metric("L3")


def test_parts_need_embeddings_with_parts():
    for metric in ("parts", "cos"):
        with pytest.raises(GaitError, match=rf"'{metric}' .* shape \(n, parts, dim\)"):
            as_vectors(np.zeros((3, 8)), metric)
