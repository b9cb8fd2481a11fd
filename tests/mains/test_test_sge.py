"""mains/test.py with SGE: people named and matched, from a run's folder, on tiny sets of skeletons."""

import csv
import os
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from checks import refused
from skeleton_sets import write_sets
from tf1_checkpoints import recognition_state, write_models, write_tf1

pytestmark = pytest.mark.usefixtures("step_by_step", "opened_once")

TINY = {"frames": 4, "joints": 20, "units": 4, "hidden": 6}
TRAIN, TEST = "tfimdb_ias_N003_train_skeleton_f4", "tfimdb_ias_N003_test_skeleton_f4"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Sets like IAS, CASIA-B's CVE and CME in ``sets``; runs ``ias``, ``encoders``, ``sc``."""
    from keras_gait.models import SGE
    from keras_gait.training.recipes import load_recipe, save_recipe

    place = tmp_path_factory.mktemp("skeletons")
    write_sets(place / "sets")
    write_sets(place / "others", others=(7, 8))
    write_sets(place / "cme", "CASIA_B_match", "casia-b-cme", conditions=("nm", "bg", "cl"))
    write_sets(place / "cve", "CASIA_B", "casia-b-cve", conditions=("",), view="2")
    keras.utils.set_random_seed(0)
    models = {
        "ias": SGE(3, ("0", "1", "2"), **TINY),
        "encoders": SGE(**TINY),
        "sc": SGE(3, ("0", "1", "2"), manner="sc", **TINY),
    }
    for name, model in models.items():
        folder = place / "runs" / name
        folder.mkdir(parents=True)
        model.save(folder / "model-final.keras")
        settings = {"method": "sge", "data.datadir": "sets", "data.dataset": "IAS", "data.length": 4}
        save_recipe(load_recipe(None, settings | {"evaluation.knn": 3}), folder / "recipe.yaml")
    return place


@pytest.fixture
def own_place(test_py, place, tmp_path, monkeypatch):
    """A copy of the folder that a test may change; its models are links, which are opened once."""

    def copied(source, target):
        return (os.symlink if source.endswith(".keras") else shutil.copy2)(source, target)

    ignored = shutil.ignore_patterns("results", "raw")
    copy = shutil.copytree(place, tmp_path / "place", ignore=ignored, copy_function=copied)
    monkeypatch.chdir(copy)
    return copy


def figures(folder):
    with open(folder / "figures.csv", newline="") as file:
        return {
            (row["table"], row["row"], row["column"]): float(row["percent"]) for row in csv.DictReader(file)
        }


