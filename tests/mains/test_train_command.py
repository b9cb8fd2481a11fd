"""mains/train.py as a user runs it: one short training, and every wrong use is one line and exit code 2."""

import shutil
from functools import partial
from pathlib import Path

import checks
import numpy as np
import pytest

SMALL = Path(__file__).resolve().parent.parent / "fixtures" / "attengait_small.keras"
QUICK = (
    *("--pk", "--p", 2, "--k", 2, "--sampler.frames", 16, "--epochs", 1, "--extraepochs", 0, "--verbose", 0),
    *("--model.n_filters", "[3,4,4,5]", "--combined_output_length", 4, "--softmax_attention"),
)


@pytest.fixture
def train(command, tiny_sets, tmp_path):
    """``train(*flags)`` on the tiny set with quick settings; later flags win."""

    def train(*flags, datadir=tiny_sets):
        return command(
            "mains/train.py", "--datadir", datadir, "--experdir", tmp_path / "runs", *QUICK, *flags
        )

    return train


refused = partial(checks.refused, name="train.py")


@pytest.mark.backend
def test_a_short_training_writes_a_model_and_says_where(train, tmp_path):
    flags = ("--prefix", "tiny", "--cross_weight", 1.0, "--split_crossentropy", "--lr", "0.002", "--lr_sched")
    result = train(*flags, "--schedule.warmup_epochs", 0, "--augmentation", "--kernel_regularizer")
    assert result.code == 0, result.err
    name = (
        "tiny_attengait_N005_opAdam_wd1e-05_lr_sched_split_crossentropy_ms-small_softmax_attention"
        "_bs004_lr0.002000_crossentropy1.0"
    )
    model = tmp_path / "runs" / name / "model-final.keras"
    assert result.out.splitlines()[-1] == f"model: {model}"
    assert model.is_file()

    again = train(*flags, "--schedule.warmup_epochs", 0)
    assert again.code == 0
    assert "nothing to train" in again.out

    other = refused(train(*flags, "--schedule.warmup_epochs", 0, "--margin", 0.3))
    assert "holds a run with other settings: losses.margin 0.2 -> 0.3" in other


