"""The k nearest are exact, whatever the blocks, and equally near ones keep the gallery's order."""

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation import neighbours
from keras_gait.evaluation.distances import METRICS, as_vectors, distances
from keras_gait.evaluation.neighbours import nearest, nearest_columns, nearest_rows, vote


def embeddings(kind, rng, count):
    if kind == "ties":  # whole numbers: many rows are exactly equally far
        return rng.integers(0, 2, (count, 3, 4)).astype("float32")
    return rng.standard_normal((count, 3, 4)).astype("float32")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["ties", "noise"])
def test_neighbours_are_those_of_a_full_stable_sort(metric, kind, monkeypatch):
    monkeypatch.setattr(neighbours, "_GALLERY_BYTES", 4 * 12 * 20)  # 20 gallery rows at a time
    monkeypatch.setattr(neighbours, "_PROBE_ROWS", 9)
    monkeypatch.setattr(neighbours, "_CANDIDATES", 4)
    rng = np.random.default_rng(0)
    gallery, probe = embeddings(kind, rng, 90), embeddings(kind, rng, 25)
    exact = distances(as_vectors(probe, metric), as_vectors(gallery, metric), metric)
    order = np.argsort(exact, axis=1, kind="stable")[:, :7]
    rows, near = nearest_rows(gallery, probe, metric, k=7)
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_array_equal(near, np.take_along_axis(exact, order, axis=1))


def test_labels_come_nearest_first():
    gallery = np.array([[0.0], [5.0], [2.0]], "float32")
    labels = nearest(gallery, ["a", "b", "c"], np.array([[1.9]], "float32"), k=3)
    assert labels.tolist() == [["c", "a", "b"]]


def test_equal_gallery_rows_come_in_their_order():
    gallery = np.ones((6, 4), "float32")
    assert nearest(gallery, range(6), gallery[:1], k=4).tolist() == [[0, 1, 2, 3]]


def test_embeddings_may_lie_on_disk(tmp_path):
    rng = np.random.default_rng(3)
    gallery = rng.standard_normal((40, 2, 5)).astype("float32")
    np.save(tmp_path / "gallery.npy", gallery)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    rows, near = nearest_rows(mapped, mapped, k=1)
    assert rows[:, 0].tolist() == list(range(40))
    assert (near == 0).all()


def test_no_probe_gives_no_neighbour():
    assert nearest(np.ones((3, 2), "float32"), [1, 2, 3], np.ones((0, 2), "float32"), k=2).shape == (0, 2)


@pytest.mark.parametrize("k", [0, 4])
def test_k_outside_the_gallery_is_refused(k):
    with pytest.raises(GaitError, match=f"k={k} .* the 3 gallery sequences"):
        nearest(np.ones((3, 2), "float32"), [1, 2, 3], np.ones((1, 2), "float32"), k=k)


def test_the_least_of_a_matrix_come_first_and_equals_in_their_order(monkeypatch):
    monkeypatch.setattr(neighbours, "_PROBE_ROWS", 3)
    matrix = np.random.default_rng(0).integers(0, 4, (10, 40)) / 7
    matrix[0, 5] = -0.0
    order = np.argsort(matrix.astype("float32"), axis=1, kind="stable")
    np.testing.assert_array_equal(nearest_columns(matrix, 6), order[:, :6])
    with pytest.raises(GaitError, match=r"k=41 .* the 40 gallery sequences"):
        nearest_columns(matrix, 41)


def test_a_vote_goes_to_the_majority_and_a_draw_to_the_nearest():
    labels = np.array([["a", "b", "b"], ["a", "b", "c"], ["c", "b", "b"], ["b", "a", "c"]])
    assert vote(labels).tolist() == ["b", "a", "b", "b"]
    assert vote(np.array([[3, 7, 7, 3]])).tolist() == [3]
