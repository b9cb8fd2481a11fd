"""The package computes what the published code computes: every fixture of ``tests/fixtures/attengait``."""

import shutil
from pathlib import Path

import pytest
from fixtures import reader
from parity import check, main

FIXTURES = sorted((Path(__file__).resolve().parent / "fixtures" / "attengait").glob("*.npz"))
NUMPY_ONLY = ("cut", "dataset", "farneback", "flow", "info", "knn", "mixup", "pretreatment", "protocol")


def cases():
    for path in FIXTURES:
        marks = [] if path.stem.startswith(NUMPY_ONLY) else [pytest.mark.backend]
        yield pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", cases())
def test_the_published_numbers_are_met(path):
    verdict, share, remark = check(path)
    assert verdict == "matched", f"{share:.3g} times the tolerance: {remark}"


def test_there_are_fixtures_to_meet():
    assert len(FIXTURES) == 54


def test_the_runner_has_a_line_for_each_fixture_and_fails_unless_all_match(tmp_path, capsys):
    good = FIXTURES[0].with_name("cut_centre.npz")
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
