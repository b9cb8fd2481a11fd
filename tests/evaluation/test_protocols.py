"""Protocols: the identical view is excluded, and tables say what they do not know."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation.protocols import (
    PROTOCOLS,
    Embedded,
    cross_view_accuracy,
    cross_view_rates,
    exclude_same_view,
    protocol_for,
    sorted_views,
    text_table,
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
    rates, rows, columns = cross_view_rates(gallery, probe, ["", ""], [""])
    assert (rows, columns) == (["000", "018"], ["000", "018", "036"])
    assert rates.tolist() == [[[1, 0, 1], [1, 0, 1]]]
    assert exclude_same_view(rates, rows, columns).tolist() == [[0.5, 1, 0.75]]


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


def test_the_protocol_follows_from_the_data():
    def dataset(condition, view):
        return SimpleNamespace(condition=np.array([condition]), view=np.array([view]))

    assert protocol_for(dataset("bg", "090")).name == "casia-b"
    assert protocol_for(dataset("", "090")).name == "oumvlp"
    assert protocol_for(dataset("", "")).name == "grew"


def test_one_data_set_is_divided_as_published():
    dataset = SimpleNamespace(
        name="set", condition=np.array(["nm", "nm", "bg"]), video=np.array(["04", "05", "01"])
    )
    assert PROTOCOLS["casia-b"].is_gallery(dataset).tolist() == [True, False, False]
    with pytest.raises(GaitError, match="--gallery and --probe"):
        PROTOCOLS["grew"].is_gallery(dataset)


def test_a_table_is_in_percent_with_a_dash_for_the_unknown():
    text = text_table(["000", "mean"], [("NM", [0.5, np.nan]), ("CL", [1.0, 0.123])])
    assert [line.split() for line in text.splitlines()] == [
        ["000", "mean"],
        ["NM", "50.0", "-"],
        ["CL", "100.0", "12.3"],
    ]
