"""Tables say what they do not know, and whether the walkers are simulated."""

import csv

import numpy as np

from keras_gait.evaluation.protocols import PROTOCOLS, with_cross_view_gallery
from keras_gait.evaluation.results import Evaluation
from keras_gait.evaluation.tables import (
    print_results,
    tables,
    text_table,
    view_tables,
    write_csv,
    write_figures,
)

SUMMARY = {"rank-1": 0.5, "rank-5": 1.0, "mAP": 0.625, "mINP": 0.25}
VIEWS = {"all views": 0.75, "other views": 0.5}


def evaluation(protocol, conditions, views, **figures):
    """An `Evaluation` with the figures given by their names; rates are all 0."""
    paired = protocol.views == "pairs"
    return Evaluation(
        protocol,
        conditions,
        views,
        {name.replace("_", "-"): np.array(values) for name, values in figures.items()},
        views if paired else [],
        np.zeros((len(figures), len(conditions), len(views), len(views) if paired else 0)),
        [SUMMARY | (VIEWS if protocol.equal_views else {})] * len(conditions),
        np.ones((len(conditions), 20)),
    )


def test_a_table_is_in_percent_with_a_dash_for_the_unknown():
    text = text_table(["000", "mean"], [("NM", [0.5, np.nan]), ("CL", [1.0, 0.123])])
    assert [line.split() for line in text.splitlines()] == [
        ["000", "mean"],
        ["NM", "50.0", "-"],
        ["CL", "100.0", "12.3"],
    ]


def test_every_table_of_simulated_walkers_says_so():
    result = evaluation(PROTOCOLS["casia-b"], ("nm",), ["000"], rank_1=[[1.0, 1.0]])
    titles = [title for title, *_ in tables(result, simulated=True) + view_tables(result, simulated=True)]
    assert len(titles) == 4
    assert all(title.endswith(", simulated walkers") for title in titles)
    assert "simulated" not in tables(result)[0][0]


def test_ranks_of_views_have_a_table_and_overlapping_conditions_no_mean():
    figures = {f"rank_{i}": [[i / 5, i / 5], [0.0, i / 10]] for i in range(1, 6)}
    result = evaluation(PROTOCOLS["sustech1k"], ("Bag", "Overall"), ["000"], **figures)
    rank1, by_rank, _ = tables(result)
    assert [name for name, _ in rank1[2]] == ["Bag", "Overall"]
    assert by_rank[1] == ["rank-1", "rank-2", "rank-3", "rank-4", "rank-5"]
    assert by_rank[2][1][1].tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_the_gallery_of_all_views_has_a_table_of_precision():
    protocol = with_cross_view_gallery(PROTOCOLS["casia-b"])
    result = evaluation(protocol, ("nm", "bg"), ["000"], rank_1=[[1, 1], [0, 0]], mAP=[[1, 1], [0.5, 0.5]])
    rank1, precision, whole = tables(result)
    assert "against the gallery of all views" in rank1[0]
    assert "without the probe's subject in its own view" in whole[0]
    assert precision[0].startswith("mAP")
    assert precision[2][-1][0] == "mean"
    assert precision[2][-1][1].tolist() == [0.75, 0.75]
    assert view_tables(result) == []


def test_the_file_has_views_or_else_the_figures_of_the_whole_gallery(tmp_path, capsys):
    path = tmp_path / "rank1.csv"
    write_csv(evaluation(PROTOCOLS["oumvlp"], ("",), ["000"], rank_1=[[1.0, 1.0]]), path)
    assert path.read_text() == "condition,000,mean\nall,1.000000,1.000000\n"
    result = evaluation(PROTOCOLS["grew"], ("",), [], rank_1=[[0.75]])
    write_csv(result, path)
    header, row = path.read_text().splitlines()
    assert header == "condition,rank-1,rank-5,mAP,mINP"
    assert row == "all,0.750000,1.000000,0.625000,0.250000"
    print_results(result)
    assert capsys.readouterr().out.startswith("acc:\nall: 0.7500\n")


def test_the_second_file_has_all_figures_of_all_tables(tmp_path):
    protocol = with_cross_view_gallery(PROTOCOLS["casia-b"])
    result = evaluation(protocol, ("nm",), ["000"], rank_1=[[1, np.nan]], mAP=[[0.5, 0.25]])
    write_figures(result, tmp_path / "figures.csv", simulated=True)
    with open(tmp_path / "figures.csv", newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header == ["table", "row", "column", "percent"]
    found = {(table.split(" in %")[0], *rest) for table, *rest in lines}
    assert ("Rank-1", "NM", "mean", "nan") in found
    assert ("mAP", "NM", "mean", "25.0000") in found
    assert ("Whole gallery without the probe's subject in its own view,", "NM", "mINP", "25.0000") in {
        (table.removesuffix(", simulated walkers").removesuffix(" in %"), *rest) for table, *rest in lines
    }
    assert all(table.endswith(", simulated walkers") for table, *_ in lines)


def test_the_second_file_has_every_pair_of_views(tmp_path):
    views = ["000", "090"]
    result = evaluation(PROTOCOLS["oumvlp"], ("",), views, rank_1=[[1.0, 1.0, 1.0]])
    write_figures(result, tmp_path / "figures.csv")
    text = (tmp_path / "figures.csv").read_text()
    title = '"all: rank-1 in %, gallery view (rows) by probe view, means with equal views"'
    assert text.count(title) == 9
    assert f"{title},000,090,0.0000\n" in text
    assert f"{title},mean,090,0.0000\n" in text


def test_means_of_pairs_of_views_are_told_without_and_with_equal_ones():
    result = evaluation(PROTOCOLS["casia-b"], ("nm", "bg"), ["000"], rank_1=[[1, 1], [0, 0]])
    _, pairs, whole = tables(result)
    assert pairs[0] == "Mean rank-1 of pairs of views, without and with equal ones, in %"
    assert pairs[1:] == (["other views", "all views"], [(name, [0.5, 0.75]) for name in ("NM", "BG", "mean")])
    assert whole[1] == list(SUMMARY)
