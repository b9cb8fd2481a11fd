"""One evaluation: who is compared with whom, what is counted, what is printed."""

import numpy as np
import pytest
from walks import Walks, on_a_line

from keras_gait.errors import GaitError
from keras_gait.evaluation import rerank
from keras_gait.evaluation.protocols import PROTOCOLS, with_cross_view_gallery
from keras_gait.evaluation.results import check_rerank, evaluate
from keras_gait.evaluation.selection import rows_of_table
from keras_gait.evaluation.tables import print_results

CASIA, OUMVLP, GREW, CCPG, GAIT3D, SUSTECH1K = (
    PROTOCOLS[name] for name in ("casia-b", "oumvlp", "grew", "ccpg", "gait3d", "sustech1k")
)
GALLERY = Walks("gallery", "075 nm 000", "076 nm 000", "075 nm 090", "076 nm 090", "076 nm 090")


def run(protocol, gallery, gallery_set, probe, probe_set, k=1, **settings):
    rows = rows_of_table(protocol, gallery_set, probe_set, k)
    return evaluate(protocol, rows, gallery, gallery_set, probe, probe_set, k=k, **settings)


def test_a_cross_view_evaluation_and_its_print(capsys):
    probe = Walks("probe", "075 nm 000", "076 nm 090", "075 bg 090")
    places = on_a_line(0, 9, 1, 8, 10), on_a_line(1, 9, 8.6)
    result = run(CASIA, places[0], GALLERY, places[1], probe)
    np.testing.assert_array_equal(result.table, [[1, 1, 1], [np.nan, 0, 0]])
    assert result.summaries[1]["rank-1"] == 0
    assert result.summaries[1]["rank-5"] == 1  # second of the two in the other view
    assert "bg: no probe sequence has the view 000: these cells are left out" in capsys.readouterr().out
    print_results(result, simulated=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["acc: (simulated walkers)", "nm: 1.0000 1.0000 1.0000", "bg: nan 0.0000 0.0000"]
    assert ["BG", "-", "0.0", "0.0"] in [line.split() for line in lines]
    assert ["mean", "100.0", "50.0", "50.0"] in [line.split() for line in lines]


def test_without_views_the_whole_gallery_is_searched(capsys):
    gallery = Walks("gallery", "1 - -", "2 - -", "2 - -")
    probe = Walks("probe", "1 - -", "2 - -")
    result = run(GREW, on_a_line(0, 1, 2), gallery, on_a_line(0, 0), probe)
    assert result.table.tolist() == [[0.5]]
    voted = run(GREW, on_a_line(0, 1, 2), gallery, on_a_line(0, 0), probe, k=3)
    assert voted.table.tolist() == [[0.5]]  # now the majority of 2 wins for both
    print_results(result)
    assert capsys.readouterr().out.startswith("acc:\nall: 0.5000\n")


def test_a_probe_that_nobody_can_find_counts_in_grew_and_not_in_gait3d():
    gallery, probe = Walks("gallery", "1 a x", "2 a x"), Walks("probe", "1 a x", "9 a x")
    places = on_a_line(0, 5), gallery, on_a_line(0, 0), probe
    grew, gait3d = run(GREW, *places), run(GAIT3D, *places)
    assert (grew.table[0, 0], grew.summaries[0]["rank-20"]) == (0.5, 0.5)
    assert (gait3d.table[0, 0], gait3d.summaries[0]["rank-10"]) == (1, 1)
    assert list(gait3d.summaries[0]) == ["rank-1", "rank-5", "rank-10", "mAP", "mINP"]


def test_sustech1k_tells_five_ranks_and_a_walk_may_count_twice():
    gallery = Walks("gallery", *(f"{i} 00-nm 000" for i in range(6)))
    probe = Walks("probe", "2 03-oc-nt 090", "0 01-nm 090")
    result = run(SUSTECH1K, on_a_line(*range(6)), gallery, on_a_line(0, 0), probe)
    found = {name: [table[i, -1] for table in result.tables.values()] for i, name in enumerate(result.names)}
    assert found == {
        "Normal": [1, 1, 1, 1, 1],
        "Occlusion": [0, 0, 1, 1, 1],
        "Night": [0, 0, 1, 1, 1],
        "Overall": [0.5, 0.5, 1, 1, 1],
    }


def test_ccpg_compares_each_setting_with_its_gallery_and_tells_equal_views_apart():
    gallery = Walks("gallery", "1 U0_D3 00_0", "2 U0_D3 00_5", "2 U0_D3 01_0", "1 U1_D1 01_0")
    probe = Walks("probe", "1 U3_D3 00_9", "1 U1_D0 00_9")
    result = run(CCPG, on_a_line(0, 1, 0, 7), gallery, on_a_line(0, 0), probe)
    assert result.conditions == ("UP", "DN")
    assert result.gallery_views == ["00", "01"]
    np.testing.assert_array_equal(result.rates[0], [[[1, 0]], [[np.nan, 1]]])
    up, down = result.summaries
    assert (up["all views"], up["other views"], down["all views"]) == (0.5, 0, 1)
    assert np.isnan(up["rank-1"])  # its only right one has the probe's view
    assert down["rank-1"] == 1


def test_casia_b_and_poses_of_oumvlp_tell_their_means_with_equal_views_too():
    gallery = Walks("gallery", "1 00 000", "2 00 000", "1 00 090", "2 00 090")
    probe = Walks("probe", "1 01 000", "2 01 090")
    places = on_a_line(0, 9, 9, 0), gallery, on_a_line(1, 1), probe
    result = run(PROTOCOLS["oumvlp-pose"], *places)
    np.testing.assert_array_equal(result.rates[0, 0], [[1, 0], [0, 1]])
    assert result.overall == {"other views": 0, "all views": 0.5}
    assert run(OUMVLP, *places).overall == {}
    two = Walks("probe", "1 nm-05 000", "2 bg-01 090")
    assert run(CASIA, *places[:3], two).overall == {"other views": 0, "all views": 0.5}


def test_the_gallery_of_all_views_leaves_out_the_own_sequence_only():
    protocol = with_cross_view_gallery(OUMVLP)
    gallery = Walks("gallery", "1 01 000", "1 01 090", "2 01 000", "2 01 090")
    probe = Walks("probe", "1 00 000", "2 00 090")
    result = run(protocol, on_a_line(0, 3, 2, 0), gallery, on_a_line(0, 0), probe)
    # probe 1 sees 2 (at 0), 2 (at 2), 1 (at 3); probe 2 sees 1 (at 0), 2 (at 2), 1 (at 3)
    np.testing.assert_allclose(result.tables["mAP"], [[1 / 3, 1 / 2, 5 / 12]])
    assert result.table.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("protocol", [CASIA, GREW])
def test_re_ranked_distances_decide_everywhere(protocol, monkeypatch):
    # the probe is nearest to another person, who is nobody's neighbour but an odd one out
    probe = Walks("probe", "1 nm 000")
    gallery = Walks("gallery", "1 nm 090", "2 nm 090")
    places = on_a_line(3, 1), gallery, on_a_line(0), probe
    assert run(protocol, *places).table[0, -1] == 0
    from keras_gait.evaluation import results

    monkeypatch.setattr(results, "reranked", lambda *_, **__: np.array([[0.1, 0.9]], "float32"))
    result = run(protocol, *places, rerank=True)
    assert result.table[0, -1] == 1
    assert result.summaries[0]["rank-1"] == 1


def test_re_ranking_more_than_the_memory_holds_is_refused_early(monkeypatch):
    monkeypatch.setattr(rerank, "free_memory", lambda: 2**20)
    rows = rows_of_table(GREW, Walks("g", *["1 a x"] * 300), Walks("p", *["1 a x"] * 300))
    with pytest.raises(
        GaitError, match=r"300 probes and 300 gallery sequences needs 0\.0 GB .* evaluate without"
    ):
        check_rerank(rows)
