"""Every benchmark runs, on next to nothing, and prints its figures as JSON lines. No times are asked for."""

import importlib
import json

import pytest
import yaml
from conftest import ROOT

from keras_gait.models.attengait import SIZES

WALKERS = "chance", *(f"{name} {pair} view" for name in ("nm", "bg", "cl") for pair in ("same", "cross"))
RATES = "steps a second", "clips trained a second", "clips embedded a second"
TIMED = "step to forward pass", *RATES, "share of time waiting for input"
POSES = "sequences a second", "input", "baseline", "ratio", "input ratio", "ratio before the branches"
SKELETONS = "batches a second", "baseline", "ratio", "ratio without queue", "largest difference"
RUNS = {  # benchmark -> its smallest arguments, its figures
    "dataset_index": ("--sequences 500 --batch 4 --frames 8", ("open", "open_ratio", "batch", "batch_ratio")),
    "input_pipeline": ("--p 2 --k 2 --frames 16 --steps 1", ("batches a second", "baseline", "ratio")),
    "micro_motion": (
        "--batch 1 --frames 2 --strips 2 --channels 4 --repeats 1",
        tuple(
            figure.format(name)
            for name in ("forward passes", "gradients")
            for figure in ("{} a second", "{} a second by separate blocks", "ratio of {}", "difference of {}")
        ),
    ),
    "neighbour_contrast": (
        "--batch 5 --units 4 --repeats 1",
        (
            *("losses a second", "losses a second by the loop", "ratio"),
            *(f"difference of the {what}" for what in ("value", "gradient")),
        ),
    ),
    "pose_pipeline": (
        "--batch 8 --frames 60 --repeats 1",
        (
            *(f"{figure}{where}" for where in ("", " from disk") for figure in POSES),
            "largest difference",
        ),
    ),
    "simulated_walkers": (
        "--subjects 2 --views 054 090 --frames 4 --size 64 --worker_num 1",
        WALKERS,
    ),
    "skeleton_maps": (
        "--frames 4 --sequences 1 --repeats 1",
        (
            *("frames a second", "in one thread", "baseline", "ratio", "ratio in one thread"),
            "pixels that differ",
        ),
    ),
    "skeleton_pipeline": ("--windows 12 --batch 4 --steps 1 --repeats 1", 3 * SKELETONS),
    "training": (f"--config {ROOT}/configs/attengait/casiab.yaml --p 2 --k 1 --frames 16 --repeats 1", TIMED),
    "view_augmentation": (
        "--batch 3 --frames 4 --repeats 1",
        (
            *(f"{steps}, {way}" for steps in ("flips", "all steps") for way in ("ours", "baseline", "ratio")),
            "all steps, streamed",
        ),
    ),
}


@pytest.fixture
def lines(monkeypatch, capfd):
    """``lines("training", words)`` -> the JSON lines that the benchmark prints."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.setattr("input_pipeline.TAKES", 2)
    monkeypatch.setitem(SIZES, "small", (3, 4, 4, 5))

    def run(name, arguments):
        importlib.import_module(name).main(arguments.split())
        return [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]

    return run


@pytest.mark.parametrize("name", RUNS)
def test_a_benchmark_prints_its_figures(lines, step_by_step, name):
    arguments, figures = RUNS[name]
    found = lines(name, arguments)
    assert [line["figure"] for line in found] == list(figures)
    assert all(line["benchmark"] and isinstance(line["value"], float) for line in found)


def test_the_encoder_of_an_axis_is_timed(lines, step_by_step):
    found = lines("training", f"--config {ROOT}/configs/sge/biwi.yaml --batch 4 --repeats 1")
    assert [line["figure"] for line in found] == list(TIMED)
    assert {(line["clips"], line["frames"]) for line in found} == {(4, 6)}


def test_learning_from_two_views_is_timed(lines, step_by_step, tmp_path):
    recipe = yaml.safe_load((ROOT / "configs/selfgait/casiab.yaml").read_text())
    recipe["model"] = {"channels": [2, 4, 4], "hidden_dim": 4, "mlp_hidden_size": 4, "projection_size": 4}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(recipe))
    found = lines("training", f"--config {tmp_path}/small.yaml --p 2 --k 1 --frames 2 --repeats 1")
    assert [line["figure"] for line in found] == list(TIMED)
    assert {(line["clips"], line["frames"]) for line in found} == {(2, 2)}


def test_the_contrast_is_timed_against_a_loop_that_finds_the_same(lines):
    *_, value, gradient = lines("neighbour_contrast", "--batch 9 --units 4 --temperature 0.5 --repeats 1")
    assert max(value["value"], gradient["value"]) < 1e-4


def test_blocks_of_all_strips_are_timed_against_separate_ones_that_find_the_same(lines):
    found = lines("micro_motion", "--batch 2 --frames 6 --strips 3 --channels 8 --repeats 1")
    apart = [line["value"] for line in found if line["figure"].startswith("difference")]
    assert max(apart) < 1e-5


def test_the_search_is_timed_for_each_kind_of_data(lines):
    found = lines("knn_evaluation", "--probes 5 --gallery 60 --sample 2 --metrics L1 --data walkers noise")
    assert [(line["data"], line["metric"]) for line in found] == [("walkers", "L1"), ("noise", "L1")]
    for line in found:
        assert line["same_neighbours"] == "2 of 2"
        assert {"seconds", "evaluate_seconds", "loop_seconds", "ratio", "peak_gigabytes"} <= set(line)