def test_a_recipe_file_is_used_and_the_command_line_wins(train, tmp_path, monkeypatch):
    from keras_gait.training import supervised

    recipes = []
    monkeypatch.setattr(supervised, "train", lambda recipe: recipes.append(recipe) or tmp_path)
    (tmp_path / "recipe.yaml").write_text("losses: {margin: 0.7, soft: true}\nsampler: {k: 9}\n")
    assert train("--config", tmp_path / "recipe.yaml", "--model.deep=true").code == 0
    recipe = recipes[0]
    assert recipe["losses"]["margin"] == 0.7
    assert recipe["losses"]["soft"] is True
    assert recipe["sampler"]["k"] == 2  # of `QUICK`
    assert recipe["model"]["deep"] is True
    assert recipe["model"]["n_filters"] == [3, 4, 4, 5]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--sampler.p", 7], 7),  # after `QUICK`
        (["--sampler.p", 7, "--p", 4], 4),
        (["--p=4", "--sampler.p=7"], 7),
        (["--p", 4, "--sampler.p", 7, "--sampler.p", 3], 3),
    ],
)
def test_the_later_of_two_flags_for_one_key_counts(train, tmp_path, monkeypatch, flags, expected):
    from keras_gait.training import supervised

    recipes = []
    monkeypatch.setattr(supervised, "train", lambda recipe: recipes.append(recipe) or tmp_path)
    assert train(*flags).code == 0
    assert recipes[0]["sampler"]["p"] == expected


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--datadirr", "x"], "unknown argument '--datadirr'"),
        (["--ep", "3"], "unknown argument '--ep'"),  # flags are not abbreviated
        (["word"], "unknown argument 'word'"),
        (["--train.epoch", "3"], "unknown recipe key 'train.epoch' on the command line; the nearest known"),
        (["--train.epochs"], "--train.epochs needs a value"),
        (
            ["--train.epochs", "some"],
            "'train.epochs' on the command line must be of type int. Received: 'some'",
        ),
        (["--epochs", "some"], "argument --epochs: invalid int value: 'some'"),
        (["--dropout"], "--dropout had no effect in the original and has none here: leave it out"),
        (["--no_clip"], "--no_clip had no effect"),
        (["--self_attention"], "--self_attention had no effect"),
        (["--debug"], "--debug had no effect"),
        (["--config", "nowhere.yaml"], "no recipe at nowhere.yaml"),
        (["--method", "gaitnet"], "unknown method 'gaitnet'. Known: attengait"),
        (["--nclasses", "74"], "holds no data set whose name has _train_ and _N074_"),
        (["--p", "6"], "a batch of 6 subjects was asked for, but the data has 5 subjects"),
        (["--p", "3", "--multi_gpu", "2"], "--p 5 or less (per GPU)"),
        (["--p", "1"], "'sampler.p' on the command line must be at least 2. Received: 1"),
        (["--sampler.pk", "false", "--bs", "7"], "--bs 7 must be a multiple of --k 2"),
        (["--sampler.frames", "30"], "the longest has 20"),
        (["--diffFrames"], "more than 16 frames"),
        (["--optimizer", "Adamax"], "unknown optimizer 'Adamax'. Known: Adam, SGD"),
        (["--lr_sched"], "a warm-up of 20 epochs leaves nothing of 1 epochs"),
        (["--model_size", "huge"], "model_size must be one of ['large', 'medium', 'small']"),
        (["--model.n_filters", "[1,2]"], "n_filters must be four widths"),
        (["--model.n_filters", "[a,b,c,d]"], "n_filters must be four widths"),
        (["--model.n_filters", "[3,4,4,0]"], "n_filters must be four widths, whole numbers from 1"),
        (["--combined_output_length", "0"], "combined_output_length must be at least 1"),
        (["--attention_drop_rate", "1.0"], "attention_drop_rate must be at least 0 and below 1"),
        (["--attention_drop_rate", "1.5"], "attention_drop_rate must be at least 0 and below 1"),
        (["--train.seed=-1"], "'train.seed' on the command line must be at least 0. Received: -1"),
        (["--method", "[a]"], "unknown method ['a']. Known: attengait"),
        (
            ["--evaluation.metric", "nonsense"],
            "'evaluation.metric' on the command line must be one of L1, L2",
        ),
        (["--evaluation.knn", "0"], "'evaluation.knn' on the command line must be at least 1"),
        (["--soft_triplet_loss", "--adaptative_triplet_loss"], "soft has no margin, so none that could be"),
        (["--losses.normalise", "channel"], "normalise must be None, 'descriptor' or 'batch'"),
        (["--init_net", "nowhere.keras"], "no model file at nowhere.keras"),
        (["--init_net", SMALL, "--model.n_filters", "[2,4,4,5]"], "holds a model of another size"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_wrong_use_is_one_line(train, flags, message):
    assert message in refused(train(*flags))


def test_cut_on_frames_of_another_width_is_one_line(train, tmp_path):
    from keras_gait.data.writer import Sequence, write_dataset

    (tmp_path / "raw").mkdir()
    sources = [str(tmp_path / "raw" / name) for name in ("001", "002")]
    for source in sources:
        Path(source).touch()
    write_dataset(
        tmp_path / "narrow",
        [Sequence(Path(source).name, "nm", "000", "01", source) for source in sources],
        narrow_walk,
        modality="flow",
        source="black",
        split="train",
        frame_shape=(64, 44, 3),
    )
    message = refused(train("--cut", datadir=tmp_path / "narrow"))
    assert message == f"--cut is for frames 64 wide; those of {tmp_path / 'narrow'} are 44 wide"


def narrow_walk(source):
    return np.zeros((16, 64, 44, 3), np.uint8), []


@pytest.mark.parametrize("datadir", [".", "/"])
def test_a_folder_without_a_name_is_no_data_set(train, tmp_path, monkeypatch, datadir):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert f"{datadir} holds no data set" in refused(train(datadir=datadir))


def test_a_data_set_must_be_given(command):
    assert "no data set: give --datadir" in refused(command("mains/train.py"))


def test_a_missing_folder_is_named(train, tmp_path):
    assert f"{tmp_path / 'nowhere'} does not exist" in refused(train(datadir=tmp_path / "nowhere"))


def test_a_folder_without_data_sets_is_named(train, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "Found: no data set" in refused(train(datadir=tmp_path / "empty"))


def test_a_wrong_use_leaves_nothing_that_stops_the_right_one(train, tmp_path):
    refused(train("--lr_sched", "--schedule.warmup_epochs", 7))
    assert "leaves nothing of 1 epochs" in refused(train("--lr_sched", "--schedule.warmup_epochs", 8))


def test_a_record_cut_off_in_the_midst_of_training_is_one_line(train, tiny_sets, tmp_path):
    from keras_gait.data.opening import open_dataset
    from keras_gait.data.sampling import PKSampler
    from keras_gait.training.settings import SEED

    name = "tfimdb_tiny_N005_train_of30_64x64"
    copy = shutil.copytree(tiny_sets / name, tmp_path / name)
    dataset = open_dataset(copy)
    sampler = PKSampler(dataset.labels, 2, 2, SEED)
    shards = dataset._store.index["shard"]
    needed = {shards[i] for i in sampler.sequences(0, sampler.rng(0))}  # the first batch is whole
    cut = sorted(set(shards) - needed)
    assert cut
    for shard in cut:
        path = copy / shard
        path.write_bytes(path.read_bytes()[:1000])
    message = refused(train(datadir=copy))
    assert any(shard in message for shard in cut)
    assert "truncated or damaged" in message


OPENGAIT = (
    *("--method", "skeletongait", "--sampler.p", 2, "--sampler.k", 2),
    *("--train.iterations", 1, "--train.steps_per_epoch", 1, "--verbose", 0),
)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--pk"], "unknown recipe key 'sampler.pk' on the command line; the nearest known key is"),
        (["--epochs", 3], "unknown recipe key 'train.epochs' on the command line"),
        (["--sampler.p", 6], "a batch of 6 subjects was asked for, but the data has 5 subjects"),
        (["--data.channels", "[limb, joint]"], "asked for: limb, joint"),
        (["--nclasses", 74], "holds no data set whose name has _train_ and _N074_"),
        (["--method", "skeletongaitplusplus", "--model.C", 0], "C must be a whole number of channels"),
        (["--model.layers", "[1, 1]"], "layers must have 4 entries"),
        (["--sampler.order", "backwards"], "must be one of ordered, unordered"),
        (
            ["--train.iterations", 7, "--train.steps_per_epoch", 2],
            "must be a multiple of train.steps_per_epoch",
        ),
        (["--optimizer", "LAMB"], "unknown optimizer 'LAMB'. Known: SGD, Adam"),
        (["--schedule.milestones", "[1k]"], "schedule.milestones must be numbers of updates"),
        (
            ["--init_net", SMALL, "--model.channels", "[2, 3, 4, 4]"],
            "the run trains SkeletonGait: give a file of the same method",
        ),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_wrong_use_of_opengaits_way_is_one_line(command, tiny_sets, tmp_path, flags, message):
    result = command(
        "mains/train.py", "--datadir", tiny_sets, "--experdir", tmp_path / "runs", *OPENGAIT, *flags
    )
    assert message in refused(result)
