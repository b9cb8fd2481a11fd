"""Training one encoder of SGE: on every backend, stopped, on two devices; what it learns from."""

import csv
import itertools

import keras
import numpy as np
import pytest
from skeleton_trees import skeleton_sets

from keras_gait.checkpoints import load_model
from keras_gait.data.skeletons.normalisation import axis_range
from keras_gait.errors import GaitError
from keras_gait.models import SGE
from keras_gait.training import checkpointing, sge_encoder, stage
from keras_gait.training.epochs import run_epochs
from keras_gait.training.recipes import load_recipe
from keras_gait.training.sge_data import training_set

pytestmark = [
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]
BACKEND = keras.backend.backend()
SMALL = {
    "method": "sge",
    "data.dataset": "BIWI",
    "model.units": 4,
    "sampler.batch_size": 16,
    "losses.temperature": 0.1,
    "train.epochs": 1,
    "train.verbose": 0,
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """32 windows of 4 frames, two people."""
    folder = tmp_path_factory.mktemp("skeletons")
    skeleton_sets(folder, folder / "tree", "BIWI", 4, persons=2, windows=16)
    return training_set(load_recipe(None, SMALL | {"data.datadir": str(folder)}))


@pytest.fixture
def fit(dataset, tmp_path):
    """``fit(**changes)`` trains the encoder of x -> (its model, the rows of its history)."""
    numbers = itertools.count()

    def fit(folder=None, task="rev_rec", compiled=None, validation=None, axis=0, windows=dataset, **changes):
        recipe = load_recipe(None, SMALL | changes)
        recipe["data"]["length"] = 4
        options = SGE(frames=4, **recipe["model"]).axis_options(task)
        folder = tmp_path / (folder or f"run{next(numbers)}")
        folder.mkdir(exist_ok=True)
        compiled = {} if compiled is None else compiled
        sge_encoder.train_encoder(recipe, options, task, axis, windows, validation, folder, compiled)
        rows = list(csv.DictReader((folder / "history.csv").open()))
        return load_model(folder / "model-final.keras"), rows

    return fit


def assert_equal(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# at this rate nothing moves: the losses agree, and the rate is halved from the third epoch on
STILL = {"optimizer.learning_rate": 1e-13, "train.epochs": 4, "sampler.batch_size": 32}


@pytest.mark.backend
def test_an_encoder_that_was_stopped_ends_as_one_that_was_not(fit, monkeypatch):
    compiled = {}
    whole, expected = fit(compiled=compiled, **STILL)
    rates = [float(row["learning_rate"]) for row in expected]
    assert rates == pytest.approx([1e-13, 1e-13, 5e-14, 2.5e-14])

    def most(model, batches, first, last, *others):
        run_epochs(model, batches, first, 3, *others)  # of four epochs
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "SECONDS_BETWEEN_SAVES", 0)
        patch.setattr(stage, "run_epochs", most)
        with pytest.raises(KeyboardInterrupt):
            fit("stopped", compiled=compiled, **STILL)
    stopped, found = fit("stopped", compiled=compiled, **STILL)
    assert found == expected
    assert_equal(stopped, whole)


def test_one_compiled_model_trains_several_encoders_as_models_of_their_own(fit):
    compiled = {}
    fit(compiled=compiled, axis=1)
    shared, found = fit(compiled=compiled, axis=2)
    assert len(compiled) == 1
    own, expected = fit(axis=2)
    assert found == expected
    assert_equal(shared, own)


def test_the_end_of_the_rule_is_the_end_of_the_training(fit, monkeypatch):
    losses = iter([2.0, 2.0, 2.0, 2.5, 1.0, 1.0])
    fake = {"val_contrast": 0.0}
    monkeypatch.setattr(
        sge_encoder.EncoderValidation, "measure", lambda self: fake | {"val_reconstruction": next(losses)}
    )
    _, found = fit(**{"train.epochs": 6, "sampler.batch_size": 32})
    assert [float(row["val_reconstruction"]) for row in found] == [2.0, 2.0, 2.0, 2.5]
    assert float(found[-1]["learning_rate"]) == pytest.approx(0.00025)


def test_a_constant_rate_stays_and_ends_nowhere(fit):
    _, found = fit(**STILL | {"schedule.name": "constant"})
    assert [float(row["learning_rate"]) for row in found] == pytest.approx([1e-13] * 4)


def test_without_windows_held_out_the_first_batch_validates(fit):
    _, (row,) = fit(**STILL | {"train.epochs": 1})  # one batch, and nothing moves
    assert float(row["val_reconstruction"]) == pytest.approx(float(row["errors_last"]), rel=1e-5)
    assert float(row["val_contrast"]) == pytest.approx(float(row["projection_loss"]), rel=1e-4)


def test_the_last_batch_counts_as_a_whole_one(fit, dataset):
    model, (row,) = fit(**STILL | {"train.epochs": 1, "sampler.batch_size": 24})  # 24 windows and 8
    windows = dataset.read_many(np.arange(24, 32))[..., 0]
    errors = model.predict_on_batch({"skeletons": windows, "targets": windows})["errors"]
    assert float(row["errors_last"]) == pytest.approx(0.5 * np.square(errors).sum() * 3, rel=1e-4)


def test_windows_held_out_validate(fit, dataset):
    apart = dataset.select(np.arange(4))
    model, (row,) = fit(validation=apart, **{"sampler.batch_size": 32})
    windows = apart.read_many(np.arange(4))[..., 0]
    errors = model.predict_on_batch({"skeletons": windows, "targets": windows})["errors"]
    expected = 0.5 * np.square(errors).sum() / 4 * 32  # as of a batch of training
    assert float(row["val_reconstruction"]) == pytest.approx(expected, rel=1e-5)


def test_the_published_batches_are_whole_and_of_biwis_first_two_thirds(dataset):
    recipe = load_recipe(None, SMALL | {"sampler.published": True, "sampler.batch_size": 8})
    sampler = sge_encoder.make_batches(recipe, dataset, "rev_rec", 0).sampler
    assert (sampler.total, sampler.steps_per_epoch) == (21, 2)  # 32 - ceil(32 / 3)
    recipe["data"]["dataset"] = "IAS"
    assert sge_encoder.make_batches(recipe, dataset, "rev_rec", 0).sampler.steps_per_epoch == 4


@pytest.fixture
def start(fit, tmp_path, monkeypatch):
    """``start(**changes)`` -> the model that training would start with."""
    monkeypatch.setattr(sge_encoder, "train_stage", lambda model, batches, folder, *_: folder)
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "history.csv").touch()
    return lambda **changes: fit("start", **changes)[0]


