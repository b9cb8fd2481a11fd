"""Training in SelfGait's way: views and a momentum target, triplets of labelled walks, both; whole runs."""

import csv
import shutil
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
from keras_gait.models import SelfGait
from keras_gait.training import checkpointing, selfgait, supervised
from keras_gait.training.devices import distribute
from keras_gait.training.recipes import load_recipe

pytestmark = [
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]

BACKEND = keras.backend.backend()
TINY = {"channels": [2, 4, 4], "hidden_dim": 4, "bins": [1, 2, 4], "mlp_hidden_size": 4, "projection_size": 4}
VIEWS = ("000", "090")


def joined_walk(source):
    """Limb and joint maps of zeros, silhouettes of noise about a brightness that is the subject's own."""
    name = Path(source).name
    rng = np.random.default_rng(list(name.encode()))
    frames = np.zeros((5, 16, 16, 3), np.uint8)
    frames[..., 2] = rng.integers(0, 60, frames.shape[:-1], np.uint8) + np.uint8(30 * int(name[:3]))
    return frames, []


def write_set(
    folder, name, walk, shape, modality="joined", channels=("limb", "joint", "silhouette"), subjects=6
):
    """Two walks of each subject, from two views."""
    walks = [
        (f"{subject:03d}", video, view)
        for subject in range(1, subjects + 1)
        for video in ("01", "02")
        for view in VIEWS
    ]
    sources = [folder / "raw" / "-".join(each) for each in walks]
    (folder / "raw").mkdir(exist_ok=True)
    for source in sources:
        source.touch()
    write_dataset(
        folder / name,
        [
            Sequence(subject, "nm", view, video, str(source))
            for (subject, video, view), source in zip(walks, sources, strict=True)
        ],
        walk,
        modality=modality,
        source="noise",
        split="train",
        frame_shape=shape,
        channels=channels,
    )
    return folder / name


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with a joined set of six subjects: two walks each, from two views, 5 frames long."""
    folder = tmp_path_factory.mktemp("joined")
    write_set(folder, "tfimdb_tiny_N006_train_joined_16x16", joined_walk, (16, 16, 3))
    return folder


@pytest.fixture
def dataset(sets):
    return open_dataset(find_dataset(sets, "train")).take_channels(["silhouette"])


@pytest.fixture
def recipe(sets, tmp_path):
    """``recipe(**{"losses.name": "mixed"})`` trains a tiny SelfGait in seconds."""
    settings = {
        "method": "selfgait",
        "data.datadir": str(sets),
        "data.channels": ["silhouette"],
        "sampler.p": 2,
        "sampler.k": 2,
        "sampler.frames": 3,
        "train.iterations": 2,
        "train.steps_per_epoch": 2,
        "train.experdir": str(tmp_path / "runs"),
        "train.verbose": 0,
    }
    settings |= {f"model.{key}": value for key, value in TINY.items()}
    return lambda **changes: load_recipe(None, settings | changes)


def rows(folder):
    return list(csv.DictReader((folder / "history.csv").open()))


def weights(folder):
    return {w.path: checkpointing.to_numpy(w) for w in load_model(folder / FINAL_MODEL).weights}


@pytest.fixture
def source(tmp_path):
    """A file with the weights of a tiny SelfGait, from which a run can start."""
    path = tmp_path / "source.keras"
    SelfGait(**TINY, frame_shape=(16, 11, 1)).save(path)
    return path


def test_a_run_learns_without_labels_and_leaves_the_online_network(recipe):
    folder = supervised.train(recipe(**{"augmentation.jitter": 0.5, "augmentation.blur": 0.5}))
    assert folder.name == "selfgait_N006_p2k2_lr0.03"
    (row,) = rows(folder)
    assert 0 < float(row["loss"]) <= 4
    assert float(row["embedding_std"]) > 0
    assert "knn" not in row  # nobody is held out
    model = load_model(folder / FINAL_MODEL)
    assert type(model) is SelfGait
    assert (model.frame_shape, model.heads) == ((16, 11, 1), True)
    assert model.encoder(np.zeros((1, 2, 16, 16, 1))).shape == (1, 7, 4)


def test_the_mixed_loss_is_that_of_triplets_on_its_turns(recipe, source):
    settings = {"train.init_net": str(source), "augmentation.flip": 0.0}
    mixed = {"losses.name": "mixed", "losses.triplet_every": 1, "train.prefix": "mixed"}
    triplet = supervised.train(recipe(**settings, **{"losses.name": "triplet"}))
    mixed = supervised.train(recipe(**settings, **mixed))
    assert rows(mixed)[0]["loss"] == rows(triplet)[0]["loss"]
    both, alone = weights(mixed), weights(triplet)
    assert not load_model(triplet / FINAL_MODEL).heads
    for name, array in alone.items():
        np.testing.assert_allclose(both[name], array, atol=1e-6)
    assert len(both) > len(alone)


@pytest.mark.parametrize("kind", ["full", "hard"])
def test_the_triplet_loss_is_that_of_the_recipe(recipe, dataset, source, kind):
    wanted = recipe(
        **{
            "losses.name": "triplet",
            "losses.triplets": kind,
            "losses.margin": 0.5,
            "train.init_net": str(source),
            "train.iterations": 1,
            "train.steps_per_epoch": 1,
        }
    )
    clips, labels, _ = selfgait.make_batches(wanted, dataset)[0]
    embeddings = load_model(source).encoder(clips)
    expected = selfgait.TRIPLETS[kind](margin=0.5)(labels, embeddings)
    (row,) = rows(supervised.train(wanted))
    assert float(row["loss"]) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"losses.name": "byol"}, "123456"),
        ({"losses.name": "triplet"}, "123456"),
        ({"losses.name": "byol", "data.label_rate": 0.5}, "456"),
        ({"losses.name": "mixed", "data.label_rate": 0.5}, "123"),
        ({"losses.name": "triplet", "data.label_rate": 0.5}, "123"),
        ({"losses.name": "triplet", "data.label_rate": 0.5, "train.validation_subjects": 2}, "12"),
        ({"losses.name": "byol", "train.validation_subjects": 2}, "1234"),
    ],
)
def test_who_trains_hangs_on_the_labels_and_on_who_is_held_out(recipe, dataset, changes, expected):
    batches = selfgait.make_batches(recipe(**changes), dataset)
    assert "".join(name[-1] for name in batches.dataset.subjects) == expected


def test_labels_of_sequences_cut_through_a_subject(recipe, dataset):
    rates = {"data.label_rate": 0.4, "data.label_by": "sequences"}  # 9 of 24
    with_labels, without = (
        selfgait.make_batches(recipe(**rates, **{"losses.name": name}), dataset).dataset
        for name in ("triplet", "byol")
    )
    assert with_labels.subject.tolist() == ["001"] * 4 + ["002"] * 4 + ["003"]
    assert without.subject.tolist()[:3] == ["003"] * 3
    assert len(without) == 15


def test_batches_hold_what_the_recipe_says(recipe, dataset):
    (first, second), labels, _ = selfgait.make_batches(recipe(), dataset)[0]
    assert first.shape == second.shape == (4, 3, 16, 16, 1)
    assert labels[0] == labels[1] != labels[2] == labels[3]
    one = selfgait.make_batches(recipe(**{"losses.name": "triplet", "sampler.pk": False}), dataset)
    one.sampler.batch_size = 5
    clips, labels, _ = one[0]
    assert clips.shape == (5, 3, 16, 16, 1)
    assert labels.shape == (5,)
    longer = recipe(**{"sampler.frames": 7, "sampler.repeat": True})
    assert selfgait.make_batches(longer, dataset)[0][0][0].shape == (4, 7, 16, 16, 1)


def test_all_sequences_in_turn_are_a_batch_too(recipe):
    folder = supervised.train(recipe(**{"sampler.pk": False, "sampler.batch_size": 6}))
    assert folder.name == "selfgait_N006_bs6_lr0.03"


def test_subjects_that_are_left_out_are_not_there(recipe, capsys):
    folder = supervised.train(recipe(**{"data.leave_out": ["005", "x"]}))
    assert folder.name.startswith("selfgait_N005")
    assert capsys.readouterr().out.count("has no subject x to leave out") == 1


def test_people_held_out_are_told_apart_by_the_frozen_encoder(recipe):
    settings = {"train.validation_subjects": 2, "train.iterations": 3, "train.steps_per_epoch": 1}
    folder = supervised.train(recipe(**settings, **{"train.validate_every": 2}))
    measured = [
        {name: bool(row[name]) for name in ("knn", "linear", "embedding_rank")} for row in rows(folder)
    ]
    assert [all(row.values()) for row in measured] == [False, True, False]
    assert (folder / "model-state-0000.keras").exists()


STOPPED = {
    "byol": {"losses.cosine": "features", "target.frames": "next", "train.validation_subjects": 2},
    "mixed": {"losses.triplet_every": 2, "target.schedule": "cosine"},
}


@pytest.mark.parametrize("name", ["byol", pytest.param("mixed", marks=pytest.mark.backend)])
def test_a_stopped_run_ends_as_one_that_was_not_stopped(recipe, tmp_path, monkeypatch, name):
    settings = {"losses.name": name, "train.iterations": 3, "train.steps_per_epoch": 1, **STOPPED[name]}
    save = checkpointing.SaveState.on_epoch_end

    def save_and_copy(callback, epoch, logs=None):  # what a run killed after its first epoch leaves
        save(callback, epoch, logs)
        if epoch == 0:
            shutil.copytree(callback.folder, tmp_path / "stopped" / callback.folder.name)

    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "SECONDS_BETWEEN_SAVES", 0)
        patch.setattr(checkpointing.SaveState, "on_epoch_end", save_and_copy)
        whole = supervised.train(recipe(**settings))
    kept = tmp_path / "stopped" / whole.name
    assert (kept / checkpointing.STATE_FILE).exists()
    assert len(rows(kept)) == 1
    stopped = supervised.train(recipe(**settings, **{"train.experdir": str(tmp_path / "stopped")}))
    assert stopped == kept
    both, ours = weights(whole), weights(stopped)
    for path, array in both.items():
        np.testing.assert_array_equal(ours[path], array)
    assert rows(stopped) == rows(whole)
    assert all(float(row["embedding_std"]) > 0 for row in rows(whole))
    learnt = [np.load(folder / checkpointing.STATE_FILE) for folder in (whole, stopped)]
    for key in learnt[0].files:  # the target and the momentum of the optimizer, too
        np.testing.assert_array_equal(learnt[0][key], learnt[1][key])


def test_half_precision_trains_and_the_saved_model_is_whole(recipe):
    folder = supervised.train(recipe(**{"train.mixed_precision": True, "losses.name": "mixed"}))
    model = load_model(folder / FINAL_MODEL)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.backend
@pytest.mark.skipif(BACKEND == "torch", reason="one device only on PyTorch")
def test_two_devices_learn_what_one_learns_from_the_whole_batch(recipe, source, tmp_path, monkeypatch):
    settings = {"train.multi_gpu": 2, "losses.name": "mixed", "losses.triplet_every": 2}
    settings |= {"train.init_net": str(source), "losses.margin": 1.0}
    with monkeypatch.context() as patch:
        patch.setattr(supervised, "distribute", lambda count: distribute(0))
        one = supervised.train(recipe(**settings, **{"train.experdir": str(tmp_path / "one")}))
    if BACKEND == "tensorflow":  # devices do not meet in a step that runs operation by operation
        import tensorflow as tf

        tf.config.run_functions_eagerly(False)
    two = supervised.train(recipe(**settings))
    assert float(rows(two)[0]["loss"]) == pytest.approx(float(rows(one)[0]["loss"]), rel=1e-4)
    first, second, before = weights(one), weights(two), load_model(source)
    for path, array in first.items():
        np.testing.assert_allclose(second[path], array, rtol=1e-3, atol=1e-5)
    start = {w.path: checkpointing.to_numpy(w) for w in before.trainable_weights}
    assert max(np.abs(first[path] - array).max() for path, array in start.items()) > 1e-3


def test_a_run_starts_from_a_file_and_from_the_folder_of_another(recipe, source):
    still = {"optimizer.learning_rate": 0.0, "train.iterations": 1, "train.steps_per_epoch": 1}
    first = supervised.train(recipe(**still, **{"train.init_net": str(source), "train.prefix": "first"}))
    second = supervised.train(recipe(**still, **{"train.init_net": str(first), "losses.name": "triplet"}))
    given = {w.path: checkpointing.to_numpy(w) for w in load_model(source).trainable_weights}
    for folder in (first, second):
        trained = load_model(folder / FINAL_MODEL).trainable_weights
        assert {w.path for w in trained} <= given.keys()
        for weight in trained:
            np.testing.assert_array_equal(checkpointing.to_numpy(weight), given[weight.path])


def published_file(path, model):
    """The checkpoint of the original: modules by themselves, prefixed names, the target, the optimizer."""
    torch = pytest.importorskip("torch")
    content = {}
    for each in published_variables(model):
        module, name = each.name.split(".", 1)
        array = checkpointing.to_numpy(each.variable).transpose(np.argsort(each.axes))
        arrays = {name: array}
        if name.startswith("conv_list"):  # one for each strip
            place, rest = name.split(".", 1)
            arrays = {f"{place}.{i}.{rest}": part for i, part in enumerate(array)}
        elif module in ("projection_1", "predictor") and array.ndim == 2:  # convolutions of one step
            arrays = {name: array[..., None]}
        tensors = {f"module.{key}": torch.from_numpy(np.array(value)) for key, value in arrays.items()}
        content.setdefault(f"{module}_state_dict", {}).update(tensors)
    torch.save(content | {"optimizer_state_dict": {"state": {}, "param_groups": []}}, path)
    return path


@pytest.mark.parametrize("width", [64, 44])
def test_64_rows_of_silhouettes_train_from_published_weights(recipe, tmp_path, width):
    def walk(source):
        return np.random.default_rng(0).integers(0, 256, (2, 64, width, 1), np.uint8), []

    folder, tiny = tmp_path / "silhouettes", TINY | {"bins": [1, 2, 4, 8, 16]}
    folder.mkdir()
    about = {"modality": "silhouette", "channels": ("silhouette",), "subjects": 2}
    write_set(folder, "tfimdb_any_N002_train_silhouettes", walk, (64, width, 1), **about)
    model = SelfGait(**tiny)
    settings = {"data.datadir": str(folder), "data.channels": None, "losses.name": "triplet"}
    settings |= {"sampler.frames": 2, "model.bins": tiny["bins"], "optimizer.learning_rate": 0.0}
    settings |= {"train.init_net": str(published_file(tmp_path / "model_5000.pth", model))}
    trained = load_model(supervised.train(recipe(**settings)) / FINAL_MODEL)
    assert trained.frame_shape == (64, 44, 1)
    ours, theirs = ({w.path: w for w in each.encoder.weights} for each in (trained, model))
    assert ours.keys() == theirs.keys()
    for path, weight in theirs.items():
        np.testing.assert_array_equal(ours[path], weight)


def test_heads_that_are_not_taken_over_are_told(recipe, source, tmp_path, capsys):
    def start_from(path, **options):
        wanted = recipe(**{"train.init_net": str(path)})
        supervised.start_weights(SelfGait(**TINY | options, frame_shape=(16, 11, 1)), wanted, None)
        return capsys.readouterr().out

    assert start_from(source) == ""
    told = start_from(source, mlp_hidden_size=5)
    assert f"{source}: of another size, so not taken over: projection_1-net-0/kernel" in told
    headless = tmp_path / "headless.keras"
    SelfGait(**TINY, heads=False, frame_shape=(16, 11, 1)).save(headless)
    told = start_from(headless)
    assert f"{headless}: has no predictor-net-0, predictor-net-1" in told
    assert told.rstrip().endswith("projection_1-net-3, which start from random weights")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"losses.name": "supcon"}, r"unknown loss 'supcon' \(losses.name\). Known: byol, mixed, triplet"),
        ({"optimizer.name": "LAMB"}, "unknown optimizer 'LAMB'"),
        ({"schedule.name": "cosine"}, "unknown schedule 'cosine'"),
        ({"data.channels": None}, "one channel of uint8; its channels are limb, joint, silhouette"),
        ({"data.channels": ["depth"]}, "has the channels limb, joint, silhouette; asked for: depth"),
        ({"data.leave_out": [5]}, r"names in quotes: \['005'\]. Received: \[5\]"),
        ({"data.label_rate": 0.2, "losses.name": "triplet"}, "leaves 1 with labels.* Use a greater rate"),
        ({"data.label_rate": 0.9}, r"1 subject of .* would train, by data.label_rate 0.9"),
        (
            {"data.label_rate": 0.0, "losses.name": "mixed"},
            "0 subjects of .* would train, by data.label_rate",
        ),
        ({"sampler.frames": 6}, r"has the 6 frames that a clip needs \(the longest has 5\)"),
        ({"losses.name": "mixed", "sampler.k": 1}, "needs two sequences of a subject.*sampler.k 1"),
        (
            {"losses.name": "triplet", "sampler.pk": False, "sampler.batch_size": 2},
            "one of another in a batch.*batch_size 2",
        ),
        ({"sampler.p": 7}, "a batch of 7 subjects .* has 6 subjects"),
        ({"target.frames": "next", "sampler.frames": 1}, "needs two frames or more.*sampler.frames 1"),
        ({"train.validation_subjects": 5}, "validation_subjects 5 of the 6 subjects .* leaves 1 to train"),
        ({"train.iterations": 3}, r"iterations 3 must be a multiple of train\.steps_per_epoch 2"),
        ({"train.multi_gpu": 3}, "2 x 2 sequences .* does not divide among 3 devices"),
        ({"augmentation.flip": 1.5}, "augmentation.flip must be a probability"),
        ({"augmentation.crop_scale": [0.5]}, "augmentation.crop_scale must be two numbers"),
        ({"model.div": 8}, r"the model cannot be built for .*div must not exceed channels\[2\]"),
        ({"model.bins": [1]}, "cannot learn from two views: A cosine along strips needs several"),
    ],
)
def test_a_wrong_value_is_refused_by_name(recipe, changes, message):
    with pytest.raises(GaitError, match=message) as refusal:
        supervised.train(recipe(**changes))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data.label_by", "views", "must be one of subjects, sequences"),
        ("data.label_rate", 1.5, "must be at most 1.0"),
        ("data.label_rate", "some", "must be of type float"),
        ("losses.cosine", "parts", "must be one of strips, features"),
        ("losses.triplets", "semi", "must be one of full, hard"),
        ("losses.triplet_every", 0, "must be at least 1"),
        ("losses.margin", -0.1, "must be at least 0.0"),
        ("target.frames", "last", "must be one of same, next"),
        ("target.schedule", "linear", "must be one of constant, cosine"),
        ("target.momentum", 1.5, "must be at most 1.0"),
        ("augmentation.draw", "batch", "must be one of clip, frame"),
    ],
)
def test_a_value_that_no_run_could_have_is_refused_before_any_data_is_read(recipe, key, value, message):
    with pytest.raises(GaitError, match=message):
        recipe(**{key: value})


def test_weights_of_another_method_or_size_are_refused(recipe, source, tmp_path):
    start = {"train.init_net": str(source)}
    with pytest.raises(GaitError, match=r"another size: TP_1.* \(7, 4, 4\) instead of \(7, 4, 5\)"):
        supervised.train(recipe(**start, **{"model.hidden_dim": 5}))
    with pytest.raises(GaitError, match=r"another size: bins \(1, 2, 4\) instead of \(4, 2, 1\)"):
        supervised.train(recipe(**start, **{"model.bins": [4, 2, 1]}))
    other = Path(__file__).resolve().parent.parent / "fixtures" / "attengait_small.keras"
    with pytest.raises(GaitError, match="holds the model AttenGait, the run trains SelfGait: give a file of"):
        supervised.train(recipe(**{"train.init_net": str(other), "train.prefix": "other"}))


def test_the_folder_of_a_run_that_has_not_ended_is_no_start(recipe, tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "recipe.yaml").touch()
    start = {"train.init_net": str(tmp_path / "unfinished")}
    with pytest.raises(GaitError, match=r"a folder without model-final\.keras: has the run ended"):
        supervised.train(recipe(**start))


def test_poses_are_refused(recipe, tmp_path):
    def walk(source):
        return np.ones((5, 17, 3), np.float32), []

    about = {"modality": "pose", "channels": ("x", "y", "confidence"), "subjects": 2}
    path = write_set(tmp_path, "tfimdb_any_N002_train_pose", walk, (17, 3), **about)
    poses = {"data.datadir": str(path), "data.channels": None}
    with pytest.raises(
        GaitError, match="silhouettes, one channel of uint8; its channels are x, y, confidence"
    ):
        supervised.train(recipe(**poses))
    with pytest.raises(GaitError, match=r"holds poses of 17 x 3, but the model takes frames of silhouettes"):
        supervised.train(load_recipe(None, {"method": "gaitset", "data.datadir": str(path), "sampler.p": 2}))
