"""``convert_opengait_dataset.py --partition_rate``: who trains and tests, what is told, what is refused."""

import cv2
import numpy as np
import pytest
from checks import refused

from keras_gait.data.opengait.pickles import read_array_pickle, write_array_pickle
from keras_gait.data.opening import find_dataset, open_dataset

COMMAND = "preprocessing/convert_opengait_dataset.py"
NAME = "convert_opengait_dataset.py"
SUBJECTS = ("001", "002", "003", "004", "005", "006")


@pytest.fixture
def tree(tmp_path):
    """Silhouettes of CASIA-B's layout: six subjects, four sequences each, five frames."""
    for subject in SUBJECTS:
        for kind in ("nm-01", "nm-02"):
            for view in ("000", "090"):
                folder = tmp_path / "silhouettes" / subject / kind / view
                folder.mkdir(parents=True)
                write_array_pickle(folder / f"{view}.pkl", np.full((5, 64, 64), 255, np.uint8))
    return tmp_path / "silhouettes"


@pytest.fixture
def convert(command, tree, tmp_path):
    def run(*flags):
        return command(COMMAND, "--input_path", tree, "--output_path", tmp_path / "sets", *flags)

    return run


def sets(tmp_path):
    """The training and the test set, whatever their names count."""
    return [open_dataset(next((tmp_path / "sets").glob(f"*_{role}_*"))) for role in ("train", "test")]


def test_a_share_of_the_subjects_trains_and_005_takes_no_part(convert, tmp_path):
    result = convert("--partition_rate", 0.8)
    assert result.code == 0, result.err
    assert "CASIA-B: subject 005 is left out, as published" in result.out
    train, test = sets(tmp_path)
    assert set(train.subject) == {"001", "002", "003", "004"}
    assert set(test.subject) == {"006"}
    assert test.info["partition"] == {"rate": 0.8, "by": "subjects", "in_both": []}


def test_a_share_of_the_sequences_cuts_through_a_subject_who_is_named(convert, tmp_path):
    result = convert("--partition_rate", 0.7, "--partition_by", "sequences")
    assert result.code == 0, result.err
    assert "--partition_by sequences: 004 is in the training and in the test set" in result.out
    train, test = sets(tmp_path)
    walks = [f"{s}/{kind}/{view}" for s, kind, view in zip(test.subject, test.types, test.view, strict=True)]
    assert (len(train), walks[:2]) == (14, ["004/nm-02/000", "004/nm-02/090"])
    assert set(train.subject) & set(test.subject) == {"004"}
    assert train.info["partition"]["in_both"] == test.info["partition"]["in_both"] == ["004"]


def test_a_share_of_the_sequences_at_a_subjects_end_has_nobody_in_both_sets(convert, tmp_path):
    result = convert("--partition_rate", 0.8, "--partition_by", "sequences")
    assert "is in the training and in the test set" not in result.out
    assert sets(tmp_path)[1].info["partition"]["in_both"] == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--partition_rate", 1.5), "--partition_rate must be a share from 0 to 1. Received: 1.5"),
        (("--partition_rate", "nan"), "--partition_rate must be a share from 0 to 1. Received: nan"),
        (
            ("--partition_rate", 0.1),
            "--partition_rate 0.1 of 5 subject(s) with 20 sequence(s) leaves nobody to train: use another",
        ),
        (("--partition_rate", 1), "leaves nobody to test: use another rate"),
        (
            ("--partition_rate", 0.5, "--dataset_partition", "CASIA-B.json"),
            "--partition_rate and --dataset_partition both divide the set: use one of them",
        ),
        (("--partition_by", "subjects"), "--partition_by needs --partition_rate, such as 0.8"),
        (("--partition_rate", 0.5, "--partition_by", "views"), "invalid choice: 'views'"),
        (
            ("--partition_rate", 0.5, "--dataset_name", "Gait3D"),
            "--partition_rate divides CASIA-B and OU-MVLP; Gait3D needs its own partition",
        ),
    ],
)
def test_a_rate_that_makes_no_sense_is_one_line(convert, tmp_path, flags, message):
    assert message in refused(convert(*flags), NAME)
    assert not (tmp_path / "sets").exists()


def test_a_folder_of_another_level_is_one_line(command, tree, tmp_path):
    for place in (tree / "001", tree.parent):
        flags = ("--input_path", place, "--output_path", tmp_path / "sets", "--dataset_name", "CASIA-B")
        line = refused(command(COMMAND, *flags, "--partition_rate", 0.5), NAME)
        assert f"{place} holds no sequences of the partition: expected <id>/<type>/<view>" in line


def test_another_rate_is_not_mixed_into_a_set_that_is_there(convert):
    assert convert("--partition_rate", 0.4).code == 0
    line = convert("--partition_rate", 0.45, "--partition_by", "sequences").err.splitlines()[-1]
    assert "holds a data set that was made from other sources or settings" in line


@pytest.mark.parametrize(("layout", "title"), [("casia-b", "casiab"), ("oumvlp", "oumvlp")])
def test_simulated_walkers_go_by_the_commands_from_raw_and_pretreated_images(
    command, tmp_path, layout, title
):
    """GaitSet's pretreated images, 64x64, give the very same silhouettes as the raw ones."""

    def run(script, *flags):
        result = command(f"preprocessing/{script}.py", *flags)
        assert result.code == 0, result.err

    walks = ("--subjects", 3, "--sequences", "nm-01", "nm-02", "--views", "000", "090")
    walks += ("--frames", 6, "--size", 96)
    run("simulate_walkers", "--output_path", tmp_path / "raw", "--layout", layout, *walks)
    log = ("--log_file", tmp_path / "log", "--n_workers", 1, "-d", layout)
    run("pretreatment_silhouettes", "-i", tmp_path / "raw" / "silhouettes", "-o", tmp_path / "once", *log)
    for pickle in (tmp_path / "once").rglob("*.pkl"):
        folder = tmp_path / "images" / pickle.parent.relative_to(tmp_path / "once")
        folder.mkdir(parents=True)
        for number, frame in enumerate(read_array_pickle(pickle), 1):
            cv2.imwrite(str(folder / f"{number:03d}.png"), frame)
    run("pretreatment_silhouettes", "-i", tmp_path / "images", "-o", tmp_path / "twice", *log)
    for place in ("once", "twice"):
        flags = ("--input_path", tmp_path / place, "--output_path", tmp_path / "sets" / place)
        run("convert_opengait_dataset", *flags, "--partition_rate", 0.67)
        train = open_dataset(find_dataset(tmp_path / "sets" / place, "train", 2))
        assert (train.info["modality"], train.info["layout"]) == ("silhouette", layout)
        assert (len(train), train.frame_shape, train.dtype) == (8, (64, 64, 1), np.uint8)
        assert len(set(train.subject)) == 2
    once, twice = (
        open_dataset(tmp_path / "sets" / place / f"tfimdb_{title}_N001_test_silhouette_64x64")
        for place in ("once", "twice")
    )
    for i in range(len(once)):
        np.testing.assert_array_equal(once.read(i), twice.read(i))
    assert once.types.tolist() == twice.types.tolist()
