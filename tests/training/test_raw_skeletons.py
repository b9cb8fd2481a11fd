"""The recognition network on raw skeletons, which SGE's features are compared with."""

import csv

import numpy as np
import pytest
from skeleton_trees import skeleton_sets

from keras_gait.files import RECIPE_FILE
from keras_gait.training.raw_skeletons import raw_skeletons
from keras_gait.training.recipes import load_recipe, save_recipe

pytestmark = [
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """IAS's test set, the folder of a run on it, of which only the recipe counts, what is found twice."""
    run = tmp_path_factory.mktemp("run")
    _, test = skeleton_sets(run / "data", run / "tree", "IAS", 4, persons=3, windows=12)
    settings = {
        "method": "sge",
        "data.datadir": str(run / "data"),
        "data.dataset": "IAS",
        "data.length": 4,
        "model.hidden": 16,
        "recognition.epochs": 12,
        "recognition.learning_rate": 0.02,
        "train.held_out": 0.3,
        "train.verbose": 0,
    }
    save_recipe(load_recipe(None, settings), run / RECIPE_FILE)
    folder = run / "raw"
    return test, folder, raw_skeletons(run, folder), raw_skeletons(run, folder)


def test_it_tells_people_of_each_test_set_by_mean_logits_of_raw_frames(scored):
    test, folder, found, _ = scored
    with np.load(folder / "best-final.npz") as best:
        hidden, bias, output, start = (best[f"arr_{i}"] for i in range(4))
    assert [each.name for each in found] == ["IAS-A", "IAS-B"]
    for each in found:
        mine = np.flatnonzero(test.condition == each.name[-1])
        frames = test.read_many(mine).reshape(len(mine), 4, 60)
        logits = (np.maximum(frames @ hidden + bias, 0) @ output + start).mean(axis=1)
        right = np.mean(logits.argmax(axis=1) == test.subject[mine].astype(int))
        assert each.found.rank_1 == pytest.approx(right)
        assert each.found.rank_1 > 0.5  # of three people; bodies differ
        assert each.people == ("0", "1", "2")


def test_windows_held_out_choose_its_epoch(scored):
    with (scored[1] / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert all(0 <= float(row["accuracy"]) <= 1 for row in rows)


def test_it_is_trained_once(scored):
    _, _, first, second = scored
    for one, other in zip(first, second, strict=True):
        assert one.found.rank_1 == other.found.rank_1
        assert one.found.nauc == other.found.nauc
