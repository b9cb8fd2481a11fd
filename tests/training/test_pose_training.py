"""Training in GaitGraph's way: whole runs, averaged weights, subjects held out, several devices."""

import contextlib
import csv
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gait.checkpoints import load_model
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.data.poses.sets import write_pose_sets
from keras_gait.data.writer import Sequence
from keras_gait.errors import GaitError
from keras_gait.layers import BatchNorm
from keras_gait.training import averaging, checkpointing, gaitgraph, supervised, validation
from keras_gait.training.devices import distribute
from keras_gait.training.recipes import load_recipe

pytestmark = [
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]

BACKEND = keras.backend.backend()
WALKS = ("01", "02", "03")


def walk(source):
    """A walk of 3 to 8 frames about a pose that is the subject's own."""
    name = Path(source).name
    rng = np.random.default_rng(list(name.encode()))
    pose = np.random.default_rng(int(name[:3])).uniform(0, 200, (17, 3))
    poses = pose + rng.normal(0, 3, (rng.integers(3, 9), 17, 3))
    return (poses * [1, 1, 0] + [0, 0, 0.9]).astype(np.float32), []


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with one set by each of two estimators: four subjects, three walks each."""
    folder = tmp_path_factory.mktemp("poses")
    (folder / "raw").mkdir()
    sources = [folder / "raw" / f"{subject:03d}-{video}" for subject in range(1, 5) for video in WALKS]
    for source in sources:
        source.touch()
    sequences = [Sequence(s.name[:3], "nm", "000", s.name[-2:], str(s)) for s in sources]
    for keypoints in ("hrnet", "openpose"):
        about = {"layout": "casia-b", "joints": "coco", "keypoints": keypoints, "source": "noise"}
        write_pose_sets(folder, {"train": (4, sequences)}, walk, **about)
    return folder


@pytest.fixture
def dataset(sets):
    return open_dataset(find_dataset(sets, "train", 4, keypoints="hrnet"))


@pytest.fixture
def recipe(sets, tmp_path):
    """``recipe(**{"sampler.batch_size": 5})`` trains a small GaitGraph2 in seconds."""
    settings = {
        "method": "gaitgraph2",
        "data.datadir": str(sets),
        "data.keypoints": "hrnet",
        "model.network": "resgcn-b1.1.1.1",
        "model.inputs": "plain",
        "model.embedding_size": 4,
        "model.frames": 4,
        "sampler.batch_size": 8,
        "losses.temperature": 0.1,
        "train.epochs": 1,
        "train.experdir": str(tmp_path / "runs"),
        "train.verbose": 0,
    }
    return lambda **changes: load_recipe(None, settings | changes)


def rows(folder):
    return list(csv.DictReader((folder / "history.csv").open()))


def weights(folder):
    return load_model(folder / "model-final.keras").get_weights()


def test_a_run_goes_through_all_sequences_and_leaves_a_model(recipe):
    folder = supervised.train(recipe())
    assert folder.name == "gaitgraph2_N004_bs8_lr0.005"
    (row,) = rows(folder)
    assert 0 < float(row["loss"]) < 10
    model = load_model(folder / "model-final.keras")
    assert type(model).__name__ == "GaitGraph2"
    assert model.encoder(np.zeros((1, 6, 17, 3))).shape == (1, 1, 4)


def test_subjects_times_sequences_are_a_batch_too(recipe, dataset):
    wanted = recipe(**{"sampler.pk": True, "sampler.p": 2, "sampler.k": 3})
    poses, labels, _ = gaitgraph.make_batches(wanted, dataset)[0]
    assert poses.shape == (6, 4, 17, 3)
    assert labels[0] == labels[1] == labels[2] != labels[3] == labels[4] == labels[5]
    assert supervised.train(wanted).name == "gaitgraph2_N004_p2k3_lr0.005"


def test_the_first_gaitgraph_learns_from_two_views(recipe, dataset):
    settings = {"method": "gaitgraph", "losses.name": "supcon-v1", "augmentation.views": 2}
    settings |= {"augmentation.noise": "normal", "augmentation.mirror": 0.5, "augmentation.random_move": 0}
    wanted = recipe(**settings)
    poses, labels, _ = gaitgraph.make_batches(wanted, dataset)[0]
    assert len(poses) == 16
    np.testing.assert_array_equal(labels[:8], labels[8:])
    assert type(load_model(supervised.train(wanted) / "model-final.keras")).__name__ == "GaitGraph"


AVERAGED = {
    "train.epochs": 3,
    "averaging.start": 0.34,
    "averaging.rate": 0.001,
    "train.validation_subjects": 2,
}
AVERAGED |= {"train.validate_every": 2, "sampler.batch_size": 4}


@pytest.mark.backend
def test_a_stopped_run_ends_as_one_that_was_not_stopped(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpointing, "SECONDS_BETWEEN_SAVES", 0)
    whole = supervised.train(recipe(**AVERAGED, **{"train.experdir": str(tmp_path / "whole")}))
    run_epochs = supervised.run_epochs

    def most(model, batches, first, last, *others):
        run_epochs(model, batches, first, 2, *others)  # of three epochs
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(supervised, "run_epochs", most)
        with pytest.raises(KeyboardInterrupt):
            supervised.train(recipe(**AVERAGED))
    stopped = supervised.train(recipe(**AVERAGED))
    for a, b in zip(*(weights(folder) for folder in (whole, stopped)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert rows(stopped) == rows(whole)
    assert [bool(row["val_loss"]) for row in rows(whole)] == [False, True, False]
    assert (whole / "model-best.keras").exists()


def test_the_final_weights_are_the_mean_of_the_late_epochs(recipe, monkeypatch):
    ends = []

    class Watch(averaging.UpdateAverages):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            ends.append([checkpointing.to_numpy(v) for v in self.model.trainable_variables])

    monkeypatch.setattr(gaitgraph, "UpdateAverages", Watch)
    folder = supervised.train(recipe(**{"train.epochs": 3, "averaging.start": 0.34}))
    model = load_model(folder / "model-final.keras")
    for mean, *values in zip(model.trainable_variables, *ends[1:], strict=True):
        np.testing.assert_allclose(checkpointing.to_numpy(mean), np.mean(values, axis=0), atol=1e-6)
    rates = [float(row["learning_rate"]) for row in rows(folder)]
    assert rates[0] == rates[1] == rates[2]  # of the next update: it stays from the second epoch on


def test_statistics_are_the_mean_over_the_batches_of_one_pass(recipe, dataset):
    wanted = recipe(**{"sampler.batch_size": 7, "model.network": "psa-resgcn-n21-r8"})
    batches = gaitgraph.make_batches(wanted, dataset)
    model = supervised.make_model(wanted, dataset, 4)
    first = model.get_layer("input_branches-0-bn")
    averaging.renew_statistics(model, batches, first=2, count=2)
    clips = [batches[number][0].reshape(-1, 3) for number in (2, 3)]
    assert [len(clip) for clip in clips] == [7 * 4 * 17, 5 * 4 * 17]
    mean = np.mean([clip.mean(axis=0) for clip in clips], axis=0)
    variance = np.mean([clip.var(axis=0, ddof=1) for clip in clips], axis=0)
    np.testing.assert_allclose(checkpointing.to_numpy(first.moving_mean), mean, rtol=1e-4)
    np.testing.assert_allclose(checkpointing.to_numpy(first.moving_variance), variance, rtol=1e-4)
    shared = model.get_layer("main_stream-0-att-part_pool-1")
    assert (shared.calls, first.calls) == (5, 1)
    assert not any(layer.summing for layer in model.layers if isinstance(layer, BatchNorm))


def test_a_layer_used_several_times_has_the_mean_of_all_its_uses():
    inputs = keras.Input((2, 1, 1))
    norm = BatchNorm()
    model = keras.Model(inputs, {"embeddings": norm(norm(inputs) * 0 + 4) + norm(inputs * 0 + 8)})
    model.encoder = keras.Model(model.inputs, model.output["embeddings"])

    class Batches:
        own_errors = staticmethod(contextlib.nullcontext)

        def to_tf_data(self, first):
            import tensorflow as tf

            return tf.data.Dataset.from_tensors((np.zeros((3, 2, 1, 1), "float32"), 0)).repeat()

    averaging.renew_statistics(model, Batches(), first=0, count=2)
    assert checkpointing.to_numpy(norm.moving_mean).tolist() == pytest.approx([(0 + 4 + 8) / 3])


def test_the_last_subjects_are_held_out(recipe, dataset):
    batches = gaitgraph.make_batches(recipe(**{"train.validation_subjects": 2}), dataset)
    assert batches.dataset.subjects.tolist() == ["001", "002"]
    (callback,) = gaitgraph.make_callbacks(
        recipe(**{"train.validation_subjects": 2}), None, dataset, Path("nowhere"), 0
    )
    assert callback.dataset.subjects.tolist() == ["003", "004"]


def test_the_model_with_the_lowest_loss_of_those_held_out_is_kept(recipe, dataset, monkeypatch):
    kept = []
    monkeypatch.setattr(validation, "export", lambda model, file: kept.append(model.count_params()))
    settings = {"train.validation_subjects": 2, "train.validate_every": 1}
    (callback,) = gaitgraph.make_callbacks(recipe(**settings), None, dataset, Path("nowhere"), 0)
    callback.set_model(supervised.make_model(recipe(), dataset, 4))
    callback.model.stop_training = False
    losses = [2.0, 3.0, 1.0]
    for epoch, (loss, times) in enumerate(zip(losses, [1, 1, 2], strict=True)):
        callback.loss = lambda labels, embeddings, loss=loss: loss
        callback.on_epoch_end(epoch, {})
        assert len(kept) == times


def test_a_run_that_goes_on_knows_the_best_of_before(tmp_path, dataset):
    (tmp_path / "history.csv").write_text("epoch,loss,val_loss\n0,9,\n1,8,0.5\n2,7,0.25\n")
    best = [validation.Validation(tmp_path, done, dataset, None, 4, 1, 0).best for done in (0, 1, 2, 3)]
    assert best == [np.inf, np.inf, 0.5, 0.25]


@pytest.mark.backend
@pytest.mark.skipif(BACKEND == "torch", reason="one device only on PyTorch")
def test_two_devices_learn_what_one_learns_from_the_whole_batch(recipe, tmp_path, monkeypatch):
    if BACKEND == "tensorflow":
        import tensorflow as tf
    gradients = []

    class Watch(averaging.UpdateAverages):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            means = [checkpointing.to_numpy(mean).ravel() for mean in self.model.optimizer._means]
            gradients.append(np.concatenate(means))
            if BACKEND == "tensorflow":  # the rest of the run needs no graph: tracing is what takes long
                tf.config.run_functions_eagerly(True)

    monkeypatch.setattr(gaitgraph, "UpdateAverages", Watch)
    settings = {"train.multi_gpu": 2, "averaging.start": 0.0, "train.validation_subjects": 2}
    settings |= {"train.validate_every": 1, "sampler.batch_size": 6, "optimizer.learning_rate": 1e-4}
    with monkeypatch.context() as patch:
        patch.setattr(supervised, "distribute", lambda count: distribute(0))
        patch.setattr(gaitgraph, "share_batches", lambda model, devices: None)
        one = supervised.train(recipe(**settings, **{"train.experdir": str(tmp_path / "one")}))
    if BACKEND == "tensorflow":  # devices do not meet in a step that runs operation by operation
        tf.config.run_functions_eagerly(False)
    two = supervised.train(recipe(**settings))
    first, second = (rows(folder)[0] for folder in (one, two))
    for name in ("loss", "val_loss", "val_contrastive"):
        assert float(second[name]) == pytest.approx(float(first[name]), rel=1e-3)
    alone, together = gradients
    np.testing.assert_allclose(together, alone, atol=1e-3 * np.abs(alone).max())
    for a, b in zip(*(weights(folder) for folder in (one, two)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-5)


def test_half_precision_trains_and_the_saved_model_is_whole(recipe):
    folder = supervised.train(recipe(**{"train.mixed_precision": True, "averaging.start": 0.0}))
    model = load_model(folder / "model-final.keras")
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"losses.name": "triplet"}, "unknown loss 'triplet' .* Known: supcon, supcon-v1"),
        ({"losses.temperature": 0.0}, "'losses.temperature' on the command line must be at least 1e-06"),
        ({"optimizer.name": "SGD"}, "unknown optimizer 'SGD'"),
        ({"schedule.name": "step"}, "unknown schedule 'step'"),
        ({"averaging.start": 1.0}, "averaging.start .* at least 0 and below 1.* Received: 1.0"),
        ({"augmentation.point_noise": -0.1}, "augmentation.point_noise must be a spread, 0 or more"),
        ({"augmentation.random_move": [1, 2, 3]}, r"augmentation.random_move .* Received: \[1, 2, 3\]"),
        ({"augmentation.random_move": ["a", 1]}, "augmentation.random_move must be a number"),
        ({"augmentation.flip_lr": 1.5}, "augmentation.flip_lr must be a probability"),
        ({"train.validation_subjects": 3}, "validation_subjects 3 of the 4 subjects .* leaves 1 to train"),
        ({"train.validation_subjects": 1}, "At least 2 must train and 2 be held out"),
        ({"model.joints": "oumvlp"}, r"17 joints \(coco\), but the model takes poses of 18 joints"),
        ({"model.joints": "face"}, "model.joints: .*face"),
        ({"model.network": "resgcn-n22"}, "the model cannot be built .*resgcn-n22"),
        ({"train.multi_gpu": 3}, "divides among 3 devices"),
        ({"sampler.batch_size": 2}, "one subject and one of another .* sampler.batch_size 2"),
        ({"sampler.batch_size": 1, "augmentation.views": 2}, "one of another .* sampler.batch_size 1"),
        ({"sampler.pk": True, "sampler.k": 1}, "two sequences of a subject or more.* sampler.k 1"),
        ({"sampler.pk": True, "sampler.p": 5}, "a batch of 5 subjects .* has 4 subjects"),
        ({"data.keypoints": "alphapose"}, "has _train_ and _pose_alphapose"),
        ({"data.keypoints": None}, "holds 2 data sets .*keypoints"),
    ],
)
def test_a_wrong_value_is_refused_by_name(recipe, changes, message):
    with pytest.raises(GaitError, match=message):
        supervised.train(recipe(**changes))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data.keypoints", "mediapipe", "must be one of openpose, alphapose, hrnet"),
        ("augmentation.noise", "gauss", "must be one of uniform, normal"),
        ("averaging.start", -0.5, "must be at least 0.0"),
        ("averaging.start", "late", "must be of type float"),
        ("augmentation.views", 0, "must be at least 1"),
        ("averaging.rate", float("nan"), "must be a finite number. Received: nan"),
        ("optimizer.learning_rate", -0.1, "must be at least 0.0"),
        ("optimizer.learning_rate", float("inf"), "must be a finite number"),
        ("optimizer.weight_decay", -1e-5, "must be at least 0.0"),
        ("train.seed", 2**32, "must be at most 4294967295"),
    ],
)
def test_a_value_that_no_run_could_have_is_refused_before_any_data_is_read(recipe, key, value, message):
    with pytest.raises(GaitError, match=message):
        recipe(**{key: value})


def test_one_subject_is_refused(recipe, dataset):
    with pytest.raises(GaitError, match="contrast needs sequences of two or more"):
        gaitgraph.make_batches(recipe(), dataset.select(dataset.subject == "001"))


def test_a_set_of_frames_is_refused(recipe, tiny_sets):
    with pytest.raises(GaitError, match=r"holds frames of 64x64x3, but the model takes poses"):
        supervised.train(recipe(**{"data.datadir": str(tiny_sets), "data.keypoints": None}))