def test_both_test_sets_are_told_in_the_published_order(test_py, place, tmp_path):
    result = test_py("--model", "runs/ias", "--report", tmp_path / "page.html")
    assert result.code == 0, result.err
    words = ("IAS-A: 9 sequences", "Confusion matrix", "Rank-n", "Rank-1:", "nAUC:")
    places = [result.out.index(word) for word in (*words, "IAS-B: 9 sequences")]
    assert places == sorted(places)
    results = place / "runs" / "ias" / "results"
    with open(results / "rank1.csv", newline="") as file:
        rows = {row["condition"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["IAS-A", "IAS-B"]
    # everyone stands in a pose of their own: the neighbours' features tell them apart
    assert [float(row["neighbours Rank-1"]) for row in rows.values()] == [1.0, 1.0]
    told = figures(results)
    ranks = [told["Rank-n (CMC) of the recognition network, in %", "IAS-A", str(n)] for n in (1, 2, 3)]
    assert ranks == sorted(ranks)
    assert ranks[-1] == 100
    assert ranks[0] == pytest.approx(100 * float(rows["IAS-A"]["Rank-1"]), abs=1e-3)
    with open(results / "confusion-IAS-B.csv", newline="") as file:
        lines = list(csv.reader(file))[1:]
    assert sum(int(count) for line in lines for count in line[1:]) == 9
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 5  # two curves, two confusions, attention
    assert "Attention" in page


def test_the_classifier_is_told_as_it_scores(test_py):
    from keras_gait.checkpoints import load_model
    from keras_gait.data.opening import open_dataset

    result = test_py("--model", "runs/ias/model-final.keras", "--datadir", "sets")
    model, dataset = load_model("runs/ias/model-final.keras"), open_dataset(f"sets/{TEST}")
    of_b = dataset.select(dataset.condition == "B")
    scores = model.scorer.predict(of_b.read_many(np.arange(len(of_b))), verbose=0)[:, 0]
    right = (scores.argmax(axis=1) == of_b.subject.astype(int)).mean()
    assert re.findall(r"^Rank-1: (\S+) %", result.out, re.MULTILINE)[1] == f"{100 * right:.2f}"


def test_each_test_set_is_scored_by_the_model_chosen_for_it(test_py, own_place):
    shutil.copy("runs/sc/model-final.keras", "runs/ias/model-B.keras")
    own = test_py("--model", "runs/ias")
    assert "B: by runs/ias/model-B.keras, which was chosen on this test set" in own.out
    expected = [nauc_of("runs/ias/model-final.keras", "A"), nauc_of("runs/ias/model-B.keras", "B")]
    assert re.findall(r"^nAUC: (\S+) %", own.out, re.MULTILINE) == expected
    named = test_py("--model", "runs/ias/model-B.keras")  # one that is named scores all
    assert "chosen on this test set" not in named.out
    expected[0] = nauc_of("runs/ias/model-B.keras", "A")
    assert re.findall(r"^nAUC: (\S+) %", named.out, re.MULTILINE) == expected


def test_published_networks_of_each_test_set_are_found(tmp_path):
    from keras_gait.evaluation.skeletons import own_model
    from keras_gait.models import SGE

    model = SGE(3, frames=4, joints=5, units=3, hidden=6)
    path = write_models(tmp_path, model)
    state = recognition_state(model)
    write_tf1(path.with_name("B_trained_model.ckpt"), state | {"W": 2 * state["W"]})
    own, found = own_model(model, path, "B")
    assert found.name == "B_trained_model.ckpt"
    assert np.allclose(own.get_layer("logits").kernel, 2 * state["W"])
    assert own_model(model, path, "A") == (model, path)
    assert own_model(model, path.with_name("A_trained_model.ckpt"), "B")[0] is model


def nauc_of(path, condition):
    from keras_gait.checkpoints import load_model
    from keras_gait.data.opening import open_dataset
    from keras_gait.evaluation.identification import micro_roc_area

    dataset = open_dataset(f"sets/{TEST}")
    dataset = dataset.select(dataset.condition == condition)
    scores = load_model(path).scorer(dataset.read_many(np.arange(len(dataset))))
    return (
        f"{100 * micro_roc_area(keras.ops.convert_to_numpy(scores)[:, 0], dataset.subject.astype(int)):.2f}"
    )


def test_figures_that_were_chosen_on_the_test_set_say_so(test_py, own_place):
    said = "epoch was chosen on the test set, as published"
    assert said not in test_py("--model", "runs/ias").out
    recipe = own_place / "runs" / "ias" / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("selection: held-out", "selection: published"))
    assert said in test_py("--model", "runs/ias").out


def test_three_pretext_tasks_have_nine_attention_matrices(place):
    from keras_gait.data.opening import open_dataset
    from keras_gait.evaluation.attention_matrices import mean_attention
    from keras_gait.models import SGE

    dataset = open_dataset(place / "sets" / TEST)
    means = mean_attention(SGE(pretext="rev_rec_plus", **TINY), dataset.select(np.arange(len(dataset)) < 2))
    assert list(means) == [
        f"{task}-{axis}" for task in ("rev_rec", "prediction", "sorting") for axis in "xyz"
    ]
    assert all(np.allclose(matrix.sum(axis=1), 1, atol=1e-5) for matrix in means.values())


def test_people_whom_the_model_does_not_know_are_left_out(test_py):
    result = test_py("--model", "runs/ias", "--datadir", "others")
    assert "2 people of tfimdb_ias_N003_test_skeleton_f4 (7, 8) are not known" in result.out
    assert "their 12 sequences are left out" in result.out
    assert "IAS-A: 9 sequences of 3 people" in result.out


def test_encoders_alone_are_evaluated_by_neighbours(test_py):
    result = test_py("--model", "runs/encoders", "--knn", 1)
    assert result.code == 0, result.err
    assert "Nearest neighbours of the same features" in result.out
    assert "nAUC" not in result.out


def test_a_test_set_by_itself_is_scored_without_neighbours(test_py):
    result = test_py("--model", "runs/ias", "--datadir", f"sets/{TEST}")
    assert result.code == 0, result.err
    assert "nAUC" in result.out
    assert "Nearest" not in result.out


def test_conditions_are_matched_as_published(test_py, place, tmp_path):
    page = tmp_path / "page.html"
    result = test_py(
        "--model", "runs/encoders", "--datadir", "cme", "--dataset", "CASIA_B_match", "--report", page
    )
    assert result.code == 0, result.err
    rows = re.findall(
        r"^length 4, probe (\w+), gallery (\w+): Rank-1 (\S+) % \((\d+) of 9\)", result.out, re.M
    )
    assert [row[:2] for row in rows] == [("nm", "nm"), ("bg", "bg"), ("cl", "cl"), ("cl", "nm"), ("bg", "nm")]
    assert all(row[2] == "100.00" for row in rows)  # everyone stands in a pose of their own
    assert page.read_text().count("data:image/png;base64,") == 1  # attention
    assert (place / "runs/encoders/results/rank1.csv").read_text().splitlines()[1] == "nm-nm,1.000000"


def test_one_pair_of_conditions_can_be_asked(test_py):
    flags = ("--model", "runs/encoders", "--probe_type", "A.B")
    result = test_py(*flags)
    assert re.findall(r"probe \w+, gallery \w+", result.out) == ["probe A, gallery B"]


def test_the_view_of_cross_view_is_told(test_py):
    flags = ("--datadir", "cve", "--dataset", "CASIA_B", "--view", 2)
    assert "CVE testing view: view 2, 36 degrees" in test_py("--model", "runs/ias", *flags).out


def test_the_newest_run_is_no_part_of_another(test_py, own_place):
    from keras_gait.evaluation.inputs import find_run

    for folder in ("runs/ias", "runs/ias/rev_rec-x"):
        Path(folder).mkdir(exist_ok=True)
        Path(folder, "model-final.keras").unlink(missing_ok=True)
        shutil.copy("runs/sc/model-final.keras", folder)
    assert find_run()[0] == Path("runs/ias/model-final.keras")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--knn", 99), "--knn 99 needs at least 99 gallery sequences, but .* has 15. Use --knn 15 or less"),
        (("--probe_type", "nm.nm"), "expected two conditions of .*It has A, B"),
        (("--probe_type", "A"), "expected two conditions of"),
        (("--protocol", "grew"), "--protocol does not apply to .*, a model of skeletons"),
        (("--camera", 90), "--camera does not apply"),
        (("--channels", "x"), "--channels does not apply"),
        (("--nframes", 10), "--nframes does not apply"),
        (
            ("--probe_type", "A.B", "--knn", 3),
            "--knn does not apply to matching, which takes the one nearest",
        ),
        (("--tta",), "SGE has no test-time views"),
        (("--datadir", f"sets/{TRAIN}"), "is a training set"),
        (("--datadir", "nowhere"), "nowhere does not exist"),
        (("--dataset", "KGBD"), "no data set whose name has .*kgbd"),
        (("--model", "sets"), "is a folder without model-final.keras or trained_model.ckpt"),
        (("--probe", f"others/{TEST}", "--gallery", f"cme/tfimdb_ias{TRAIN}"), "does not exist"),
    ],
)
def test_wrong_use_is_one_line(test_py, flags, message):
    flags = flags if flags[0] == "--model" else ("--model", "runs/ias", *flags)
    assert re.search(message, refused(test_py(*flags), "test.py"))


