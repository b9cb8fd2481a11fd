"""Shared by all tests: the commands as a user runs them in a shell, two CPU devices, a small data set."""

import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace

# The suite runs on the CPU, and by the backend of KERAS_BACKEND: neither a GPU nor a user's own
# keras.json decides what it tests. Two CPU devices stand in for two GPUs. All this before a backend starts.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if os.environ["KERAS_BACKEND"] == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
    )

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))


def load_script(path):
    """Import a command file (``mains/train.py``) as a module."""
    path = ROOT / path
    spec = importlib.util.spec_from_file_location(f"command_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def seed_everything():
    import keras

    keras.utils.set_random_seed(0)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup():
    """Random weights must not depend on which tests ran before, or in which process."""
    seed_everything()
    return (yield)


def pytest_runtest_call():
    seed_everything()


@pytest.fixture
def command(monkeypatch, capfd):
    """``command("mains/test.py", "--knn", 1)`` -> ``.code``, ``.out``, ``.err`` as in a shell."""
    from keras_gait.commands import run

    def call(path, *arguments):
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        monkeypatch.syspath_prepend((ROOT / path).parent)  # as Python does for a script
        capfd.readouterr()
        code = 0
        try:
            run(load_script(path).main)
        except SystemExit as exit_:
            code = exit_.code or 0
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture
def test_py(place, command, monkeypatch):
    """``mains/test.py`` with these arguments, in the folder ``place`` of the test's module."""
    monkeypatch.chdir(place)
    return lambda *arguments: command("mains/test.py", *arguments)


def tiny_walk(source):
    """20 frames of noise about a brightness that is the subject's own; the name says all."""
    name = Path(source).name
    rng = np.random.default_rng(list(name.encode()))
    noise = rng.integers(0, 60, (20, 64, 64, 3), np.uint8)
    return noise + np.uint8(30 * int(name[:3])), []


@pytest.fixture(scope="session")
def tiny_sets(tmp_path_factory):
    """A folder with a training set of 5 subjects, each with 2 walks from 2 views, 20 frames long."""
    from keras_gait.data.writer import Sequence, write_dataset

    folder = tmp_path_factory.mktemp("sets")
    (folder / "raw").mkdir()
    sequences = []
    for subject in range(1, 6):
        for video in ("01", "02"):
            for view in ("000", "090"):
                source = folder / "raw" / f"{subject:03d}-nm-{video}-{view}"
                source.touch()
                sequences.append(Sequence(f"{subject:03d}", "nm", view, video, str(source)))
    write_dataset(
        folder / "tfimdb_tiny_N005_train_of30_64x64",
        sequences,
        tiny_walk,
        modality="flow",
        source="noise",
        split="train",
    )
    return folder


@pytest.fixture
def tiny_recipe(tiny_sets, tmp_path):
    """``tiny_recipe(**{"sampler.p": 2})`` -> a recipe that trains a tiny model in seconds."""
    from keras_gait.training.recipes import load_recipe

    settings = {
        "data.datadir": str(tiny_sets),
        "model.n_filters": [3, 4, 4, 5],
        "model.combined_output_length": 4,
        "model.split_crossentropy": True,
        "model.softmax_attention": True,
        "sampler.pk": True,
        "sampler.p": 2,
        "sampler.k": 2,
        "sampler.frames": 16,
        "losses.cross_weight": 1.0,
        "optimizer.learning_rate": 1e-3,
        "train.experdir": str(tmp_path / "runs"),
        "train.epochs": 1,
        "train.extra_epochs": 0,
        "train.verbose": 0,
    }
    return lambda **changes: load_recipe(None, settings | changes)


@pytest.fixture(scope="module")
def opened_once():
    """Commands open each .keras file once: that takes longer than most of what they do with it."""
    from keras_gait import checkpoints

    load, opened = checkpoints.load_model, {}

    def once(path, **options):
        place = Path(path).resolve()
        if place.suffix != ".keras":
            return load(path, **options)
        if place not in opened:
            opened[place] = load(path, **options)
        return opened[place]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "load_model", once)
        yield


@pytest.fixture
def step_by_step():
    """On TensorFlow, run a training step operation by operation: tracing costs more than a few steps."""
    if "tf" not in globals():
        yield
        return
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