def test_the_range_is_that_of_the_training_windows(start, dataset):
    model = start(**{"model.normalise": "range"})
    for values, expected in zip(
        model.get_layer("normalisation").get_weights(), axis_range(dataset, 0), strict=True
    ):
        np.testing.assert_array_equal(values, expected)


def test_the_seed_decides(start):
    one, other = start(), start()
    assert_equal(one, other)
    third = start(**{"train.seed": 5})
    assert not np.array_equal(one.get_weights()[0], third.get_weights()[0])


def test_axes_and_tasks_start_from_weights_of_their_own(start):
    places = (("rev_rec", 0), ("rev_rec", 1), ("sorting", 0))
    kernels = [start(task=task, axis=axis).get_weights()[0] for task, axis in places]
    for one, other in itertools.combinations(kernels, 2):
        assert not np.allclose(one, other)


def test_a_contrast_of_recordings_and_none_at_all_train(fit):
    _, (row,) = fit(**{"losses.pairs": "recordings", "sampler.batch_size": 32})
    assert float(row["projection_loss"]) > 0
    _, (row,) = fit(**{"model.contrast": "none", "sampler.batch_size": 32})
    assert "projection_loss" not in row
    assert "val_contrast" not in row


@pytest.mark.backend
@pytest.mark.skipif(BACKEND == "torch", reason="one device only on PyTorch")
def test_two_devices_learn_what_one_learns(fit, dataset, tmp_path):
    settings = {"optimizer.learning_rate": 0.01, "losses.pairs": "recordings", "sampler.batch_size": 10}
    # three batches; recordings end among the windows of the first device and of the second
    settings["windows"] = dataset.select(~np.isin(np.arange(32), (3, 20)))
    one, (alone,) = fit("one", **settings)
    if BACKEND == "tensorflow":  # devices do not meet in a step that runs operation by operation
        import tensorflow as tf

        tf.config.run_functions_eagerly(False)
    two, (together,) = fit("two", **settings, **{"train.multi_gpu": 2})
    for name, value in alone.items():
        assert float(together[name]) == pytest.approx(float(value), rel=1e-3), name
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-4)
    # Adam's means, unlike its updates, show a gradient that is too large; some of them were clipped each time
    with np.load(tmp_path / "one/training-state.npz") as a, np.load(tmp_path / "two/training-state.npz") as b:
        assert a.files == b.files
        for name in a.files:
            np.testing.assert_allclose(b[name], a[name], rtol=1e-3, atol=1e-3)
        means = [a[name] for name in a.files[-40:] if a[name].ndim]
    assert max(np.abs(each).max() for each in means) == pytest.approx(5 * (1 - 0.9**3), rel=1e-4)


def test_a_batch_must_divide_among_the_devices(fit):
    with pytest.raises(GaitError, match=r"a batch of 15 sequences .* does not divide among 2 devices"):
        fit(**{"train.multi_gpu": 2, "sampler.batch_size": 15})
