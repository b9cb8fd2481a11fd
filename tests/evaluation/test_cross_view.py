"""Across views: the identical view is excluded, each gallery view is searched on its own."""

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation.cross_view import (
    Embedded,
    cross_view_accuracy,
    cross_view_rates,
    exclude_same_view,
    sorted_views,
    view_table,
)


def people(*places, views, labels):
    return Embedded(np.array(places, "float32")[:, None], list(labels), list(views))


def test_a_probe_is_never_compared_with_its_own_view():
    # the own view (000) holds the right person at distance 0; the other view only misleads
    gallery = people(0, 9, 0, views=["000", "090", "090"], labels="aab")
    probe = people(0, views=["000"], labels="a")
    table = cross_view_accuracy(gallery, probe, ["nm"])
    assert table.tolist() == [[0, 0]]


def test_the_mean_goes_over_gallery_views_and_then_over_probe_views():
    gallery = people(0, 9, 9, 0, 0, 9, views=["000", "000", "018", "018", "036", "036"], labels="ababab")
    probe = people(0, 0, views=["000", "018"], labels="aa")
    rates, rows, columns = cross_view_rates(gallery, probe, [[True, True]])
    assert (rows, columns) == (["000", "018"], ["000", "018", "036"])
    assert rates.tolist() == [[[[1, 0, 1], [1, 0, 1]]]]
    assert exclude_same_view(rates[0], rows, columns).tolist() == [[0.5, 1, 0.75]]


def test_a_view_without_another_gallery_view_is_unknown_and_not_in_the_mean():
    gallery = people(0, 9, views=["090", "090"], labels="ab")
    probe = people(0, 0, views=["000", "090"], labels="aa")
    table = cross_view_accuracy(gallery, probe, ["nm", "nm"])
    np.testing.assert_array_equal(table, [[1, np.nan, 1]])


def test_each_condition_has_its_row():
    gallery = people(0, 9, views=["090", "090"], labels="ab")
    probe = people(0, 9, views=["000", "000"], labels="aa")
    table = cross_view_accuracy(gallery, probe, ["nm", "cl"], conditions=["nm", "bg", "cl"])
    np.testing.assert_array_equal(table, [[1, 1], [np.nan, np.nan], [0, 0]])


def test_several_neighbours_vote():
    gallery = people(0, 1, 2, views=["090"] * 3, labels="abb")
    probe = people(0, views=["000"], labels="a")
    assert cross_view_accuracy(gallery, probe, ["nm"], k=1)[0, 0] == 1
    assert cross_view_accuracy(gallery, probe, ["nm"], k=3)[0, 0] == 0


def test_more_neighbours_than_a_view_has_are_refused():
    gallery = people(0, views=["090"], labels="a")
    with pytest.raises(GaitError, match="view 090 has 1"):
        cross_view_accuracy(gallery, gallery, ["nm"], k=2)


def test_views_are_sorted_by_number():
    assert sorted_views(["9", "10"], ["108"]) == ["9", "10", "108"]
    assert sorted_views(["front", "10"]) == ["10", "front"]


def test_a_right_one_among_the_first_r_counts_at_rank_r():
    gallery = people(1, 2, 3, 5, views=["090"] * 3 + ["180"], labels="bcaa")
    probe = people(0, views=["000"], labels="a")
    rates, *_ = cross_view_rates(gallery, probe, [[True]], ranks=4)
    assert rates[:, 0, 0].tolist() == [[0, 1], [0, 1], [1, 1], [1, 1]]  # view 180 has one only


def test_groups_of_probes_may_overlap():
    gallery = people(0, 9, views=["090", "090"], labels="ab")
    probe = people(0, 9, 0, views=["000"] * 3, labels="abb")
    rates, *_ = cross_view_rates(gallery, probe, [[True, True, False], [False, True, True]])
    assert rates.ravel().tolist() == [1, 0.5]


def test_known_distances_decide_instead_of_embeddings():
    gallery = people(0, 9, 0, views=["090", "090", "180"], labels="abb")
    probe = people(0, views=["000"], labels="a")
    rates, *_ = cross_view_rates(gallery, probe, [[True]], matrix=np.array([[2.0, 1.0, 0.0]]))
    assert rates.ravel().tolist() == [0, 0]


def test_the_table_of_views_has_gallery_views_as_rows_and_all_means():
    rates = np.array([[1, 0.5, 0], [0, np.nan, 1]])  # two probe views, three gallery views
    expected = [[1, 0, 0.5], [0.5, np.nan, 0.5], [0, 1, 0.5], [0.5, 0.5, 0.5]]
    np.testing.assert_array_equal(view_table(rates), expected)
