"""mains/test.py with SGE: people named and matched, from a run's folder, on tiny sets of skeletons."""

import csv
import re
import shutil

import keras
import numpy as np
import pytest
from checks import refused
from skeleton_sets import write_sets

pytestmark = pytest.mark.usefixtures("step_by_step", "opened_once")

TRAIN, TEST = "tfimdb_ias_N003_train_skeleton_f4", "tfimdb_ias_N003_test_skeleton_f4"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Sets like IAS, CASIA-B's CVE and CME in ``sets``; runs ``ias``, ``encoders``, ``plus``."""
    from keras_gait.models import SGE
    from keras_gait.training.recipes import load_recipe, save_recipe

    place = tmp_path_factory.mktemp("skeletons")
    write_sets(place / "sets")
    write_sets(place / "others", others=(7, 8))
    write_sets(place / "cme", "CASIA_B_match", "casia-b-cme", conditions=("nm", "bg", "cl"))
    write_sets(place / "cve", "CASIA_B", "casia-b-cve", conditions=("",), view="2")
    keras.utils.set_random_seed(0)
    tiny = {"frames": 4, "joints": 20, "units": 4, "hidden": 6}
    models = {
        "ias": SGE(3, ("0", "1", "2"), **tiny),
        "encoders": SGE(**tiny),
        "plus": SGE(3, ("0", "1", "2"), pretext="rev_rec_plus", manner="sc", **tiny),
    }
    for name, model in models.items():
        folder = place / "runs" / name
        folder.mkdir(parents=True)
        model.save(folder / "model-final.keras")
        settings = {"method": "sge", "data.datadir": "sets", "data.dataset": "IAS", "data.length": 4}
        save_recipe(load_recipe(None, settings | {"evaluation.knn": 3}), folder / "recipe.yaml")
    return place


@pytest.fixture
def test_py(place, command, monkeypatch):
    monkeypatch.chdir(place)
    return lambda *arguments: command("mains/test.py", *arguments)


@pytest.fixture
def own_place(test_py, place, tmp_path, monkeypatch):
    """A copy of the folder that a test may change."""
    copy = shutil.copytree(place, tmp_path / "place", ignore=shutil.ignore_patterns("results"))
    monkeypatch.chdir(copy)
    return copy


def figures(folder):
    with open(folder / "figures.csv", newline="") as file:
        return {
            (row["table"], row["row"], row["column"]): float(row["percent"]) for row in csv.DictReader(file)
        }


