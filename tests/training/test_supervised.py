"""Supervised training: what is learnt from what, and that a stop costs nothing."""

import csv
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gait.checkpoints import load_model
from keras_gait.data.dataset import GaitDataset
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.errors import GaitError
from keras_gait.models import GaitGraph2
from keras_gait.training import attengait, checkpointing, epochs, supervised
from keras_gait.training.checkpointing import STATE_FILE
from keras_gait.vision.clips import cut_columns

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
pytestmark = [
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]

LONG = {  # two epochs with cross-entropy and one without, three steps each
    "train.epochs": 1,
    "train.extra_epochs": 2,
    "schedule.name": "cosine",
    "schedule.warmup_epochs": 1,
    "losses.adaptive": True,
    "optimizer.weight_decay": 0.0,
}


class KilledError(Exception):
    """Stands for a kill from outside."""


def killing(after):
    """`SaveState` that dies at the end of a step, as a process does that is killed."""

    class Killing(checkpointing.SaveState):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            Killing.steps += 1
            if Killing.steps == after:
                raise KilledError

    return Killing


def state(folder):
    with np.load(folder / STATE_FILE) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def finished():
    """The folders of finished runs by their settings, so that one run serves several tests."""
    return {}


@pytest.fixture
def long_run(finished, tiny_recipe, tmp_path_factory, monkeypatch):
    """A run of `LONG` that nothing disturbed."""
    monkeypatch.setattr(checkpointing, "SECONDS_BETWEEN_SAVES", 0)
    if not finished:
        place = str(tmp_path_factory.mktemp("undisturbed"))
        finished["recipe"] = tiny_recipe(**LONG, **{"train.experdir": place})
        finished["folder"] = supervised.train(finished["recipe"])
    return finished["folder"]


@pytest.mark.backend
def test_a_run_killed_twice_ends_as_one_that_was_never_killed(long_run, tiny_recipe, monkeypatch):
    starts, run_epochs = [], supervised.run_epochs

    def noting(model, batches, first, *others):
        starts.append(first)
        run_epochs(model, batches, first, *others)

    monkeypatch.setattr(supervised, "run_epochs", noting)
    for after in (5, 5):  # in the midst of the second epoch, then of the third
        with monkeypatch.context() as patch:
            patch.setattr(epochs, "SaveState", killing(after))
            with pytest.raises(KilledError):
                supervised.train(tiny_recipe(**LONG))
    folder = supervised.train(tiny_recipe(**LONG))
    assert starts == [0, 1, 2, 2]  # after the kill: the second epoch, and its phase's end; the third again
    expected, found = state(long_run), state(folder)
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
    assert (folder / "history.csv").read_text() == (long_run / "history.csv").read_text()


