"""mains/train.py trains SelfGait: without labels, then on labels from there; a wrong use is one line."""

from functools import partial
from pathlib import Path

import checks
import numpy as np
import pytest

from keras_gait.data.writer import Sequence, write_dataset

SMALL = Path(__file__).resolve().parent.parent / "fixtures" / "attengait_small.keras"
CONFIGS = Path(__file__).resolve().parent.parent.parent / "configs" / "selfgait"
QUICK = (
    *("--nclasses", 4, "--p", 2, "--k", 2, "--sampler.frames", 3, "--verbose", 0),
    *("--train.iterations", 1, "--train.steps_per_epoch", 1),
    *("--model.channels", "[2, 4, 4]", "--model.hidden_dim", 4, "--model.bins", "[1, 2, 4]"),
    *("--model.mlp_hidden_size", 4, "--model.projection_size", 4),
)

pytestmark = pytest.mark.filterwarnings("ignore:Even though the `tf.config")

refused = partial(checks.refused, name="train.py")


def walk(source):
    rng = np.random.default_rng(list(Path(source).name.encode()))
    return rng.integers(0, 256, (4, 16, 11, 1), np.uint8), []


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with silhouettes of four subjects, two walks each."""
    folder = tmp_path_factory.mktemp("silhouettes")
    (folder / "raw").mkdir()
    sources = [folder / "raw" / f"{subject:03d}-{video}" for subject in range(1, 5) for video in ("01", "02")]
    for source in sources:
        source.touch()
    write_dataset(
        folder / "tfimdb_tiny_N004_train_silhouette_16x11",
        [Sequence(source.name[:3], "nm", "000", source.name[-2:], str(source)) for source in sources],
        walk,
        modality="silhouette",
        source="noise",
        split="train",
        frame_shape=(16, 11, 1),
        channels=("silhouette",),
    )
    return folder


@pytest.fixture
def train(command, sets, tmp_path, step_by_step):
    """``train("casiab", *flags)``: that recipe on the small set with quick settings; later flags win."""

    def train(name, *flags):
        config = CONFIGS / f"{name}.yaml"
        data = ("--config", config, "--datadir", sets, "--experdir", tmp_path / "runs")
        return command("mains/train.py", *data, *QUICK, *flags)

    return train


def test_pretraining_then_fine_tuning_from_the_runs_folder(train, tmp_path):
    first = train("casiab")
    assert first.code == 0, first.err
    assert "has no subject 005 to leave out" in first.out
    run = tmp_path / "runs" / "casiab_selfgait_N004_p2k2_lr0.03"
    assert first.out.splitlines()[-1] == f"model: {run / 'model-final.keras'}"

    second = train("casiab_finetune", "--init_net", run, "--data.label_rate", 0.5, "--margin", 0.3)
    assert second.code == 0, second.err
    tuned = tmp_path / "runs" / "casiab-finetune_selfgait_N004_p2k2_lr0.03"
    assert second.out.splitlines()[-1] == f"model: {tuned / 'model-final.keras'}"

    again = train("casiab")
    assert again.code == 0
    assert "nothing to train" in again.out
    other = refused(train("casiab", "--data.label_rate", 0.5))
    assert "holds a run with other settings: data.label_rate None -> 0.5" in other


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("casiab", ["--sampler.frames", 5], "has the 5 frames that a clip needs (the longest has 4)"),
        ("casiab", ["--sampler.frames", 1, "--target.frames", "next"], "target.frames next needs two frames"),
        ("casiab", ["--p", 5], "a batch of 5 subjects was asked for, but the data has 4 subjects"),
        ("casiab", ["--nclasses", 74], "holds no data set whose name has _train_ and _N074_"),
        ("casiab", ["--data.channels", "[limb]"], "has the channels silhouette; asked for: limb"),
        ("casiab", ["--data.label_rate", 1], "would train, by data.label_rate 1.0"),
        (
            "casiab",
            ["--data.leave_out", "[005]"],
            "must be subjects' names in quotes: ['005']. Received: [5]",
        ),
        ("casiab", ["--losses.name", "simclr"], "unknown loss 'simclr' (losses.name). Known: byol, mixed"),
        ("casiab", ["--losses.cosine", "channels"], "must be one of strips, features"),
        ("casiab", ["--target.schedule", "linear"], "must be one of constant, cosine"),
        (
            "casiab",
            ["--train.iterations", 3, "--train.steps_per_epoch", 2],
            "must be a multiple of train.steps",
        ),
        ("casiab", ["--epochs", 3], "unknown recipe key 'train.epochs' on the command line"),
        ("casiab_mixed", ["--data.label_rate", 0.25], "leaves 1 with labels"),
        ("casiab_finetune", ["--losses.triplets", "all"], "must be one of full, hard"),
        ("casiab_finetune", ["--init_net", SMALL], "the run trains SelfGait: give a file of the same method"),
        ("casiab_finetune", ["--init_net", "nowhere.pth"], "nowhere.pth"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_wrong_use_is_one_line(train, name, flags, message):
    assert message in refused(train(name, *flags))