def test_both_test_sets_are_told_in_the_published_order(test_py, own_place):
    result = test_py("--model", "runs/ias", "--report", "page.html")
    assert result.code == 0, result.err
    words = ("IAS-A: 9 sequences", "Confusion matrix", "Rank-n", "Rank-1:", "nAUC:")
    places = [result.out.index(word) for word in (*words, "IAS-B: 9 sequences")]
    assert places == sorted(places)
    results = own_place / "runs" / "ias" / "results"
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
    page = (own_place / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 5  # two curves, two confusions, attention
    assert "Attention" in page


def test_the_classifier_is_told_as_it_scores(test_py, own_place):
    from keras_gait.checkpoints import load_model
    from keras_gait.data.opening import open_dataset

    result = test_py("--model", "runs/ias/model-final.keras", "--datadir", "sets")
    model, dataset = load_model("runs/ias/model-final.keras"), open_dataset(f"sets/{TEST}")
    of_b = dataset.select(dataset.condition == "B")
    scores = model.scorer.predict(of_b.read_many(np.arange(len(of_b))), verbose=0)[:, 0]
    right = (scores.argmax(axis=1) == of_b.subject.astype(int)).mean()
    assert re.findall(r"^Rank-1: (\S+) %", result.out, re.MULTILINE)[1] == f"{100 * right:.2f}"


def test_each_test_set_is_scored_by_the_model_chosen_for_it(test_py, own_place):
    shutil.copy("runs/plus/model-final.keras", "runs/ias/model-B.keras")
    own = test_py("--model", "runs/ias")
    assert "B: by runs/ias/model-B.keras, which was chosen on this test set" in own.out
    expected = [nauc_of("runs/ias/model-final.keras", "A"), nauc_of("runs/ias/model-B.keras", "B")]
    assert re.findall(r"^nAUC: (\S+) %", own.out, re.MULTILINE) == expected


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


def test_three_pretext_tasks_have_nine_attention_matrices(test_py, own_place):
    from keras_gait.checkpoints import load_model
    from keras_gait.data.opening import open_dataset
    from keras_gait.evaluation.attention_matrices import mean_attention

    means = mean_attention(load_model("runs/plus/model-final.keras"), open_dataset(f"sets/{TEST}"))
    assert list(means) == [
        f"{task}-{axis}" for task in ("rev_rec", "prediction", "sorting") for axis in "xyz"
    ]
    assert all(np.allclose(matrix.sum(axis=1), 1, atol=1e-5) for matrix in means.values())


def test_people_whom_the_model_does_not_know_are_left_out(test_py, own_place):
    result = test_py("--model", "runs/ias", "--datadir", "others")
    assert "2 people of tfimdb_ias_N003_test_skeleton_f4 (7, 8) are not known" in result.out
    assert "their 12 sequences are left out" in result.out
    assert "IAS-A: 9 sequences of 3 people" in result.out


def test_encoders_alone_are_evaluated_by_neighbours(test_py, own_place):
    result = test_py("--model", "runs/encoders", "--knn", 1)
    assert result.code == 0, result.err
    assert "Nearest neighbours of the same features" in result.out
    assert "nAUC" not in result.out


def test_a_test_set_by_itself_is_scored_without_neighbours(test_py, own_place):
    result = test_py("--model", "runs/ias", "--datadir", f"sets/{TEST}")
    assert result.code == 0, result.err
    assert "nAUC" in result.out
    assert "Nearest" not in result.out


def test_conditions_are_matched_as_published(test_py, own_place):
    result = test_py(
        "--model", "runs/encoders", "--datadir", "cme", "--dataset", "CASIA_B_match", "--report", "r.html"
    )
    assert result.code == 0, result.err
    rows = re.findall(
        r"^length 4, probe (\w+), gallery (\w+): Rank-1 (\S+) % \((\d+) of 9\)", result.out, re.M
    )
    assert [row[:2] for row in rows] == [("nm", "nm"), ("bg", "bg"), ("cl", "cl"), ("cl", "nm"), ("bg", "nm")]
    assert all(row[2] == "100.00" for row in rows)  # everyone stands in a pose of their own
    assert (own_place / "runs/encoders/results/rank1.csv").read_text().splitlines()[1] == "nm-nm,1.000000"


def test_one_pair_of_conditions_can_be_asked(test_py, own_place):
    flags = ("--model", "runs/encoders", "--probe_type", "A.B")
    result = test_py(*flags)
    assert re.findall(r"probe \w+, gallery \w+", result.out) == ["probe A, gallery B"]


def test_the_view_of_cross_view_is_told(test_py, own_place):
    flags = ("--datadir", "cve", "--dataset", "CASIA_B", "--view", 2)
    assert "CVE testing view: view 2, 36 degrees" in test_py("--model", "runs/ias", *flags).out


def test_the_newest_run_is_no_part_of_another(test_py, own_place):
    part = own_place / "runs" / "ias" / "rev_rec-x"
    part.mkdir()
    shutil.copy("runs/plus/model-final.keras", part / "model-final.keras")
    assert "rev_rec-x" not in test_py().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--knn", 99), "--knn 99 needs at least 99 gallery sequences, but .* has 15. Use --knn 15 or less"),
        (("--probe_type", "nm.nm"), "expected two conditions of .*It has A, B"),
        (("--probe_type", "A"), "expected two conditions of"),
        (("--protocol", "grew"), "--protocol does not apply to .*, a model of skeletons"),
        (("--camera", 90), "--camera does not apply"),
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


def test_nobody_whom_the_model_knows_leaves_no_sequences(test_py, own_place):
    write_sets(own_place / "strangers", people=(4, 5, 6))
    message = refused(test_py("--model", "runs/ias", "--datadir", "strangers"), "test.py")
    assert "no sequences: not one of the 3 people" in message


def test_windows_of_another_length_or_other_joints_are_refused(test_py, own_place):
    write_sets(own_place / "longer", frames=6)
    flags = ("--probe", "longer/tfimdb_ias_N003_test_skeleton_f6", "--gallery", f"sets/{TRAIN}")
    message = refused(test_py("--model", "runs/ias", *flags), "test.py")
    assert "holds windows of 6 frames, but the model takes skeletons of 20 joints in windows of 4" in message
    write_sets(own_place / "more", joints=25)
    message = refused(test_py("--model", "runs/ias", "--datadir", "more"), "test.py")
    assert "holds skeletons of 25 joints, but the model takes skeletons of 20 joints" in message


def test_neither_classifier_nor_training_set_is_refused(test_py):
    flags = ("--model", "runs/encoders", "--datadir", f"sets/{TEST}")
    assert "no recognition network, and there is no training set" in refused(test_py(*flags), "test.py")
