"""Whom a classifier knows, the test sets, and how their figures are printed and written."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation.closed_set import Identified, TestSet, identified, people_of
from keras_gait.evaluation.identification import identify
from keras_gait.evaluation.identification_tables import confusion_text, rank_tables, write_confusion

PEOPLE = ("0", "2", "11")


def test_the_models_own_names_go_before_those_of_the_training_set():
    gallery = SimpleNamespace(name="train", subjects=np.array(["4", "5", "6"]))
    assert people_of(SimpleNamespace(subjects=PEOPLE, nclasses=3), gallery) == PEOPLE
    assert people_of(SimpleNamespace(subjects=None, nclasses=3), gallery) == ("4", "5", "6")
    with pytest.raises(GaitError, match="does not tell whom; the training set would, but there is none"):
        people_of(SimpleNamespace(subjects=None, nclasses=3), None)


def test_each_test_set_is_scored_by_its_own_scores():
    sets = [TestSet("IAS-A", "A", np.array([True, False])), TestSet("IAS-B", "B", np.array([False, True]))]
    scores = {"A": np.eye(3)[[1, 1]], "B": np.eye(3)[[0, 0]]}
    found = identified(sets, scores, np.array(["2", "11"]), PEOPLE)
    assert [each.found.rank_1 for each in found] == [1.0, 0.0]  # 2 is the class 1, 11 the class 2


def test_few_classes_are_printed_whole_under_their_names():
    found = identify(np.eye(3)[[1, 1, 2]], [1, 2, 2])
    assert confusion_text(found, PEOPLE).splitlines()[1:] == ["     2 11", "  2  1  0", " 11  1  1"]


def test_of_many_classes_the_largest_confusions_are_printed():
    labels = np.repeat(np.arange(20), 3)
    named = labels.copy()
    named[:2], named[3] = 7, 9  # two of the first person as 7, one of the second as 9
    text = confusion_text(identify(np.eye(20)[named], labels), [f"p{n}" for n in range(20)])
    assert text.splitlines()[1:] == ["  p0 taken for p7: 2 of 3", "  p1 taken for p9: 1 of 3"]


def test_ranks_are_told_up_to_the_last_and_written_whole():
    found = identify(np.random.default_rng(0).normal(size=(9, 30)), np.arange(9))
    results = [Identified("KGBD", found, tuple(map(str, range(30))))]
    (_, header, rows), (_, _, areas) = rank_tables(results)
    assert header[-3:] == ["15", "20", "30"]
    assert rows[0][1][-1] == 1
    assert areas == [("KGBD", [found.rank_1, found.nauc])]
    assert len(rank_tables(results, every_rank=True)[0][1]) == 30


def test_the_confusion_file_holds_all_classes_that_occur(tmp_path):
    write_confusion(identify(np.eye(3)[[1, 1, 2]], [1, 2, 2]), PEOPLE, tmp_path / "confusion.csv")
    assert (tmp_path / "confusion.csv").read_text().split() == ["true,2,11", "2,1,0", "11,1,1"]
