"""The package computes what the published code computes: every fixture in ``tests/fixtures``."""

import shutil
from pathlib import Path

import pytest
from fixtures import reader
from parity import check, main

FOLDER = Path(__file__).resolve().parent / "fixtures"
COUNTS = {"attengait": 54, "skeletongait": 55, "gaitgraph2": 48, "sge": 25, "selfgait": 23}
NUMPY_ONLY = {
    "attengait": ("cut", "dataset", "farneback", "flow", "info", "knn", "mixup", "pretreatment", "protocol"),
    "skeletongait": ("dataset", "eval", "heatmap", "oumvlp", "pose", "silhouette", "transforms"),
    "gaitgraph2": ("csv", "evaluation", "graph", "json", "normalize", "pad", "select", "v1_evaluation"),
    "sge": ("casia", "cme", "pretext", "ranking"),
    "selfgait": ("evaluation", "item", "pretreatment", "split"),
}


def cases():
    for system, stems in NUMPY_ONLY.items():
        for path in sorted((FOLDER / system).glob("*.npz")):
            marks = [] if path.stem.startswith(stems) else [pytest.mark.backend]
            yield pytest.param(path, id=f"{system}-{path.stem}", marks=marks)


@pytest.mark.parametrize("path", cases())
def test_the_published_numbers_are_met(path):
    verdict, share, remark = check(path)
    assert verdict == "matched", f"{share:.3g} times the tolerance: {remark}"


def test_there_are_fixtures_to_meet():
    assert {system: len(list((FOLDER / system).glob("*.npz"))) for system in COUNTS} == COUNTS


def test_the_runner_has_a_line_for_each_fixture_and_fails_unless_all_match(tmp_path, capsys):
    good = FOLDER / "attengait" / "cut_centre.npz"
    shutil.copy(good, tmp_path)
    shutil.copy(good, tmp_path / "another_system.npz")
    meta, inputs, outputs = reader.load(good)
    reader.save(tmp_path / "cut_tampered.npz", meta, inputs, {"cut": 255 - outputs["cut"]})
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 1
    *lines, last = capsys.readouterr().out.splitlines()
    verdicts = {line.split(" of tolerance  ")[1].split()[0]: line for line in lines}
    assert len(lines) == len(verdicts) == 3
    assert verdicts["cut_centre"].startswith("matched ")
    assert verdicts["cut_tampered"].startswith("differs ")
    assert verdicts["another_system"].startswith("not supported ")
    assert last == "1 of 3 fixtures matched"


def test_a_folder_without_fixtures_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"parity.py: no .npz fixtures in {tmp_path}\n"
