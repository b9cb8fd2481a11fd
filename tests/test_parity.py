"""The package computes what the published code computes: every fixture of ``tests/fixtures/attengait``."""

from pathlib import Path

import pytest
from parity import check

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
