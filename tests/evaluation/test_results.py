"""One evaluation: what is refused before any work, what is counted, what is printed."""

from pathlib import Path

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation.protocols import PROTOCOLS
from keras_gait.evaluation.results import check_sets, evaluate, print_results


class Walks:
    """The labels of a data set, from rows such as ``"075 nm 090"``; "-" is no condition or view."""

    def __init__(self, name, *rows):
        self.name, self.path = name, Path(name)
        fields = [row.replace("-", "").split(" ") for row in rows]
        columns = zip(*fields, strict=True) if rows else [(), (), ()]
        self.subject, self.condition, self.view = (np.array(column, str) for column in columns)

    def __len__(self):
        return len(self.subject)


CASIA, OUMVLP, GREW = (PROTOCOLS[name] for name in ("casia-b", "oumvlp", "grew"))
GALLERY = Walks("gallery", "075 nm 000", "076 nm 000", "075 nm 090", "076 nm 090", "076 nm 090")


def on_a_line(*places):
    return np.array(places, "float32")[:, None, None]


def test_rows_are_the_conditions_that_are_there_in_the_published_order():
    probe = Walks("probe", "075 hat 000", "075 cl 000", "075 nm 000")
    assert check_sets(CASIA, GALLERY, probe) == ("nm", "cl", "hat")
    assert check_sets(OUMVLP, GALLERY, probe) == ("",)


def test_a_protocol_asked_for_by_name_needs_all_of_its_conditions():
    probe = Walks("probe", "075 nm 000")
    with pytest.raises(
        GaitError, match="needs probes of the conditions nm, bg, cl, but probe has none of bg, cl"
    ):
        check_sets(CASIA, GALLERY, probe, named=True)


def test_too_many_neighbours_name_the_smallest_view():
    probe = Walks("probe", "075 nm 000")
    with pytest.raises(GaitError, match=r"--knn 3 .* view 000 of gallery has 2\. Use --knn 2 or less\."):
        check_sets(CASIA, GALLERY, probe, k=3)
    with pytest.raises(GaitError, match=r"--knn 6 .* gallery has 5\. Use --knn 5"):
        check_sets(GREW, GALLERY, probe, k=6)


def test_subjects_that_are_not_in_the_gallery_are_said(capsys):
    check_sets(CASIA, GALLERY, Walks("probe", "075 nm 000", "099 nm 000", "099 nm 090"))
    assert "1 probe subjects (099) are not in the gallery; their 2 sequences" in capsys.readouterr().out
    with pytest.raises(GaitError, match="not one of the 1 subjects of probe is in the gallery"):
        check_sets(CASIA, GALLERY, Walks("probe", "099 nm 000"))


@pytest.mark.parametrize("role", ["gallery", "probe"])
def test_an_empty_set_is_refused(role):
    sets = {"gallery": GALLERY, "probe": Walks("probe", "075 nm 000"), role: Walks("empty")}
    with pytest.raises(GaitError, match=f"empty has no {role} sequence"):
        check_sets(CASIA, sets["gallery"], sets["probe"])


def test_a_cross_view_evaluation_and_its_print(capsys):
    probe = Walks("probe", "075 nm 000", "076 nm 090", "075 bg 090")
    places = on_a_line(0, 9, 1, 8, 10), on_a_line(1, 9, 8.6)
    result = evaluate(CASIA, ("nm", "bg"), places[0], GALLERY, places[1], probe)
    np.testing.assert_array_equal(result.table, [[1, 1, 1], [np.nan, 0, 0]])
    assert result.summaries[1]["rank-1"] == 0
    assert result.summaries[1]["rank-5"] == 1  # second of the two in the other view
    print_results(result, simulated=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["acc: (simulated walkers)", "nm: 1.0000 1.0000 1.0000", "bg: nan 0.0000 0.0000"]
    assert ["BG", "-", "0.0", "0.0"] in [line.split() for line in lines]
    assert ["mean", "100.0", "50.0", "50.0"] in [line.split() for line in lines]


def test_without_views_the_whole_gallery_is_searched(capsys):
    gallery = Walks("gallery", "1 - -", "2 - -", "2 - -")
    probe = Walks("probe", "1 - -", "2 - -")
    result = evaluate(GREW, ("",), on_a_line(0, 1, 2), gallery, on_a_line(0, 0), probe)
    assert result.table.tolist() == [[0.5]]
    voted = evaluate(GREW, ("",), on_a_line(0, 1, 2), gallery, on_a_line(0, 0), probe, k=3)
    assert voted.table.tolist() == [[0.5]]  # now the majority of 2 wins for both
    print_results(result)
    assert capsys.readouterr().out.startswith("acc:\nall: 0.5000\n")
