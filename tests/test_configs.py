"""Every recipe that the repository offers is complete and known."""

from pathlib import Path

import pytest

from keras_gait.training.recipes import load_recipe

FILES = (Path(__file__).resolve().parent.parent / "configs").rglob("*.yaml")
CONFIGS = sorted(path for path in FILES if not path.stem.startswith("pretreatment"))  # how maps are drawn


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recipe_loads(path):
    assert load_recipe(path)["method"] == path.parent.name


def test_there_are_recipes():
    assert CONFIGS