@pytest.mark.parametrize("script", ["compare_walks.py", "test_grew_challenge.py"])
def test_commands_of_whole_walks_refuse_windows(place, command, monkeypatch, script):
    monkeypatch.chdir(place)
    result = command(f"mains/{script}", "--datadir", "sets", "--model", "runs/ias")
    assert "holds a SGE, which takes windows of 4 frames: evaluate it by" in refused(result, script)


def test_flags_of_skeletons_are_refused_for_other_models(test_py, place, tmp_path):
    from keras_gait.models import GaitSet

    GaitSet(channels=(4, 4, 4), embedding_size=4).save(tmp_path / "gaitset.keras")
    for flag in ("--dataset", "--view", "--probe_type"):
        message = refused(test_py("--model", tmp_path / "gaitset.keras", flag, "2"), "test.py")
        assert f"{flag} does not apply to" in message
        assert "a GaitSet: it is for skeletons; leave it out" in message


def test_the_encoder_of_one_axis_is_no_model(test_py, place, tmp_path):
    from keras_gait.models import SGEAxis

    path = tmp_path / "run" / "rev_rec-x" / "model-final.keras"
    path.parent.mkdir(parents=True)
    SGEAxis(frames=4, joints=5, units=3).save(path)
    message = refused(test_py("--model", path.parent, "--datadir", "sets"), "test.py")
    assert (
        f"holds a SGEAxis, a part of a model: give the folder of the whole run, such as {tmp_path}" in message
    )


def test_nobody_whom_the_model_knows_leaves_no_sequences(test_py, tmp_path):
    write_sets(tmp_path, people=(4, 5, 6))
    message = refused(test_py("--model", "runs/ias", "--datadir", tmp_path), "test.py")
    assert "no sequences: not one of the 3 people" in message


def test_windows_of_another_length_or_other_joints_are_refused(test_py, tmp_path):
    write_sets(tmp_path / "longer", frames=6)
    longer = tmp_path / "longer" / "tfimdb_ias_N003_test_skeleton_f6"
    flags = ("--probe", longer, "--gallery", f"sets/{TRAIN}")
    message = refused(test_py("--model", "runs/ias", *flags), "test.py")
    assert "holds windows of 6 frames, but the model takes skeletons of 20 joints in windows of 4" in message
    write_sets(tmp_path / "more", joints=25)
    message = refused(test_py("--model", "runs/ias", "--datadir", tmp_path / "more"), "test.py")
    assert "holds skeletons of 25 joints, but the model takes skeletons of 20 joints" in message


def test_neither_classifier_nor_training_set_is_refused(test_py):
    flags = ("--model", "runs/encoders", "--datadir", f"sets/{TEST}")
    assert "no recognition network, and there is no training set" in refused(test_py(*flags), "test.py")
