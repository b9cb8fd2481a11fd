"""Which run, which data and which model an evaluation takes when it is not told."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gait.checkpoints.by_name import published_variables
from keras_gait.errors import GaitError
from keras_gait.evaluation.inputs import (
    check_outputs,
    fill_from_recipe,
    find_run,
    find_sets,
    is_simulated,
    least_frames,
    model_setting,
    open_model,
)
from keras_gait.models import GaitSet, SelfGait


def make_run(folder, age, recipe=None):
    folder.mkdir(parents=True)
    model = folder / "model-final.keras"
    model.touch()
    os.utime(model, (1e9 - age, 1e9 - age))
    if recipe is not None:
        (folder / "recipe.yaml").write_text(recipe)
    return model


def test_the_newest_run_and_its_data_are_taken(tmp_path, capsys):
    make_run(tmp_path / "old", age=100)
    newest = make_run(tmp_path / "group" / "new", age=0, recipe="data:\n  datadir: sets\n")
    model, datadir, recipe = find_run(runs=tmp_path)
    assert recipe == {"data": {"datadir": "sets"}}
    assert model == newest
    assert str(datadir) == "sets"
    assert str(newest) in capsys.readouterr().out


def test_what_is_named_is_taken(tmp_path):
    model = make_run(tmp_path / "a", age=0, recipe="data:\n  datadir: sets\n")
    assert str(find_run(model, "other")[1]) == "other"
    assert str(find_run(model)[1]) == "sets"


@pytest.mark.parametrize("recipe", [None, "", "data:\n", "just words", "data:\n  datadir:\n"])
def test_a_run_that_names_no_data_gives_none(tmp_path, recipe):
    assert find_run(make_run(tmp_path / "a", 0, recipe))[1] is None


def test_a_damaged_recipe_is_one_line(tmp_path):
    model = make_run(tmp_path / "a", 0, "data: [")
    with pytest.raises(GaitError, match=r"is not YAML .* move it away and name the data by --datadir"):
        find_run(model)


@pytest.mark.parametrize("keypoints", ["openpose", "alphapose"])
def test_keypoints_choose_among_sets_of_poses(tmp_path, keypoints):
    for name in ("openpose", "alphapose"):
        folder = tmp_path / f"tfimdb_oumvlp_N5154_test_pose_{name}"
        folder.mkdir()
        (folder / "dataset.json").touch()
    found = find_sets(tmp_path, keypoints=keypoints)
    assert [path.name.rpartition("_")[2] for path in found] == [keypoints, keypoints]


def left_out(**flags):
    return SimpleNamespace(**dict.fromkeys(("knn", "metrics", "nframes", "cut")) | flags)


def test_flags_left_out_are_the_recipes_or_the_published_ones():
    recipe = {"data": {"cut": True}, "evaluation": {"metric": "cosine", "knn": 3, "rerank": True}}
    args = left_out(knn=5)
    fill_from_recipe(args, recipe)
    assert vars(args) == {"knn": 5, "metrics": "cosine", "nframes": 30, "cut": True}
    args = left_out(rerank=None, channels=None, protocol=None, tta=None, keypoints=None)
    fill_from_recipe(args, {})
    published = {"knn": 1, "metrics": "L1", "nframes": 30, "cut": False, "tta": False}
    assert vars(args) == published | {"rerank": False, "channels": None, "protocol": None, "keypoints": None}
    args = left_out(tta=False, keypoints=None)
    fill_from_recipe(args, {"data": {"keypoints": "alphapose"}, "evaluation": {"tta": True}})
    assert (args.tta, args.keypoints) == (False, "alphapose")


def test_an_unknown_metric_of_a_recipe_is_refused_before_any_work():
    with pytest.raises(GaitError, match="unknown metric 'L3'"):
        fill_from_recipe(left_out(), {"evaluation": {"metric": "L3"}})


def test_a_file_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    check_outputs(report=None, output=tmp_path / "new" / "matrix.png")
    check_outputs(report=tmp_path / "file")
    with pytest.raises(GaitError, match=r"--report .* is a folder\. Expected: the name of a file"):
        check_outputs(report=tmp_path)
    with pytest.raises(GaitError, match=r"--output .* cannot be written: .*file is not a folder"):
        check_outputs(output=tmp_path / "file" / "matrix.png")


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(GaitError, match=r"--model .*none\.keras does not exist"):
        find_run(tmp_path / "none.keras")
    with pytest.raises(GaitError, match="train a model first"):
        find_run(runs=tmp_path)


def test_data_must_be_named_somewhere():
    assert [str(path) for path in find_sets(None, "a", "b")] == ["a", "b"]
    with pytest.raises(GaitError, match="--gallery and --probe"):
        find_sets(None, gallery="a")


@pytest.mark.parametrize(
    ("names", "gallery"),
    [
        (["tfimdb_a_N2_ft_x", "tfimdb_a_N2_test_x"], "tfimdb_a_N2_ft_x"),
        (["tfimdb_a_N2_train_x", "tfimdb_a_N2_test_x"], "tfimdb_a_N2_test_x"),
    ],
)
def test_the_test_set_is_the_gallery_too_where_there_is_no_other(tmp_path, names, gallery):
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "dataset.json").touch()
    assert [path.name for path in find_sets(tmp_path)] == [gallery, "tfimdb_a_N2_test_x"]


def test_a_recipe_takes_the_runs_place(tmp_path):
    model = make_run(tmp_path / "a", 0, "data: {datadir: own}\n")
    recipe = {"data": {"datadir": "given"}}
    assert find_run(model, recipe=recipe) == (model, Path("given"), recipe)


def weights_file(path, model):
    """A file of weights alone, by their published names."""
    zeros = {published.name: np.zeros(published.shape) for published in published_variables(model)}
    np.savez(path, **zeros)
    return path


def test_published_weights_alone_ask_for_their_recipe(tmp_path):
    path = weights_file(tmp_path / "60000.npz", GaitSet(channels=(2, 2, 2), embedding_size=2))
    with pytest.raises(GaitError, match=r"60000\.npz holds weights alone: name the recipe .* --config"):
        open_model(path)
    recipe = {"method": "gaitset", "model": {"embedding_size": 128}}
    assert open_model(path, recipe=recipe).embedding_size == 2


def test_weights_that_tell_all_of_their_model_need_no_recipe(tmp_path, capsys):
    sizes = {"channels": (2, 2, 4), "hidden_dim": 3, "div": 2, "mlp_hidden_size": 5, "projection_size": 6}
    path = weights_file(tmp_path / "5000.npz", SelfGait(**sizes))
    found = open_model(path)
    assert {name: getattr(found, name) for name in sizes} == sizes
    assert capsys.readouterr().out == ""
    assert open_model(path, recipe={"method": "selfgait", "model": {"hidden_dim": 128}}).hidden_dim == 3
    assert "has hidden_dim 3, which counts; the recipe says 128" in capsys.readouterr().out


def test_the_model_says_how_many_frames_it_needs():
    assert least_frames(SimpleNamespace(min_frames=16), 10) == 16
    assert least_frames(SimpleNamespace(min_frames=16), 30) == 30
    assert least_frames(SimpleNamespace(), 10) == 10


def test_the_size_of_a_model_follows_from_its_widths():
    published = SimpleNamespace(model_size="small", n_filters=(128, 256, 512, 256))
    assert model_setting(published, "model_size") == "large"
    assert model_setting(SimpleNamespace(model_size="medium", n_filters=None), "model_size") == "medium"
    assert model_setting(SimpleNamespace(), "softmax_attention") is None


@pytest.mark.parametrize(("source", "simulated"), [("CASIA-B, Simulated walkers", True), ("CASIA-B", False)])
def test_simulated_walkers_are_known_by_the_source(source, simulated):
    assert is_simulated(SimpleNamespace(info={"source": source})) is simulated
    assert not is_simulated(SimpleNamespace(info={}, frames=np.zeros(0)))


PUBLISHED = Path(__file__).parents[1] / "fixtures" / "attengait" / "model-state-0100_weights.hdf5"


def test_published_weights_alone_take_the_attention_from_the_flag(capsys):
    assert open_model(PUBLISHED, {"softmax_attention": True}).softmax_attention
    assert capsys.readouterr().out == ""
    assert not open_model(PUBLISHED).softmax_attention
    assert "does not tell whether it was trained with --softmax_attention" in capsys.readouterr().out
    with pytest.raises(
        GaitError, match=r"--combined_output_length 32 contradicts .* has combined_output_length 4"
    ):
        open_model(PUBLISHED, {"combined_output_length": 32})


@pytest.mark.parametrize("end", ["", ".index", ".meta", ".data-00000-of-00001"])
def test_any_file_of_a_published_checkpoint_names_it(tmp_path, end):
    for written in (".index", ".meta", ".data-00000-of-00001"):
        (tmp_path / f"trained_model.ckpt{written}").touch()
    assert find_run(tmp_path / f"trained_model.ckpt{end}")[0] == tmp_path / "trained_model.ckpt"
