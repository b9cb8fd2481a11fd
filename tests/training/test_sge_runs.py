"""Training SGE: whole tiny runs, stops at any point, encoders taken from elsewhere, selection, bad cases."""

import contextlib
import csv
import io
import re
import shutil

import numpy as np
import pytest
from skeleton_trees import skeleton_sets, skeleton_tree

from keras_gait.checkpoints import load_model
from keras_gait.errors import GaitError
from keras_gait.training import checkpointing, epochs, sge, sge_data, sge_encoder
from keras_gait.training.recipes import load_recipe
from keras_gait.training.start import train

pytestmark = [
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]
NAME = "IAS_LA_RN_ap_4_0.1_0pre_rev_rec"
ENCODERS = ("rev_rec-x", "rev_rec-y", "rev_rec-z")


class KilledError(Exception):
    """Stands for a kill from outside."""


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with IAS (4 frames; a view of its own too) and BIWI (4 and 6 frames), three people each."""
    folder = tmp_path_factory.mktemp("skeletons")
    with contextlib.redirect_stdout(io.StringIO()):
        for dataset, length in (("IAS", 4), ("BIWI", 4), ("BIWI", 6)):
            skeleton_sets(folder, folder / "trees", dataset, length, persons=3, windows=12)
    return folder


@pytest.fixture(scope="module")
def tiny(sets, tmp_path_factory):
    """``tiny(**{"train.epochs": 1})`` -> a recipe that trains on IAS in seconds, one batch an epoch."""
    settings = {
        "method": "sge",
        "data.datadir": str(sets),
        "data.dataset": "IAS",
        "data.length": 4,
        "model.units": 4,
        "model.hidden": 4,
        "sampler.batch_size": 64,
        "train.epochs": 2,
        "train.held_out": 0.3,
        "recognition.epochs": 3,
        "recognition.batch_size": 256,
        "train.experdir": str(tmp_path_factory.mktemp("runs")),
        "train.verbose": 0,
    }
    return lambda **changes: load_recipe(None, settings | changes)


@pytest.fixture(scope="module")
def runs():
    return {}


@pytest.fixture
def whole(runs, tiny, tmp_path_factory, monkeypatch):
    """A run that nothing disturbed -> (folder, what it printed)."""
    monkeypatch.setattr(checkpointing, "SECONDS_BETWEEN_SAVES", 0)
    if not runs:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            folder = train(tiny(**{"train.verbose": 1}))
        runs["whole"] = folder, said.getvalue()
    return runs["whole"]


def rows(folder):
    return list(csv.DictReader((folder / "history.csv").open()))


def weights(folder, name="model-final.keras"):
    return load_model(folder / name).get_weights()


def assert_equal_runs(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in (*ENCODERS, "recognition"):
        assert rows(one / name) == rows(other / name), name


def test_a_run_leaves_encoders_their_losses_and_one_model(whole):
    folder, said = whole
    assert folder.name == NAME
    for name in ENCODERS:
        epochs_of = rows(folder / name)
        assert [row["epoch"] for row in epochs_of] == ["0", "1"]
        assert float(epochs_of[1]["errors_loss"]) < float(epochs_of[0]["errors_loss"])
        assert all(float(row["val_contrast"]) > 0 for row in epochs_of)
        line = re.search(f"{name} epoch 2/2: batch 1/1, L_R (.*), validation L_R (.*), L_C (.*)", said)
        told = [float(epochs_of[1][key]) for key in ("errors_last", "val_reconstruction", "val_contrast")]
        assert [float(value) for value in line.groups()] == pytest.approx(told, rel=1e-4)
    assert [row["epoch"] for row in rows(folder / "recognition")] == ["0", "1", "2"]
    assert re.search(r"recognition epoch 3/3: loss \d.*, validation accuracy \d", said)
    assert not list(folder.rglob("features-*.npy"))
    model = load_model(folder / "model-final.keras")
    assert model.subjects == ("0", "1", "2")
    assert model.output["embeddings"].shape == (None, 4, 12)
    hdf5 = load_model(folder / "model-final.hdf5").get_weights()
    for a, b in zip(model.get_weights(), hdf5, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_model_has_the_weights_of_its_encoders_and_of_the_best_epoch(whole):
    folder, _ = whole
    model = load_model(folder / "model-final.keras")
    for name in ENCODERS:
        encoder = load_model(folder / name / "model-final.keras").get_layer("axis")
        for a, b in zip(model.get_layer(name).get_weights(), encoder.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    accuracies = [float(row["accuracy"]) for row in rows(folder / "recognition")]
    with np.load(folder / "recognition" / "best-final.npz") as best:
        np.testing.assert_array_equal(model.get_layer("logits").get_weights()[0], best["arr_2"])
    assert max(accuracies) <= 1


def test_a_complete_run_is_not_trained_again(whole, tiny, capsys):
    folder, _ = whole
    before = (folder / "model-final.keras").stat().st_mtime_ns
    assert train(tiny()) == folder
    assert "is there already: nothing to train" in capsys.readouterr().out
    assert (folder / "model-final.keras").stat().st_mtime_ns == before


@pytest.mark.parametrize("key", ["train.epochs", "recognition.epochs", "model.normalise"])
def test_other_settings_are_refused_by_name(whole, tiny, key):
    other = {"train.epochs": 5, "recognition.epochs": 5, "model.normalise": "joint"}[key]
    with pytest.raises(GaitError, match=f"holds a run with other settings: {key} .* -> '?{other}"):
        train(tiny(**{key: other}))


def test_a_run_killed_four_times_ends_as_one_that_was_never_killed(whole, tiny, tmp_path, monkeypatch):
    recipe = tiny(**{"train.experdir": str(tmp_path)})
    steps = {"count": 0, "kill": 4}

    class Killing(checkpointing.SaveState):
        def on_train_batch_end(self, batch, logs=None):
            steps["count"] += 1
            if steps["count"] == steps["kill"]:
                raise KilledError

    def killed(place, name, value):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, value)
            with pytest.raises(KilledError):
                train(recipe)

    def die(*_):
        raise KilledError

    def until_z(recipe, options, task, axis, *others):
        die() if axis == 2 else train_encoder(recipe, options, task, axis, *others)

    train_encoder = sge.train_encoder
    killed(epochs, "SaveState", Killing)  # in the midst of the second epoch of y
    folder = tmp_path / NAME
    assert [len(rows(folder / name)) for name in ENCODERS[:2]] == [2, 1]
    killed(sge, "train_encoder", until_z)  # between two encoders
    assert not (folder / "rev_rec-z" / "history.csv").exists()
    killed(sge, "train_recognition", die)  # with features made
    made = (folder / "recognition" / "features-training.npy").stat().st_mtime_ns
    steps.update(count=0, kill=2)
    killed(epochs, "SaveState", Killing)  # in the midst of the second epoch of recognition
    assert len(rows(folder / "recognition")) == 1
    assert (folder / "recognition" / "features-training.npy").stat().st_mtime_ns == made
    assert_equal_runs(train(recipe), whole[0])


def test_features_of_other_settings_are_not_taken(whole, tiny, tmp_path, monkeypatch):
    shutil.copytree(whole[0], tmp_path / NAME)
    (tmp_path / NAME / "model-final.keras").unlink()
    with pytest.raises(GaitError, match=r"recognition holds a run with other settings: recognition.epochs"):
        train(tiny(**{"train.experdir": str(tmp_path), "recognition.epochs": 4}))


def test_recognition_alone_takes_trained_encoders(whole, tiny, tmp_path):
    settings = {"train.experdir": str(tmp_path), "train.stage": 0}
    with pytest.raises(GaitError, match=r"has no trained encoder rev_rec-x, .*--train_flag 1"):
        train(tiny(**settings))
    shutil.copytree(whole[0], tmp_path / NAME, dirs_exist_ok=True)
    folder = train(tiny(**settings, **{"model.manner": "sc", "recognition.epochs": 1}))
    assert folder.name == "IAS_LA_RN_sc_4_0.1_0pre_rev_rec"
    assert not (folder / "rev_rec-x").exists()
    model = load_model(folder / "model-final.keras")
    assert model.output["embeddings"].shape == (None, 1, 48)
    theirs = load_model(whole[0] / "model-final.keras")
    for a, b in zip(*(m.get_layer("rev_rec-y").get_weights() for m in (model, theirs)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_evaluation_alone_is_left_to_its_command(tiny):
    with pytest.raises(GaitError, match=r"run mains/test.py"):
        train(tiny(**{"train.stage": 2}))


@pytest.mark.parametrize("by", ["data set", "run folder"])
def test_encoders_of_another_data_set_are_taken(whole, tiny, by):
    word = "IAS" if by == "data set" else str(whole[0])
    folder = train(tiny(**{"data.dataset": "BIWI", "train.transfer": word, "recognition.epochs": 1}))
    assert folder.name == f"BIWI_LA_RN_ap_4_0.1_0pre_rev_rec_from_{word.split('/')[-1]}"
    models = [load_model(each / "model-final.keras") for each in (folder, whole[0])]
    for a, b in zip(*(m.get_layer("rev_rec-z").get_weights() for m in models), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train.transfer": "KGBD"}, r"--transfer KGBD: neither .* nor .*KGBD_LA_RN_ap_4_0.5_0pre_rev_rec"),
        ({"model.pretext": "prediction"}, "has no trained encoder prediction-x: .*--model prediction"),
        ({"data.length": 6}, r"rev_rec-x.*does not fit: .* frames=6. Received: frames=4"),
        ({"model.units": 5}, r"does not fit: .* units=5. Received: units=4"),
    ],
    ids=["unknown", "task", "length", "units"],
)
def test_encoders_that_do_not_fit_are_refused(whole, tiny, tmp_path, changes, message):
    changes = {"data.dataset": "BIWI", "train.transfer": str(whole[0])} | changes
    with pytest.raises(GaitError, match=message):
        train(tiny(**changes, **{"train.experdir": str(tmp_path)}))


@pytest.fixture
def only_y(monkeypatch):
    """Encoders of y are trained; those of x and z stay as they start, which takes no time.

    Gives a dict of all in order: ``(task, axis)`` to ``(attention, whether targets are reversed)``.
    """
    train_encoder, asked = sge.train_encoder, {}

    def call(recipe, options, task, axis, *others):
        asked[task, axis] = options["attention"], options["reverse"]
        with monkeypatch.context() as patch:
            if axis != 1:
                patch.setattr(sge_encoder, "train_stage", lambda *_: None)
            train_encoder(recipe, options, task, axis, *others)

    monkeypatch.setattr(sge, "train_encoder", call)
    return asked


def test_all_three_tasks_are_trained_and_the_last_two_without_alignment(tiny, tmp_path, only_y):
    settings = {"model.pretext": "rev_rec_plus", "train.epochs": 1, "recognition.epochs": 1}
    settings["train.experdir"] = str(tmp_path)
    folder = train(tiny(**settings))
    assert folder.name == "IAS_RN_ap_4_0.1_0pre_rev_rec_plus"
    ways = {"rev_rec": ("LA", True), "prediction": ("BA", False), "sorting": ("BA", False)}
    assert list(only_y.items()) == [((task, axis), way) for task, way in ways.items() for axis in range(3)]
    model = load_model(folder / "model-final.keras")
    for task in ways:
        (row,) = rows(folder / f"{task}-y")
        assert ("alignment_loss" in row) == (task == "rev_rec")
        own = load_model(folder / f"{task}-y" / "model-final.keras").get_layer("axis").get_weights()
        for a, b in zip(model.get_layer(f"{task}-y").get_weights(), own, strict=True):
            np.testing.assert_array_equal(a, b)
    assert model.output["embeddings"].shape == (None, 4, 36)
    double = tiny(**settings, **{"model.double_pretext": "pred+sort", "train.transfer": str(folder)})
    joined = load_model(train(double) / "model-final.keras")
    assert joined.output["embeddings"].shape == (None, 4, 24)
    assert joined.tasks == ("prediction", "sorting")


def test_the_projection_may_be_the_feature(whole, tiny, tmp_path):
    settings = {"model.features": "projection", "recognition.epochs": 1, "train.experdir": str(tmp_path)}
    folder = train(tiny(**settings, **{"train.transfer": str(whole[0])}))
    assert folder.name == f"{NAME}_c_reid_from_{NAME}"
    assert load_model(folder / "model-final.keras").output["embeddings"].shape == (None, 1, 12)


def test_a_frozen_contrast_trains_a_projection_alone(tiny, tmp_path, only_y):
    settings = {"model.contrast": "frozen", "model.features": "projection", "train.experdir": str(tmp_path)}
    folder = train(tiny(**settings, **{"train.epochs": 1, "recognition.epochs": 1}))
    assert folder.name == "IAS_LA_RN_ap_4_0.1_1pre_rev_rec"
    assert load_model(folder / "model-final.keras").output["embeddings"].shape == (None, 1, 12)
    with pytest.raises(GaitError, match=r"must have contrast='joint'. Received"):
        train(tiny(**{"train.transfer": str(folder), "train.experdir": str(tmp_path)}))


def test_no_recognition_makes_a_model_without_classes(whole, tiny, tmp_path):
    settings = {"recognition.epochs": 0, "train.transfer": str(whole[0]), "train.experdir": str(tmp_path)}
    model = load_model(train(tiny(**settings)) / "model-final.keras")
    assert list(model.output) == ["embeddings"]


def test_the_published_selection_is_by_the_test_sets(whole, tiny, tmp_path):
    settings = {"train.selection": "published", "train.transfer": str(whole[0])}
    folder = train(tiny(**settings, **{"train.experdir": str(tmp_path)}))
    (first, *_) = found = rows(folder / "recognition")
    assert {"accuracy_A", "accuracy_B"} <= set(first)
    for name in "AB":
        best = max(range(3), key=lambda epoch: float(found[epoch][f"accuracy_{name}"]))  # the first of equals
        assert (folder / "recognition" / f"best-{name}.npz").exists()
        model = load_model(folder / f"model-{name}.keras")
        test, labels = sge_data.test_set(
            sge._resolved(tiny(), sge_data.training_set(tiny())), sge_data.training_set(tiny())
        )
        mine = np.flatnonzero(test.condition == name)
        scores = np.asarray(model.scorer.predict_on_batch(test.read_many(mine)))[:, 0]
        right = float(np.mean(scores.argmax(axis=1) == labels[mine]))
        assert right == pytest.approx(float(found[best][f"accuracy_{name}"]))


def test_the_last_epoch_may_be_taken(whole, tiny, tmp_path, monkeypatch):
    settings = {"train.selection": "last", "train.transfer": str(whole[0]), "train.experdir": str(tmp_path)}

    def export(*arguments):
        checkpointing.export(*arguments)
        raise KilledError

    monkeypatch.setattr(sge, "export", export)
    with pytest.raises(KilledError):  # with the last file there
        train(tiny(**settings))
    folder = train(tiny(**settings))
    assert not list(folder.rglob("features-*.npy"))
    assert "accuracy" not in rows(folder / "recognition")[0]
    model = load_model(folder / "model-final.keras")
    with np.load(folder / "recognition" / "training-state.npz") as state:
        np.testing.assert_array_equal(model.get_layer("hidden").get_weights()[0], state["00000"])


def test_temperatures_are_the_data_sets(sets, tiny):
    assert [sge_data.temperature_for(name) for name in ("BIWI", "KGBD", "CASIA_B", "casia_b_match")] == [
        0.1,
        0.5,
        0.15,
        0.15,
    ]
    dataset = sge_data.training_set(tiny())
    assert sge._resolved(tiny(), dataset)["losses"]["temperature"] == 0.1
    asked = tiny(**{"losses.temperature": 0.3})
    assert sge._resolved(asked, dataset)["losses"]["temperature"] == 0.3
    assert sge.run_folder(sge._resolved(asked, dataset)).name == "IAS_LA_RN_ap_4_0.3_0pre_rev_rec"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"data.dataset": "KGBD"},
            r"no data set .*made by preprocessing/generate_skeleton_dataset.py --dataset KGBD",
        ),
        ({"data.length": 8}, r"no data set .*generate_skeleton_dataset.py --dataset IAS --length 8"),
        ({"data.view": 3}, r"no data set .*view3.*--view 3"),
        ({"data.nclasses": 11}, "holds no data set .*_N011_"),
        ({"schedule.name": "cosine"}, "unknown schedule 'cosine'.*plateau, constant"),
        ({"model.pretext": "jigsaw"}, "pretext must be one of"),
        ({"model.double_pretext": "rev_rec+pred"}, "with pretext rev_rec_plus"),
        ({"train.held_out": 0.0}, "holds nothing out"),
        ({"train.held_out": 0.01}, "no window is left to hold out"),
        ({"train.mixed_precision": True}, "leave --mixed_precision out"),
        ({"sampler.published": True, "train.selection": "last"}, "36 sequences, but 64 are needed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_use_is_one_line(tiny, tmp_path, changes, message):
    with pytest.raises(GaitError, match=message) as caught:
        train(tiny(**changes, **{"train.experdir": str(tmp_path)}))
    assert "\n" not in str(caught.value)


def test_a_data_set_given_itself_must_be_the_one_asked_for(sets, tiny):
    (path,) = sets.glob("*ias*train*")
    assert sge_data.training_set(tiny(**{"data.datadir": str(path)})).path == path
    for key, value in (("length", 6), ("dataset", "BIWI"), ("view", 2)):
        with pytest.raises(GaitError, match=f"has data.{key} .*asked for is {value}"):
            sge_data.training_set(tiny(**{"data.datadir": str(path), f"data.{key}": value}))
    with pytest.raises(GaitError, match="has 3 people, asked for are 11"):
        sge_data.training_set(tiny(**{"data.datadir": str(path), "data.nclasses": 11}))


def test_a_published_tree_is_told_from_a_data_set(tiny, tmp_path):
    skeleton_tree(tmp_path, "KS20", 6, view=2)
    folder = tmp_path / "Datasets" / "KS20" / "6" / "view_2"
    for datadir in (tmp_path, folder, folder / "KS20_train_npy_data"):
        with pytest.raises(GaitError, match=r"holds the published .npy files .*generate_skeleton_dataset.py"):
            train(tiny(**{"data.datadir": str(datadir)}))


def test_one_person_cannot_be_told_from_another(tiny, tmp_path):
    skeleton_sets(tmp_path, tmp_path / "tree", "IAS", 4, persons=1)
    with pytest.raises(GaitError, match="has 1 person"):
        train(tiny(**{"data.datadir": str(tmp_path)}))


def test_another_modality_is_refused(tiny, tiny_sets):
    (path,) = tiny_sets.glob("tfimdb*")
    settings = {"data.datadir": str(path), "data.dataset": None, "data.length": None}
    with pytest.raises(GaitError, match="of modality flow, but skeletons"):
        train(tiny(**settings))


def test_the_test_set_must_be_of_the_same_people(tiny, sets, tmp_path):
    recipe = tiny(**{"train.selection": "published"})
    dataset = sge_data.training_set(recipe)
    strangers = dataset.select(dataset.subject == "2")
    strangers.subject[:] = "7"
    with pytest.raises(GaitError, match="not one person of"):
        sge_data.test_set(sge._resolved(recipe, dataset), strangers)


def test_a_person_with_too_few_windows_to_hold_out_is_learnt_from(tiny):
    recipe = tiny()
    dataset = sge_data.training_set(recipe)
    few = dataset.select((dataset.subject != "1") | (np.cumsum(dataset.subject == "1") == 1))
    training, validation = sge_data.divided(recipe, few)
    assert training[few.subject == "1"].tolist() == [True]
    assert set(few.subject[validation]) == {"0", "2"}
