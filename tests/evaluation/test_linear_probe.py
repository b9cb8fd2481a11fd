"""Linear probe and nearest neighbours of embeddings that one can look through."""

import time
import warnings

import numpy as np
import pytest

from keras_gait.evaluation.linear_probe import linear_probe, nearest_is_right, odd_walks


def test_every_other_walk_of_a_person_is_odd_whatever_its_name():
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    types = np.array(["nm-02", "nm-01", "nm-01", "cl-01", "nm-02", "nm-05", "nm-06"])
    # of person 0: cl-01, nm-01, nm-02; of person 1: nm-02, nm-05, nm-06
    assert odd_walks(labels, types).tolist() == [True, False, False, True, True, False, True]


def test_a_single_walk_is_learned_from():
    assert odd_walks(np.array([3, 5]), np.array(["00", "00"])).all()


def people(count, walks, dim, noise, seed=0):
    """Embeddings ``(count * walks, 2, dim)`` about a centre of each person's own; labels; odd walks."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count), walks)
    centres = rng.normal(size=(count, 2, dim))
    embeddings = centres[labels] + noise * rng.normal(size=(len(labels), 2, dim))
    return embeddings.astype("float32"), labels, np.arange(len(labels)) % 2 == 0


def test_the_probe_names_people_who_lie_apart():
    assert linear_probe(*people(5, 6, 3, 0.05)) == 1.0


def test_the_probe_finds_nobody_in_noise():
    embeddings, labels, training = people(10, 20, 4, 0.0)
    noise = np.random.default_rng(1).normal(size=embeddings.shape)
    assert linear_probe(noise, labels, training) < 0.3


def test_the_probe_sees_a_channel_however_small_it_is():
    embeddings, labels, training = people(2, 40, 1, 3.0)  # two loud channels
    embeddings[:, 0, 0] = 1e-3 * labels  # and one that tells all
    assert linear_probe(embeddings, labels, training) == 1.0


def test_the_share_is_of_the_sequences_that_were_not_learned_from():
    embeddings = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 0.0]).reshape(6, 1, 1)
    labels, training = np.array([0, 1, 0, 1, 1, 0]), np.array([True, True, False, False, False, False])
    assert linear_probe(embeddings, labels, training) == pytest.approx(3 / 4)


def test_the_probe_of_some_hundred_sequences_takes_seconds_and_does_not_warn():
    embeddings, labels, training = people(12, 30, 2048, 4.0)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert linear_probe(embeddings, labels, training) > 0.9
    assert time.perf_counter() - start < 20


def line(*places):
    return np.array(places, "float32").reshape(-1, 1, 1)


def test_the_nearest_of_another_view_counts():
    embeddings, labels = line(0.0, 0.1, 1.0, 1.2), np.array([0, 1, 0, 1])
    views = np.array(["000", "000", "090", "090"])
    # 0 and 0.1 are of one view: both are nearest to 1.0, of person 0; both others are nearest to 0.1
    assert nearest_is_right(embeddings, labels, views) == pytest.approx(2 / 4)


def test_who_has_no_other_of_his_own_is_not_counted():
    embeddings, labels = line(0.0, 0.1, 5.0), np.array([0, 0, 1])
    assert nearest_is_right(embeddings, labels, np.array(["a", "b", "a"])) == 1.0


def test_parts_are_compared_one_by_one():
    # by the mean of both parts' distances the first is nearer to the second (5 to 6), by all channels not
    embeddings = np.array([[0.0, 0.0], [10.0, 0.0], [6.0, 6.0]], "float32")[:, :, None]
    assert nearest_is_right(embeddings, np.array([0, 0, 1]), np.array(["a", "b", "b"])) == 1.0


def test_who_shares_any_of_several_columns_is_not_compared():
    embeddings, labels = line(0.0, 0.1, 0.2, 5.0, 0.3), np.array([0, 0, 0, 0, 1])
    # the first: its walk, its view, and, behind the other person, one that is apart in both
    apart = np.array([["a", "000"], ["a", "090"], ["b", "000"], ["c", "090"], ["d", "036"]])
    found = nearest_is_right(embeddings, labels, apart)
    # 1, walk a and 090: nearest is 2; 2: nearest is 1; 3, at 5.0: nearest is the other person; so is it of 0
    assert found == pytest.approx(2 / 4)
