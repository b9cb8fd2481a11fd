"""Spread and effective rank of embeddings whose directions one sees."""

import numpy as np
import pytest

from keras_gait.evaluation.collapse import effective_rank, spread

AXES = np.concatenate([np.eye(4), -np.eye(4)])[:, None]  # (8, 1 part, 4): all directions alike


def test_all_directions_alike_are_spread_one_and_a_single_one_is_zero():
    assert spread(AXES) == pytest.approx(1)
    assert spread(np.ones((5, 1, 4), "float32")) == 0
    assert spread(np.zeros((5, 2, 4), "float32")) == 0


def test_lengths_do_not_count_in_the_spread():
    lengths = np.arange(1, 9)[:, None, None]
    assert spread(AXES * lengths) == pytest.approx(1)
    assert spread(np.ones((8, 1, 4)) * lengths) == pytest.approx(0)


def test_the_spread_between_two_directions():
    pair = np.array([[1.0, 0.0], [0.0, 1.0]])[:, None]  # a deviation of 1/2 in both channels
    assert spread(pair) == pytest.approx(0.5 * 2**0.5)


def test_the_rank_counts_the_dimensions_that_vary_alike():
    assert effective_rank(AXES) == pytest.approx(4)
    assert effective_rank(AXES * [1, 1, 0, 0]) == pytest.approx(2)
    assert effective_rank(AXES * [1, 0, 0, 0] + 7) == pytest.approx(1)


def test_a_dimension_that_varies_less_counts_less():
    shares = np.array([0.75, 0.25])  # of the singular values 3 and 1
    expected = np.exp(-(shares * np.log(shares)).sum())
    assert effective_rank(AXES * [3, 1, 0, 0]) == pytest.approx(expected)


def test_equal_embeddings_have_rank_zero_whatever_their_rounding():
    noise = np.random.default_rng(0).normal(scale=1e-8, size=(20, 2, 4))
    assert effective_rank(np.full((20, 2, 4), 0.3, "float32")) == 0
    assert effective_rank(np.float32(0.3 + noise)) == 0
    assert effective_rank(np.zeros((20, 2, 4))) == 0


def test_both_are_means_over_the_parts():
    parts = np.concatenate([AXES, np.ones((8, 1, 4))], axis=1)
    assert spread(parts) == pytest.approx(0.5)
    assert effective_rank(parts) == pytest.approx(2)
