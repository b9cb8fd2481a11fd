"""mains/demo.py: every step is a command that exists and takes these flags; its table is right."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from checks import refused
from conftest import ROOT, load_script

from keras_gait.data import opening
from keras_gait.evaluation import baseline
from keras_gait.training import raw_skeletons
from keras_gait.training.recipes import load_recipe

IDENTIFIED = SimpleNamespace(rank_1=0.25, nauc=0.25)


@pytest.fixture(autouse=True)
def as_a_script(monkeypatch):
    """A script finds the modules beside it."""
    monkeypatch.syspath_prepend(ROOT / "mains")


@pytest.fixture
def demo():
    return load_script("mains/demo.py")


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """The steps that were started: each is only parsed, by its own script; training leaves a model.

    Testing finds 50, 40, 30 %, and less by as much as the model's place in `WORSE` says.
    """
    done = []

    def parsed(words):
        script = os.path.relpath(words[1], ROOT)
        arguments = load_script(script).parse(words[2:])
        done.append(script)
        if script == "mains/train.py":
            load_recipe(*arguments[:2])
            run = Path(arguments[1]["train.experdir"]) / "a"
            run.mkdir(parents=True)
            (run / "model-final.keras").touch()
            if "train.init_net" in arguments[1]:
                assert (Path(arguments[1]["train.init_net"]) / "model-final.keras").exists()
        if script == "mains/test.py":
            model = Path(arguments.model)
            worse = 0.01 * WORSE.index(model.parent.parent.name) if model.parent.parent.name in WORSE else 0
            worse = 0.3 if model.name == "model-state-0000.keras" else worse
            (model.parent / "results").mkdir(exist_ok=True)
            rows = (f"{name},0.9,{rank - worse}\n" for name, rank in (("nm", 0.5), ("bg", 0.4), ("cl", 0.3)))
            (model.parent / "results" / "rank1.csv").write_text("condition,036,mean\n" + "".join(rows))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", parsed)
    return done


STEPS = {"attengait": 7, "skeletongait": 5, "skeletongaitplusplus": 7, "gaitgraph2": 4, "sge": 5}
WORSE = ("finetuned-100", "scratch-100", "finetuned-10", "scratch-10", "features", "strips")  # of SelfGait
BEATEN = {"gaitgraph2": "poses", "sge": "skeletons"}


@pytest.mark.parametrize("method", STEPS)
def test_every_step_takes_its_flags_and_the_table_comes_last(command, steps, monkeypatch, tmp_path, method):
    for name in ("energy_image_accuracy", "raw_pose_accuracy"):
        monkeypatch.setattr(baseline, name, lambda *arguments: np.full((3, 2), 0.25))
    found = [SimpleNamespace(name=name, found=IDENTIFIED) for name in ("nm", "bg", "cl")]
    monkeypatch.setattr(raw_skeletons, "raw_skeletons", lambda run, folder: found)
    monkeypatch.setattr(opening, "find_dataset", lambda folder, role: folder)
    monkeypatch.setattr(opening, "open_dataset", lambda path: path)
    result = command("mains/demo.py", "--experdir", tmp_path / "demo", "--method", method)
    assert result.code == 0, result.err
    assert steps[0] == "preprocessing/simulate_walkers.py"
    assert steps[-2:] == ["mains/train.py", "mains/test.py"]
    assert len(steps) == STEPS[method]
    rows = [line.split() for line in result.out.splitlines()]
    assert ["NM", "trained", "90.0", "50.0"] in rows
    assert ["mean", "trained", "90.0", "40.0"] in rows
    beaten = BEATEN.get(method, "gait energy image")
    assert rows.count(["raw", *beaten.split(), "25.0", "25.0"]) == 4
    gain = "036: +65.0" if method == "sge" else "mean: +15.0"
    assert f"mean of {gain} points against the raw {beaten}" in result.out


def test_the_models_of_selfgait_are_compared_in_one_table(command, steps, monkeypatch, tmp_path):
    monkeypatch.setattr(baseline, "energy_image_accuracy", lambda *arguments: np.full((3, 2), 0.25))
    result = command("mains/demo.py", "--experdir", tmp_path / "demo", "--method", "selfgait")
    assert result.code == 0, result.err
    assert [steps.count(f"mains/{name}.py") for name in ("train", "test")] == [6, 7]
    rows = result.out[result.out.index("Rank-1 in % on simulated walkers") :].splitlines()[1:10]
    assert rows[0].split() == ["NM", "BG", "CL", "mean"]
    assert [(*row.rsplit(maxsplit=4),) for row in rows[1:]] == [
        ("untrained", "20.0", "10.0", "0.0", "10.0"),
        ("pretrained, cosine along strips", "45.0", "35.0", "25.0", "35.0"),
        ("pretrained, cosine along features", "46.0", "36.0", "26.0", "36.0"),
        ("fine-tuned, 10 % of the labels", "48.0", "38.0", "28.0", "38.0"),
        ("from scratch, 10 % of the labels", "47.0", "37.0", "27.0", "37.0"),
        ("fine-tuned, all labels", "50.0", "40.0", "30.0", "40.0"),
        ("from scratch, all labels", "49.0", "39.0", "29.0", "39.0"),
        ("raw gait energy image", "25.0", "25.0", "25.0", "25.0"),
    ]
    assert "pretraining, 10 % of the labels: +1.0 points of the mean" in result.out
    assert "pretraining, all labels: +1.0 points of the mean" in result.out
    best = tmp_path / "demo" / "runs" / "finetuned-100"
    assert f"model:  {best / 'a' / 'model-final.keras'}" in result.out
    assert f"report: {best / 'report.html'}" in result.out


def test_the_pretext_is_handed_to_training(command, monkeypatch, tmp_path):
    def refusing_training(words):
        handed.append(words)
        return SimpleNamespace(returncode=2 if words[1].endswith("train.py") else 0)

    handed = []
    monkeypatch.setattr(subprocess, "run", refusing_training)
    result = command("mains/demo.py", "--experdir", tmp_path, "--method", "sge", "--pretext", "prediction")
    assert result.code == 2
    assert handed[-1][-2:] == ["--model", "prediction"]


def test_a_pretext_is_for_sge_alone(command, tmp_path):
    message = refused(command("mains/demo.py", "--experdir", tmp_path, "--pretext", "sorting"), "demo.py")
    assert message.startswith("--pretext is for --method sge")


def test_every_method_of_the_demo_is_tried_here(demo):
    assert list(demo.DEMOS) == [*STEPS, "selfgait"]


def test_a_step_that_fails_ends_the_demo(command, monkeypatch, tmp_path):
    monkeypatch.setattr(subprocess, "run", lambda words: SimpleNamespace(returncode=2))
    message = refused(command("mains/demo.py", "--experdir", tmp_path), "demo.py")
    assert message == "preprocessing/simulate_walkers.py ended with exit code 2; its own message is above"


def test_the_newest_model_is_by_time_and_not_by_name(demo, tmp_path):
    for name, age in (("a", 10), ("z", 500)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model-final.keras").touch()
        os.utime(tmp_path / name / "model-final.keras", (1e9 - age, 1e9 - age))
    assert demo.newest_model(tmp_path) == tmp_path / "a" / "model-final.keras"