def test_the_cross_entropy_counts_up_to_the_extra_epochs(long_run):
    rows = list(csv.DictReader((long_run / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for row, weight in zip(rows, (1.0, 1.0, 0.0), strict=True):
        triplet, crossentropy = float(row["embeddings_loss"]), float(row["logits_loss"])
        expected = 62 / 4 * triplet + weight * crossentropy  # 62 parts, a batch of 4
        assert float(row["loss"]) == pytest.approx(expected, rel=1e-3)


def test_a_run_leaves_its_recipe_history_state_and_models(long_run):
    names = {path.name for path in long_run.iterdir()}
    assert names >= {"recipe.yaml", "history.csv", STATE_FILE, "model-final.keras", "model-final.hdf5"}
    assert list((long_run / "tensorboard").rglob("events*"))
    assert not [name for name in names if name.startswith(".tmp")]


def test_both_final_models_hold_the_trained_weights(long_run):
    keras_file, hdf5_file = (load_model(long_run / f"model-final.{e}") for e in ("keras", "hdf5"))
    weights = keras_file.get_weights()
    for a, b in zip(weights, hdf5_file.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    trained = {values.tobytes() for values in state(long_run).values()}
    assert all(values.tobytes() in trained for values in weights)


def test_a_finished_run_is_not_run_again(long_run, finished, capsys):
    before = (long_run / "model-final.keras").stat().st_mtime_ns
    assert supervised.train(finished["recipe"]) == long_run
    assert "nothing to train" in capsys.readouterr().out
    assert (long_run / "model-final.keras").stat().st_mtime_ns == before


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_loss_that_runs_away_ends_the_run(tiny_recipe, epochs):
    recipe = tiny_recipe(**{"optimizer.learning_rate": 1e38, "optimizer.name": "SGD", "train.epochs": epochs})
    with pytest.raises(GaitError, match=r"became infinite or NaN; .* Lower --lr"):
        supervised.train(recipe)
    kept = list(Path(recipe["train"]["experdir"]).rglob("*.keras"))
    assert kept == []


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_trains_and_the_saved_model_is_whole(tiny_recipe, monkeypatch, policy):
    monkeypatch.setattr(supervised, "half_precision_policy", lambda: policy)
    folder = supervised.train(tiny_recipe(**{"train.mixed_precision": True}))
    model = load_model(folder / "model-final.keras")
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert keras.config.dtype_policy().name == "float32"


@pytest.fixture
def fits(monkeypatch):
    """Whatever would be trained: a list of ``(recipe, batches, classes, folder)``."""
    calls = []
    monkeypatch.setattr(supervised, "_fit", lambda *arguments: calls.append(arguments))
    return calls


def test_each_left_out_view_has_a_folder_of_its_own(tiny_recipe, tiny_sets, fits):
    path = str(find_dataset(tiny_sets, "train"))
    folders = supervised.train(tiny_recipe(**{"data.datadir": path, "data.leave_out_views": True}))
    assert [folder.name for folder in folders] == ["without-view-000", "without-view-090"]
    assert folders[0].parent == folders[1].parent
    assert [set(batches.dataset.view) for _, _, batches, _, _ in fits] == [{"090"}, {"000"}]


def test_the_published_gallery_of_50_subjects_leaves_out_views_by_itself(tiny_recipe, tiny_sets, fits):
    path = str(find_dataset(tiny_sets, "train"))
    assert len(supervised.train(tiny_recipe(**{"data.datadir": path, "data.nclasses": 50}))) == 2


@pytest.fixture
def dataset(tiny_sets):
    return open_dataset(find_dataset(tiny_sets, "train"))


def test_batch_and_learning_rate_grow_with_the_devices(tiny_recipe, dataset):
    recipe = tiny_recipe(**{"train.multi_gpu": 2})
    sampler = attengait.make_batches(recipe, dataset).sampler
    assert (sampler.p, sampler.k) == (4, 2)
    model = supervised.make_model(recipe, dataset, 5)
    attengait.make_compiler(recipe, model, sampler, 3)(1.0)
    assert float(model.optimizer.learning_rate) == pytest.approx(2e-3)


def test_without_pk_batches_still_hold_k_sequences_a_subject(tiny_recipe, dataset, monkeypatch):
    epochs = []
    monkeypatch.setattr(supervised, "run_epochs", lambda *arguments: epochs.append(arguments))
    recipe = tiny_recipe(**{"sampler.pk": False, "sampler.batch_size": 6, "sampler.k": 2, "sampler.p": 5})
    supervised.train(recipe)
    _, batches, _, _, steps, *_ = epochs[0]
    assert (batches.sampler.p, batches.sampler.k) == (3, 2)
    assert steps == 20 // 6
    labels = batches[0][1].reshape(3, 2)
    assert (labels[:, 0] == labels[:, 1]).all()


@pytest.mark.parametrize("size", [7, 2])
def test_a_batch_that_k_does_not_divide_is_refused(tiny_recipe, dataset, size):
    recipe = tiny_recipe(**{"sampler.pk": False, "sampler.batch_size": size})
    with pytest.raises(GaitError, match=f"--bs {size} must be a multiple of --k 2, two subjects or more"):
        attengait.make_batches(recipe, dataset)


def casia(subjects):
    """One walk of 30 frames for each of so many subjects."""
    index = {key: [""] * subjects for key in ("condition", "view", "video")}
    index |= {"subject": [f"{i:03d}" for i in range(1, subjects + 1)], "frames": [30] * subjects}
    info = {"frame_shape": (64, 64, 3), "dtype": "uint8"}
    return GaitDataset("casiab", info, index, None, "digest")


@pytest.mark.parametrize(("subjects", "left"), [(74, 73), (73, 73), (75, 75)])
def test_subject_005_is_left_out_of_exactly_74_and_its_class_stays(tiny_recipe, subjects, left):
    batches = attengait.make_batches(tiny_recipe(), casia(subjects))
    assert len(batches.labels) == left
    assert batches.classes == subjects
    assert (4 in batches.labels.tolist()) == (left == subjects)
    assert batches.labels.max() == subjects - 1


def test_sequences_shorter_than_a_clip_are_left_out_or_refused(tiny_recipe, dataset):
    with pytest.raises(
        GaitError, match=r"the 21 frames .* longest has 20.* --sampler.frames or use --repeat"
    ):
        attengait.make_batches(tiny_recipe(**{"sampler.frames": 21}), dataset)
    looped = attengait.make_batches(tiny_recipe(**{"sampler.frames": 21, "sampler.repeat": True}), dataset)
    assert looped[0][0].shape[1] == 21


def test_the_classifier_is_left_away_where_nothing_trains_it(tiny_recipe, dataset):
    recipe = tiny_recipe(**{"losses.cross_weight": 0.0})
    assert attengait.make_batches(recipe, dataset)[0][2] is None
    assert supervised.make_model(recipe, dataset, 5).nclasses == 0


def started(recipe, dataset, classes):
    """The model that a run of the recipe starts with."""
    model = supervised.make_model(recipe, dataset, classes)
    supervised.start_weights(model, recipe, attengait.make_batches(recipe, dataset))
    return model


@pytest.mark.parametrize("cut", [False, True])
def test_the_mean_frame_is_the_mean_over_all_frames_as_the_model_gets_them(tiny_recipe, dataset, cut):
    frames = np.concatenate([dataset.read(i) for i in range(len(dataset))])
    expected = (cut_columns(frames) if cut else frames).mean(axis=0)
    model = started(tiny_recipe(**{"model.subtract_mean": True, "data.cut": cut}), dataset, 5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model.mean_frame), expected, rtol=1e-5)


@pytest.mark.parametrize("mean", [False, True])
def test_a_run_that_goes_on_needs_neither_its_first_weights_nor_the_mean_again(
    tiny_recipe, tmp_path, monkeypatch, mean
):
    source = shutil.copy(FIXTURES / "attengait_small.keras", tmp_path / "first.keras")
    start = {"model.subtract_mean": True} if mean else {"train.init_net": str(source)}
    recipe = tiny_recipe(**start, **{"train.epochs": 2})
    monkeypatch.setattr(checkpointing, "SECONDS_BETWEEN_SAVES", 0)
    with monkeypatch.context() as patch:
        patch.setattr(epochs, "SaveState", killing(5))
        with pytest.raises(KilledError):
            supervised.train(recipe)
    source.unlink()
    monkeypatch.setattr(attengait, "mean_frame", None)
    assert (supervised.train(recipe) / "model-final.keras").is_file()


def test_cut_needs_frames_of_its_width(tiny_recipe):
    narrow = casia(5)
    narrow.frame_shape = (64, 44, 3)
    with pytest.raises(GaitError, match="--cut is for frames 64 wide; those of casiab are 44 wide"):
        attengait.make_batches(tiny_recipe(**{"data.cut": True}), narrow)


def test_a_run_starts_from_our_own_model(tiny_recipe, dataset, capsys):
    path = FIXTURES / "attengait_small.keras"
    model = started(tiny_recipe(**{"train.init_net": str(path)}), dataset, 5)
    source = load_model(path)
    for a, b in zip(model.encoder.get_weights(), source.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert "classifier for 3 classes not taken over, training 5" in capsys.readouterr().out


def test_a_run_starts_from_published_weights_with_their_classifier(tiny_recipe, dataset, capsys):
    path = FIXTURES / "attengait" / "model-state-0100_weights.hdf5"
    source = load_model(path)
    options = {f"model.{key}": source.get_config()[key] for key in ("n_filters", "combined_output_length")}
    recipe = tiny_recipe(**options, **{"train.init_net": str(path)})
    model = started(recipe, dataset, source.nclasses)
    for a, b in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert capsys.readouterr().out == ""


def test_a_model_of_another_size_is_refused_with_the_weights_that_differ(tiny_recipe, dataset):
    recipe = tiny_recipe(
        **{"train.init_net": str(FIXTURES / "attengait_small.keras"), "model.n_filters": [2, 4, 4, 5]}
    )
    with pytest.raises(
        GaitError, match=r"another size: conv_0/kernel \(5, 5, 3, 3\) instead of \(5, 5, 3, 2\)"
    ):
        started(recipe, dataset, 5)


def test_a_model_of_another_system_is_refused_with_both_named(tiny_recipe, dataset, tmp_path):
    other = tmp_path / "other.keras"
    GaitGraph2(network="resgcn-b15", inputs="plain", embedding_size=4).save(other)
    recipe = tiny_recipe(**{"train.init_net": str(other)})
    with pytest.raises(GaitError, match=r"other.keras holds the model GaitGraph2, the run trains AttenGait"):
        started(recipe, dataset, 5)
