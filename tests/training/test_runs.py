"""A run's folder: its name, and who may go on in it."""

from types import SimpleNamespace

import pytest

from keras_gait.errors import GaitError
from keras_gait.training.checkpointing import STATE_FILE
from keras_gait.training.recipes import differences, load_recipe
from keras_gait.training.runs import DATA_FILE, FINAL_MODEL, is_complete, open_run, run_name

CASIAB = {
    "train.prefix": "attengait_casiab",
    "schedule.name": "cosine",
    "model.split_crossentropy": True,
    "model.softmax_attention": True,
    "optimizer.learning_rate": 0.0005,
    "train.multi_gpu": 2,
    "losses.cross_weight": 1.0,
}
DATA = SimpleNamespace(path="sets/a", fingerprint="0123456789abcdef")
OTHER_DATA = SimpleNamespace(path="sets/b", fingerprint="fedcba9876543210")


def test_the_name_is_the_published_one():
    assert run_name(load_recipe(None, CASIAB), 74, 128) == (
        "attengait_casiab_attengait_N074_opAdam_wd1e-05_lr_sched_split_crossentropy_ms-small"
        "_softmax_attention_bs128_lr0.001000_crossentropy1.0"
    )


def test_many_classes_take_five_digits():
    assert run_name(load_recipe(), 20000, 64) == "attengait_N20000_opAdam_wd1e-05_ms-small_bs064_lr0.000100"


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("losses.normalise", "descriptor", "_norm_tl"),
        ("losses.soft", True, "_soft_tl"),
        ("losses.adaptive", True, "_adap_tl"),
        ("model.shared_weights_crossentropy", True, "_shared_weights_crossentropy"),
        ("model.subtract_mean", True, "_sub_mean"),
        ("model.model_size", "large", "_ms-large"),
        ("sampler.repeat", True, "_rep_data"),
        ("sampler.varying_length", True, "_diffFrames"),
        ("data.cut", True, "_cut"),
    ],
)
def test_each_published_switch_shows_in_the_name(key, value, part):
    assert part not in run_name(load_recipe(), 74, 128)
    assert part in run_name(load_recipe(None, {key: value}), 74, 128)


@pytest.fixture
def started(tmp_path):
    """A run that has kept something."""
    folder = open_run(tmp_path / "run", load_recipe(), DATA)
    (folder / STATE_FILE).touch()
    return folder


def test_the_same_settings_go_on_and_the_recipe_is_kept(started):
    assert open_run(started, load_recipe(), DATA) == started
    assert differences(load_recipe(started / "recipe.yaml"), load_recipe()) == {}


def test_other_settings_are_refused_and_each_is_named(started):
    other = load_recipe(None, {"sampler.p": 4, "losses.margin": 0.5})
    with pytest.raises(GaitError, match=r"losses.margin 0.2 -> 0.5, sampler.p 8 -> 4. Use another --prefix"):
        open_run(started, other, DATA)
    assert differences(load_recipe(started / "recipe.yaml"), load_recipe()) == {}


def test_what_does_not_change_the_weights_may_differ(started):
    free = {"train.verbose": 0, "data.datadir": "elsewhere", "evaluation.knn": 3, "train.save_epoch": 5}
    open_run(started, load_recipe(None, free), DATA)


def test_a_run_that_kept_nothing_may_change_its_settings(tmp_path):
    open_run(tmp_path / "run", load_recipe(), DATA)
    open_run(tmp_path / "run", load_recipe(None, {"sampler.p": 4}), OTHER_DATA)
    assert load_recipe(tmp_path / "run" / "recipe.yaml")["sampler"]["p"] == 4


def test_a_run_is_complete_with_its_final_model(started):
    assert not is_complete(started)
    (started / FINAL_MODEL).touch()
    assert is_complete(started)


@pytest.mark.parametrize("kept", [STATE_FILE, FINAL_MODEL])
def test_another_data_set_is_refused_with_both_named(tmp_path, kept):
    folder = open_run(tmp_path / "run", load_recipe(), DATA)
    (folder / kept).touch()
    with pytest.raises(GaitError, match=r"sets/a \(0123456789ab\), and sets/b \(fedcba987654\) is another"):
        open_run(folder, load_recipe(None, {"data.datadir": "sets/b"}), OTHER_DATA)
    assert load_recipe(folder / "recipe.yaml")["data"]["datadir"] is None


def test_the_same_data_set_elsewhere_goes_on(started):
    moved = SimpleNamespace(path="elsewhere/a", fingerprint=DATA.fingerprint)
    open_run(started, load_recipe(None, {"data.datadir": "elsewhere/a"}), moved)
    assert load_recipe(started / "recipe.yaml")["data"]["datadir"] == "elsewhere/a"


def test_a_run_whose_data_set_is_not_known_is_refused(started):
    (started / DATA_FILE).write_text("[]")
    with pytest.raises(GaitError, match=r"data\.json, which tells the run's data set, cannot be read"):
        open_run(started, load_recipe(), DATA)


def test_the_recipe_of_a_complete_run_stays(started):
    before = (started / "recipe.yaml").read_bytes()
    (started / FINAL_MODEL).touch()
    open_run(started, load_recipe(None, {"evaluation.knn": 3, "data.datadir": "elsewhere"}), DATA)
    assert (started / "recipe.yaml").read_bytes() == before
