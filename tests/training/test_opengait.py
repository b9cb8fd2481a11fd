"""Training in OpenGait's way: settings to batches and losses, whole runs, and several devices."""

import csv
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gait.checkpoints import load_model
from keras_gait.checkpoints.by_name import published_variables
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.data.writer import Sequence, write_dataset
from keras_gait.errors import GaitError
from keras_gait.files import FINAL_MODEL
from keras_gait.models import SkeletonGait
from keras_gait.training import checkpointing, opengait, supervised
from keras_gait.training.devices import distribute
from keras_gait.training.recipes import load_recipe

pytestmark = [
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]

BACKEND = keras.backend.backend()
NAME = "tfimdb_tiny_N004_train_joined_64x64"


def joined_walk(source):
    """Noise about a brightness that is the subject's own."""
    name = Path(source).name
    rng = np.random.default_rng(list(name.encode()))
    return rng.integers(0, 60, (7, 64, 64, 3), np.uint8) + np.uint8(40 * int(name[:3])), []


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with a joined set of four subjects, two walks each, 7 frames long."""
    folder = tmp_path_factory.mktemp("joined")
    (folder / "raw").mkdir()
    sources = [folder / "raw" / f"{subject:03d}-{video}" for subject in range(1, 5) for video in ("01", "02")]
    for source in sources:
        source.touch()
    write_dataset(
        folder / NAME,
        [Sequence(source.name[:3], "nm", "000", source.name[-2:], str(source)) for source in sources],
        joined_walk,
        modality="joined",
        source="noise",
        split="train",
        frame_shape=(64, 64, 3),
        channels=("limb", "joint", "silhouette"),
    )
    return folder


@pytest.fixture
def dataset(sets):
    return open_dataset(find_dataset(sets, "train"))


@pytest.fixture
def recipe(sets, tmp_path):
    """``recipe(**{"sampler.p": 2})`` trains a tiny SkeletonGait in seconds."""
    settings = {
        "method": "skeletongait",
        "data.datadir": str(sets),
        "data.channels": ["limb", "joint"],
        "model.mode": "2d",
        "model.channels": [2, 3, 4, 4],
        "sampler.p": 2,
        "sampler.k": 2,
        "sampler.frames": 3,
        "optimizer.learning_rate": 0.01,
        "train.iterations": 2,
        "train.steps_per_epoch": 2,
        "train.experdir": str(tmp_path / "runs"),
        "train.verbose": 0,
    }
    return lambda **changes: load_recipe(None, settings | changes)


def rows(folder):
    return list(csv.DictReader((folder / "history.csv").open()))


@pytest.mark.backend
def test_a_run_learns_from_both_losses_and_leaves_a_model(recipe):
    folder = supervised.train(recipe(**{"augmentation.perspective": 0.5, "augmentation.rotate": 0.5}))
    assert folder.name == "skeletongait_N004_p2k2_lr0.01"
    (row,) = rows(folder)
    assert float(row["loss"]) == pytest.approx(
        float(row["embeddings_loss"]) + float(row["logits_loss"]), rel=1e-4
    )
    assert 0 <= float(row["logits_parts_accuracy"]) <= 1
    model = load_model(folder / "model-final.keras")
    assert isinstance(model, SkeletonGait)
    assert (model.frame_shape, model.nclasses) == ((64, 44, 2), 4)
    assert model.encoder(np.zeros((1, 2, 64, 64, 2))).shape == (1, 16, 4)


def test_the_triplets_are_made_of_what_comes_before_the_neck(recipe):
    folder = supervised.train(recipe(**{"model.use_emb2": True}))
    assert set(rows(folder)[0]) >= {"features_loss", "logits_loss"}


def test_without_cross_entropy_there_is_no_classifier(recipe):
    folder = supervised.train(recipe(**{"losses.cross_weight": 0.0}))
    assert load_model(folder / "model-final.keras").nclasses == 0


def test_a_weighted_cross_entropy_counts_so_much(recipe):
    (row,) = rows(supervised.train(recipe(**{"losses.cross_weight": 0.5})))
    expected = float(row["embeddings_loss"]) + 0.5 * float(row["logits_loss"])
    assert float(row["loss"]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.backend
def test_a_stopped_run_ends_as_one_that_was_not_stopped(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpointing, "SECONDS_BETWEEN_SAVES", 0)
    settings = {
        "train.iterations": 2,
        "train.steps_per_epoch": 1,
        "schedule.milestones": [1],
        "sampler.lengths": "unfixed",
    }
    settings |= {"sampler.frames_min": 2, "sampler.frames_max": 4, "augmentation.erasing": 0.5}
    whole = supervised.train(recipe(**settings, **{"train.experdir": str(tmp_path / "whole")}))
    run_epochs = supervised.run_epochs

    def half(model, batches, first, last, *others):
        run_epochs(model, batches, first, first + 1, *others)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(supervised, "run_epochs", half)
        with pytest.raises(KeyboardInterrupt):
            supervised.train(recipe(**settings))
    stopped = supervised.train(recipe(**settings))
    for a, b in zip(*(_weights(folder) for folder in (whole, stopped)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert rows(stopped) == rows(whole)
    rates = [float(row["learning_rate"]) for row in rows(whole)]
    assert rates == pytest.approx([0.001, 0.001])  # of the update that comes next


def _weights(folder):
    return load_model(folder / "model-final.keras").get_weights()


def test_half_precision_trains_and_the_saved_model_is_whole(recipe):
    folder = supervised.train(recipe(**{"train.mixed_precision": True}))
    model = load_model(folder / "model-final.keras")
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.backend
@pytest.mark.skipif(BACKEND == "torch", reason="one device only on PyTorch")
def test_two_devices_learn_what_one_learns_from_the_whole_batch(recipe, tmp_path, monkeypatch):
    settings = {"train.multi_gpu": 2, "sampler.p": 4, "train.iterations": 1, "train.steps_per_epoch": 1}
    settings |= {"sampler.lengths": "unfixed", "sampler.frames_min": 1, "sampler.frames_max": 3}
    with monkeypatch.context() as patch:
        patch.setattr(supervised, "distribute", lambda count: distribute(0))
        patch.setattr(opengait, "share_batches", lambda model, devices: None)
        one = supervised.train(recipe(**settings, **{"train.experdir": str(tmp_path / "one")}))
    if BACKEND == "tensorflow":  # devices do not meet in a step that runs operation by operation
        import tensorflow as tf

        tf.config.run_functions_eagerly(False)
    two = supervised.train(recipe(**settings))
    first, second = (rows(folder)[0] for folder in (one, two))
    assert float(second["loss"]) == pytest.approx(float(first["loss"]), rel=1e-5)
    for a, b in zip(*(_weights(folder) for folder in (one, two)), strict=True):
        np.testing.assert_allclose(b, a, atol=1e-5)


def test_the_batch_is_that_of_all_devices_together(recipe, dataset):
    sampler = opengait.make_batches(recipe(**{"train.multi_gpu": 2}), dataset).sampler
    assert (sampler.p, sampler.k) == (2, 2)
    with pytest.raises(GaitError, match=r"2 x 2 sequences .* does not divide among 3 devices"):
        opengait.make_batches(recipe(**{"train.multi_gpu": 3}), dataset)


def test_batches_hold_what_the_recipe_says(recipe, dataset):
    settings = {"sampler.order": "unordered", "sampler.lengths": "unfixed", "sampler.frames_min": 2}
    settings |= {"sampler.frames_max": 5, "augmentation.rotate_centre": "middle", "sampler.skip": 2}
    batches = opengait.make_batches(recipe(**settings), dataset)
    assert (batches.clips.ordered, batches.clips.limits, batches.clips.skip) == (False, (2, 5), 2)
    assert not batches.augment.published_centre
    clips, labels, targets = batches[0]
    assert clips.shape[2:] == (64, 44, 3)
    np.testing.assert_array_equal(targets.argmax(axis=1), labels)


def narrow(dataset, height, width):
    dataset.frame_shape = (height, width, 2)
    return dataset


@pytest.mark.parametrize(("height", "width", "expected"), [(64, 64, 44), (64, 44, 44), (128, 128, 88)])
def test_a_model_takes_44_columns_for_64_rows(dataset, height, width, expected):
    assert opengait.frame_shape(narrow(dataset, height, width)) == (height, expected, 2)


def test_narrower_frames_are_refused(dataset):
    with pytest.raises(GaitError, match=r"frames of 64 x 40; they must be 44 columns wide, or wider"):
        opengait.frame_shape(narrow(dataset, 64, 40))


def test_a_set_without_the_channels_that_the_method_needs_is_refused(recipe, sets, dataset):
    wanted = {"data.channels": ["limb", "depth"]}
    with pytest.raises(GaitError, match=r"has the channels limb, joint, silhouette; asked for: limb, depth"):
        supervised.train(recipe(**wanted))
    maps = load_recipe(None, {"method": "skeletongaitplusplus"})
    with pytest.raises(GaitError, match=r"cannot be built for .* must have 3 channels"):
        supervised.make_model(maps, dataset.take_channels(["limb", "joint"]), 4)


def test_iterations_must_fill_their_epochs(recipe):
    with pytest.raises(GaitError, match=r"iterations 5 must be a multiple of train\.steps_per_epoch 2"):
        supervised.train(recipe(**{"train.iterations": 5}))


def test_more_subjects_than_there_are_is_refused(recipe):
    with pytest.raises(GaitError, match=r"a batch of 5 subjects .* has 4 subjects"):
        supervised.train(recipe(**{"sampler.p": 5}))


def start_from(recipe, dataset, model, tmp_path, classes=4):
    path = tmp_path / "first.keras"
    model.save(path)
    recipe = recipe(**{"train.init_net": str(path)})
    maps = dataset.take_channels(["limb", "joint"])
    started = supervised.make_model(recipe, maps, classes)
    supervised.start_weights(started, recipe, opengait.make_batches(recipe, maps))
    return started


def test_a_run_starts_from_another_with_all_but_a_classifier_for_other_classes(
    recipe, dataset, tmp_path, capsys
):
    source = SkeletonGait(nclasses=9, mode="2d", channels=(2, 3, 4, 4))
    started = start_from(recipe, dataset, source, tmp_path)
    ours, theirs = ({w.path: w for w in model.weights} for model in (started, source))
    assert ours.keys() == theirs.keys()
    for path, weight in theirs.items():
        if path != "BNNecks/kernel":
            np.testing.assert_array_equal(weight, ours[path])
    assert "classifier for 9 classes not taken over, training 4" in capsys.readouterr().out


def test_a_checkpoint_of_another_width_is_refused(recipe, dataset, tmp_path):
    source = SkeletonGait(nclasses=4, mode="2d", channels=(3, 3, 4, 4))
    with pytest.raises(GaitError, match=r"another size: layer0.*/kernel \(3, 3, 2, 3\) instead of"):
        start_from(recipe, dataset, source, tmp_path)


def test_a_run_starts_from_published_weights(recipe, dataset, tmp_path):
    source = SkeletonGait(nclasses=4, mode="2d", channels=(2, 3, 4, 4))
    path = tmp_path / "published.npz"
    np.savez(path, **{p.name: _as_published(p) for p in published_variables(source)})
    folder = supervised.train(recipe(**{"train.init_net": str(path), "optimizer.learning_rate": 0.0}))
    ours, theirs = (
        {w.path: w for w in m.trainable_weights} for m in (load_model(folder / FINAL_MODEL), source)
    )
    for name, weight in theirs.items():
        np.testing.assert_array_equal(ours[name], weight)


def _as_published(published):
    array = checkpointing.to_numpy(published.variable)
    if published.parts:
        return array.reshape(published.parts, -1).T.ravel()
    return array.transpose(np.argsort(published.axes))


def test_a_run_that_runs_away_ends_with_one_line(recipe):
    with pytest.raises(GaitError, match=r"the loss became infinite or NaN; .* Lower --lr"):
        supervised.train(recipe(**{"optimizer.learning_rate": 1e30}))
