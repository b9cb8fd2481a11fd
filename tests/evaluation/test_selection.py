"""What is compared, and what is refused before any work."""

import pytest
from walks import Walks

from keras_gait.errors import GaitError
from keras_gait.evaluation.protocols import PROTOCOLS
from keras_gait.evaluation.selection import divided, rows_of_table

CASIA, OUMVLP, GREW, CCPG, GAIT3D = (
    PROTOCOLS[name] for name in ("casia-b", "oumvlp", "grew", "ccpg", "gait3d")
)
GALLERY = Walks("gallery", "075 nm 000", "076 nm 000", "075 nm 090", "076 nm 090", "076 nm 090")


def test_rows_are_the_conditions_that_are_there_in_the_published_order():
    probe = Walks("probe", "075 hat 000", "075 cl 000", "075 nm 000")
    rows = rows_of_table(CASIA, GALLERY, probe)
    assert [row.name for row in rows] == ["nm", "cl", "hat"]
    assert [row.probe.tolist() for row in rows] == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    (row,) = rows_of_table(OUMVLP, GALLERY, probe)
    assert row.name == ""
    assert row.gallery.all()
    assert row.probe.all()


def test_a_protocol_asked_for_by_name_needs_all_of_its_conditions():
    probe = Walks("probe", "075 nm 000")
    with pytest.raises(
        GaitError, match="needs probes of the conditions nm, bg, cl, but probe has none of bg, cl"
    ):
        rows_of_table(CASIA, GALLERY, probe, named=True)


def test_too_many_neighbours_name_the_smallest_view():
    probe = Walks("probe", "075 nm 000")
    with pytest.raises(GaitError, match=r"--knn 3 .* view 000 of gallery has 2\. Use --knn 2 or less\."):
        rows_of_table(CASIA, GALLERY, probe, k=3)
    with pytest.raises(GaitError, match=r"--knn 6 .* gallery has 5\. Use --knn 5"):
        rows_of_table(GREW, GALLERY, probe, k=6)


def test_subjects_that_are_not_in_the_gallery_are_said(capsys):
    rows_of_table(CASIA, GALLERY, Walks("probe", "075 nm 000", "099 nm 000", "099 nm 090"))
    assert "1 probe subjects (099) are not in the gallery; their 2 sequences" in capsys.readouterr().out
    with pytest.raises(GaitError, match="not one of the 1 subjects of probe is in the gallery"):
        rows_of_table(CASIA, GALLERY, Walks("probe", "099 nm 000"))


@pytest.mark.parametrize("role", ["gallery", "probe"])
def test_an_empty_set_is_refused(role):
    sets = {"gallery": GALLERY, "probe": Walks("probe", "075 nm 000"), role: Walks("empty")}
    with pytest.raises(GaitError, match=f"empty has no {role} sequence"):
        rows_of_table(CASIA, sets["gallery"], sets["probe"])


def test_two_data_sets_are_not_divided():
    probe = Walks("probe", "075 nm-01 000")
    assert divided(CASIA, GALLERY, probe) == (GALLERY, probe)
    with pytest.raises(
        GaitError, match=r"found for both .* no probe sequence .* casia-b among its types nm-01:"
    ):
        divided(CASIA, probe, probe)


def test_probes_without_a_gallery_are_said_to_be_left_out(capsys):
    gallery = Walks("set", "1 camid1_videoid2 seq0", "2 camid1_videoid2 seq0")
    rows_of_table(GAIT3D, gallery, Walks("set", "1 camid2_videoid2 seq0", "9 camid2_videoid2 seq0"))
    assert "1 probe subjects (9) are not in the gallery; their 1 sequences are left out" in (
        capsys.readouterr().out
    )


def test_settings_have_galleries_of_their_own_and_need_both_sides():
    walks = Walks("set", "1 U0_D3 00_0", "1 U3_D3 00_0", "1 U3_D3 01_0", "1 U1_D0 01_0")
    gallery, probe = divided(CCPG, walks, walks)
    (row,) = rows_of_table(CCPG, gallery, probe)  # DN has probes and no gallery
    assert row.name == "UP"
    assert gallery.types[row.gallery].tolist() == ["U0_D3"]
    assert probe.types[row.probe].tolist() == ["U3_D3", "U3_D3"]
    with pytest.raises(GaitError, match="set has none of CL, DN, BG for which there is a gallery"):
        rows_of_table(CCPG, gallery, probe, named=True)


def test_no_probe_of_a_protocols_types_is_refused():
    gallery, probe = Walks("gallery", "1 00-nm 000"), Walks("probe", "1 99-xx 090")
    with pytest.raises(
        GaitError, match=r"sustech1k needs probes of the conditions Normal, .*, but probe has none"
    ):
        rows_of_table(PROTOCOLS["sustech1k"], gallery, probe)


def test_one_view_only_is_refused_where_views_are_compared():
    gallery, probe = Walks("gallery", "1 01 090"), Walks("probe", "1 00 090")
    with pytest.raises(GaitError, match=r"oumvlp compares different views, but .* have the view '090'"):
        rows_of_table(OUMVLP, gallery, probe)
    assert rows_of_table(GREW, gallery, probe)


def test_pairs_of_views_without_sequences_are_said_to_be_left_out(capsys):
    gallery = Walks("gallery", "1 nm-01 000", "1 nm-02 018")
    probe = Walks("probe", "1 nm-05 000", "1 nm-05 036", "1 bg-01 000")
    rows_of_table(CASIA, gallery, probe)
    assert capsys.readouterr().out.splitlines() == [
        "nm: no gallery sequence has the view 036: these cells are left out of the means",
        "bg: no probe sequence has the view 036: these cells are left out of the means",
    ]
