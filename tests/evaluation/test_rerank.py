"""Re-ranking: the vectorised lists give what the definition gives, sequence by sequence."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation import neighbours
from keras_gait.evaluation import rerank as module
from keras_gait.evaluation.distances import distances
from keras_gait.evaluation.rerank import rerank, reranked


def by_definition(matrix, probes, k1, k2, weight):
    """k-reciprocal re-ranking in sets and loops."""
    scaled = matrix / matrix.max(axis=1, keepdims=True)
    order = np.argsort(matrix, axis=1, kind="stable")
    count = len(matrix)

    def mutual(i, k):
        return {j for j in order[i, : k + 1].tolist() if i in order[j, : k + 1]}

    weights = np.zeros((count, count))
    for i in range(count):
        taken = set(own := mutual(i, k1))
        for candidate in own:
            theirs = mutual(candidate, round(k1 / 2))
            if len(theirs & own) > 2 / 3 * len(theirs):
                taken |= theirs
        near = np.exp(-scaled[i, sorted(taken)])
        weights[i, sorted(taken)] = near / near.sum()
    weights = np.stack([weights[order[i, :k2]].mean(axis=0) for i in range(count)])
    shared = np.minimum(weights[:probes, None], weights[None, probes:]).sum(axis=2)
    return (1 - weight) * (1 - shared / (2 - shared)) + weight * scaled[:probes, probes:]


def clusters(count, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((5, 2, 3))
    return (centres[np.arange(count) % 5] + 0.5 * rng.standard_normal((count, 2, 3))).astype("float32")


@pytest.mark.parametrize(("k1", "k2", "weight"), [(6, 6, 0.3), (5, 1, 0.3), (9, 3, 0.0), (1, 2, 0.5)])
def test_the_lists_give_what_the_definition_gives(k1, k2, weight, monkeypatch):
    monkeypatch.setattr(module, "_PAIRS", 200)  # a few probes at a time
    rows = clusters(40)
    matrix = distances(rows, rows, "parts")
    expected = by_definition(matrix, 12, k1, k2, weight)
    np.testing.assert_allclose(rerank(matrix, 12, k1, k2, weight), expected, atol=2e-6)


def test_embeddings_are_re_ranked_by_all_their_distances(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 7)
    rows = clusters(30)
    expected = rerank(distances(rows, rows, "cos"), 10)
    np.testing.assert_allclose(reranked(rows[10:], rows[:10], "cos"), expected, atol=1e-6)


def test_equal_sequences_have_no_distance():
    assert not reranked(np.ones((5, 1, 2), "float32"), np.ones((4, 1, 2), "float32")).max() > 1
    rows = np.repeat(clusters(5), 8, axis=0)
    found = rerank(distances(rows, rows, "parts"), 1)
    assert found[0, :7].max() < found[0, 7:].min()


def test_what_the_system_keeps_of_files_counts_as_free(monkeypatch):
    lines = "MemTotal: 900 kB\nMemFree: 5 kB\nMemAvailable: 800 kB\n"
    monkeypatch.setattr(module.Path, "read_text", lambda path, encoding: lines)
    assert module.free_memory() == 800 * 1024


def test_where_the_system_does_not_tell_what_is_free_all_memory_counts(monkeypatch):
    monkeypatch.setattr(module, "Path", lambda name: Path("no such folder") / "meminfo")
    assert module.free_memory() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_re_ranking_holds_two_matrices_of_probes_and_gallery_and_no_more(monkeypatch):
    monkeypatch.setattr(module, "_PAIRS", 2**12)
    monkeypatch.setattr(neighbours, "_PROBE_ROWS", 16)
    rows = clusters(1600)
    matrix = distances(rows, rows, "parts").astype("float32")
    tracemalloc.start()
    rerank(matrix, 800, k1=1, k2=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.6 * 4 * 800 * 800


@pytest.mark.parametrize("probes", [0, 9])
def test_too_few_sequences_are_refused(probes):
    with pytest.raises(GaitError, match="re-ranking needs probes and a gallery, and more than k1=6"):
        rerank(np.zeros((9, 9)), probes)
    with pytest.raises(GaitError, match="more than k1=6 sequences"):
        rerank(np.zeros((6, 6)), 2)
