"""Raw recordings of skeletons to the published tree: what comes out, and what is refused."""

import json

import numpy as np
import pytest
from checks import failed, refused
from skeleton_recordings import (
    BY_TAKE,
    COMMAND,
    NAME,
    SMALL,
    arrays,
    files,
    recording,
    write_csv,
    write_npy,
    write_people,
)

from keras_gait.data.opening import open_dataset
from keras_gait.data.skeletons import tree_writer


def test_the_tree_is_the_published_one(command, tmp_path):
    write_people(tmp_path / "raw", frames=7)
    flags = ("--dataset", "biwi", "--length", 4, "--trim", 1, "--offsets", 2)
    result = command(COMMAND, "--input_path", tmp_path / "raw", "--output_path", tmp_path, *flags, *BY_TAKE)
    assert result.code == 0, result.err
    assert "BIWI train: 4 windows, 2 recording(s), 2 person(s)" in result.out
    folder = tmp_path / "BIWI" / "4"
    visible = [name for name in files(folder) if not name.startswith(".")]
    assert sorted(visible) == sorted(
        [f"BIWI_train_npy_data/{name}_BIWI_4.npy" for name in ("ids", "frame_id")]
        + [f"BIWI_test_npy_data/{name}_BIWI_4.npy" for name in ("ids", "frame_id")]
        + [f"BIWI_train_npy_data/{what}_{axis}_BIWI_4.npy" for what in ("source", "target") for axis in "xyz"]
        + [
            f"BIWI_test_npy_data/t_{what}_{axis}_BIWI_4.npy"
            for what in ("source", "target")
            for axis in "xyz"
        ]
    )
    train = arrays(folder / "BIWI_train_npy_data")
    # Of 7 frames the first and the last are cut. All recordings from offset 0 come before those from 1.
    expected = np.concatenate([recording(p, 0, 7)[s : s + 4] for s, p in ((1, 3), (1, 12), (2, 3), (2, 12))])
    for number, axis in enumerate("xyz"):
        source = train[f"source_{axis}_BIWI_4.npy"]
        assert source.shape == (16, 20)
        assert source.dtype == np.float32
        np.testing.assert_array_equal(source, expected[..., number])
        backwards = source.reshape(4, 4, 20)[:, ::-1].reshape(16, 20)
        np.testing.assert_array_equal(train[f"target_{axis}_BIWI_4.npy"], backwards)
    assert train["ids_BIWI_4.npy"].shape == ()
    assert train["ids_BIWI_4.npy"].item() == {3: [0, 2], 12: [1, 3]}
    assert train["frame_id_BIWI_4.npy"].tolist() == [3, 12, 3, 12]
    test = arrays(folder / "BIWI_test_npy_data")
    np.testing.assert_array_equal(test["t_source_y_BIWI_4.npy"][4:], recording(12, 1, 7)[1:5, :, 1])


def test_two_test_sets_have_their_names(command, tmp_path):
    root = write_people(tmp_path / "raw")
    write_npy(root / "003/coat/c.npy", recording(3, 2))
    flags = ("--input_path", root, "--output_path", tmp_path, "--dataset", "IAS", "--length", 4, "--trim", 0)
    assert command(COMMAND, *flags, "--test", "A=coat/*", "B=b.npy").code == 0
    test = arrays(tmp_path / "IAS/4/IAS_test_npy_data")
    assert test["ids_IAS-A_4.npy"].item() == {3: [0, 1, 2]}
    assert test["ids_IAS-B_4.npy"].item() == {3: [0, 1, 2], 12: [3, 4, 5]}
    assert test["t_source_x_IAS-A_4.npy"][0, 0] == 3200
    message = failed(
        command(COMMAND, *flags[:2], "--output_path", tmp_path / "o", *flags[4:], *BY_TAKE), NAME
    )
    assert "IAS has the sets test-A, test-B, these are test" in message


@pytest.mark.parametrize(
    ("folders", "tags"),
    [
        (("train", "test"), ["Mine"]),
        (("Training", "TestingA", "TestingB"), ["Mine-A", "Mine-B"]),
        (("Training", "Testing/Still", "Testing/Walking"), ["Mine"]),
    ],
)
def test_folders_may_tell_what_is_for_testing(command, tmp_path, folders, tags):
    for take, folder in enumerate(folders):
        for person in (3, 12):
            write_npy(tmp_path / "raw" / folder / f"{person}" / "walk.npy", recording(person, take))
    flags = ("--input_path", tmp_path / "raw", "--output_path", tmp_path, *SMALL)
    assert command(COMMAND, *flags).code == 0
    test = arrays(tmp_path / "Mine/4/Mine_test_npy_data")
    assert sorted(name for name in test if name.startswith("ids")) == [f"ids_{tag}_4.npy" for tag in tags]
    counts = [len(test[f"ids_{tag}_4.npy"].item()[12]) for tag in tags]
    assert sum(counts) == 3 * (len(folders) - 1)
    assert "tell already" in refused(command(COMMAND, *flags, *BY_TAKE), NAME)
    (tmp_path / "raw/999").mkdir()
    assert "beside them, 999" in refused(command(COMMAND, *flags), NAME)


def test_names_of_persons_are_numbered(command, tmp_path):
    for person, name in enumerate(("carla", "anna", "bo")):
        for take in range(2):
            write_npy(tmp_path / "raw" / name / f"{'ab'[take]}.npy", recording(person, take))
    command(COMMAND, "--input_path", tmp_path / "raw", "--output_path", tmp_path, *SMALL, *BY_TAKE)
    assert json.loads((tmp_path / "Mine/4/names.json").read_text()) == {"0": "anna", "1": "bo", "2": "carla"}
    train = arrays(tmp_path / "Mine/4/Mine_train_npy_data")
    assert sorted(train["ids_Mine_4.npy"].item()) == [0, 1, 2]
    assert train["source_x_Mine_4.npy"][0, 0] == 1000  # anna's


@pytest.mark.parametrize("change", ["division", "values", "persons"])
def test_a_tree_of_other_recordings_is_not_passed_off_as_of_these(command, tmp_path, change):
    root, tests = write_people(tmp_path / "raw"), list(BY_TAKE)
    flags = ("--input_path", root, "--output_path", tmp_path, *SMALL)
    assert command(COMMAND, *flags, *tests).code == 0
    if change == "division":  # into as many frames
        tests = ["--test", "a*"]
    elif change == "values":
        write_npy(root / "012/a.npy", recording(12, 5))
    else:
        (root / "012").rename(root / "013")
    again = command(COMMAND, *flags, *tests)
    assert "use the same settings to go on, or another --output_path" in failed(again, NAME)


def test_a_joint_can_be_subtracted_from_its_frame(command, tmp_path):
    root = write_people(tmp_path / "raw")
    flags = ("--input_path", root, "--output_path", tmp_path, *SMALL, *BY_TAKE)
    assert command(COMMAND, *flags, "--center", 2).code == 0
    source = arrays(tmp_path / "Mine/4/Mine_train_npy_data")["source_y_Mine_4.npy"]
    np.testing.assert_allclose(source, np.tile((np.arange(20) - 2) * 0.01, (len(source), 1)), atol=2e-3)
    result = command(COMMAND, *flags[:2], "--output_path", tmp_path / "o", *flags[4:], "--center", 20)
    assert "--center 20: the skeletons have the joints 0 to 19" in failed(result, NAME)


def test_simulated_recordings_become_data_sets_that_say_so(command, tmp_path):
    flags = ("--subjects", 2, "--frames", 30, "--sequences", "nm-01", "nm-05", "--views", "090")
    command(
        "preprocessing/simulate_walkers.py", "--layout", "kinect", "--output_path", tmp_path / "w", *flags
    )
    flags = ("--dataset", "Mine", "--test", "nm-05*")
    made = command(
        COMMAND, "--input_path", tmp_path / "w/skeletons", "--output_path", tmp_path / "Datasets", *flags
    )
    assert made.code == 0, made.err
    result = command(
        *("preprocessing/generate_skeleton_dataset.py", "--input_path", tmp_path / "Datasets"),
        *("--dataset", "Mine", "--output_path", tmp_path / "sets"),
    )
    assert result.code == 0, result.err
    dataset = open_dataset(tmp_path / "sets" / "tfimdb_mine_N002_train_skeleton_f6")
    assert dataset.info["source"] == "simulated walkers"
    # 10 frames are left: windows from 0, 3; 1, 4; 2; 3; 4 and none from 5 of either.
    assert len(dataset) == 2 * 7


def test_a_killed_run_is_gone_on_with_and_shows_no_half_folder(command, tmp_path, monkeypatch):
    root = write_people(tmp_path / "raw")
    flags = ("--input_path", root, *SMALL, *BY_TAKE)
    command(COMMAND, *flags, "--output_path", tmp_path / "whole")
    write_set = tree_writer._write_set

    def killed(folder, role, *rest):
        if role == "test":
            (folder / "half.npy").write_text("")
            raise KeyboardInterrupt
        return write_set(folder, role, *rest)

    monkeypatch.setattr(tree_writer, "_write_set", killed)
    assert command(COMMAND, *flags, "--output_path", tmp_path / "cut").code == 130
    folder = tmp_path / "cut/Mine/4"
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == [
        "Mine_train_npy_data"
    ]
    monkeypatch.setattr(tree_writer, "_write_set", write_set)
    result = command(COMMAND, *flags, "--output_path", tmp_path / "cut")
    assert result.code == 0
    assert "Mine_train_npy_data is there already" in result.out
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    again = command(COMMAND, *flags, "--output_path", tmp_path / "cut", "--stride", 1)
    assert "use the same settings to go on, or another --output_path" in failed(again, NAME)
    write_npy(root / "003/d.npy", recording(3, 3))
    more = command(COMMAND, *flags, "--output_path", tmp_path / "cut")
    assert "use the same settings to go on, or another --output_path" in failed(more, NAME)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


def test_a_published_tree_is_not_written_into(command, tmp_path):
    root = write_people(tmp_path / "raw")
    published = tmp_path / "Datasets/BIWI/4/BIWI_train_npy_data/ids_BIWI_4.npy"
    write_npy(published, np.zeros(3))
    flags = ("--dataset", "BIWI", "--length", 4, "--trim", 0, *BY_TAKE)
    result = command(COMMAND, "--input_path", root, "--output_path", tmp_path / "Datasets", *flags)
    assert "name a new or empty --output_path" in failed(result, NAME)
    assert list(files(tmp_path / "Datasets")) == ["BIWI/4/BIWI_train_npy_data/ids_BIWI_4.npy"]


def test_short_recordings_and_lonely_persons_are_told(command, tmp_path):
    root = write_people(tmp_path / "raw")
    write_npy(root / "003/c.npy", recording(3, 2, frames=3))
    write_npy(root / "020/a.npy", recording(20, 0))
    flags = ("--input_path", root, *SMALL, *BY_TAKE)
    result = command(COMMAND, *flags, "--output_path", tmp_path)
    assert result.code == 0
    assert "003/c.npy: fewer than 4 frames, too few for a window" in result.out
    assert "020: a person without recordings for testing" in result.out
    write_npy(root / "021/b.npy", recording(21, 1))
    (root / "022").mkdir()
    result = command(COMMAND, *flags, "--output_path", tmp_path / "more")
    assert "2 file(s) damaged or missing" in failed(result, NAME)
    assert "021: a person without recordings for training, left out" in result.out
    assert "raw/022: a person without recordings (npy)" in result.out
    assert files(tmp_path / "more/Mine") == files(tmp_path / "Mine")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "--test is needed: patterns of the recordings that are for testing"),
        (("--test", "x*"), "--test x* matches no recording: they have names such as a.npy"),
        (("--test", "*"), "all recordings are for testing"),
        (("--test", "A=a*", "b*"), "name the test set of each pattern, as A=..., or of none"),
        (("--test", "A=a*", "B=a.npy"), "003/a.npy would be in test-A and in test-B"),
        ((*BY_TAKE, "--format", "csv"), "holds no recordings: expected <person>/....csv"),
        ((*BY_TAKE, "--dataset", "a/b"), "--dataset 'a/b' is no name"),
        ((*BY_TAKE, "--dataset", "CASIA_B"), "folders of its own"),
        ((*BY_TAKE, "--length", 1), "--length must be at least 2. Received: 1"),
        ((*BY_TAKE, "--length", 40), "no recording can be used (such as"),
        ((*BY_TAKE, "--trim", -1), "--trim must be at least 0. Received: -1"),
        ((*BY_TAKE, "--stride", 0), "--stride must be at least 1. Received: 0"),
        ((*BY_TAKE, "--offsets", 0), "--offsets must be at least 1. Received: 0"),
        ((*BY_TAKE, "--center", "hip"), "--center must be none or the number of a joint"),
        ((*BY_TAKE, "--input_path", "nowhere"), "--input_path nowhere does not exist"),
    ],
)
def test_wrong_wishes_end_with_one_line_and_code_2(command, tmp_path, flags, words):
    root = write_people(tmp_path / "raw")
    result = command(COMMAND, "--input_path", root, "--output_path", tmp_path / "o", *SMALL, *flags)
    assert words in failed(result, NAME)
    assert not (tmp_path / "o").exists()


def test_a_folder_above_that_of_the_persons_is_not_taken_for_one(command, tmp_path):
    write_people(tmp_path / "walkers/skeletons")
    flags = ("--input_path", tmp_path / "walkers", "--output_path", tmp_path / "o", *SMALL)
    message = refused(command(COMMAND, *flags, "--test", "*/b*"), NAME)
    assert "holds recordings of one person, skeletons: name the folder that holds" in message


def test_files_of_several_or_of_no_formats_are_not_guessed_at(command, tmp_path):
    root = write_people(tmp_path / "raw")
    flags = ("--input_path", root, "--output_path", tmp_path / "o", *SMALL, *BY_TAKE)
    write_csv(root / "003/c.csv", recording(3, 2))
    assert "several formats: give --format csv or npy" in refused(command(COMMAND, *flags), NAME)
    for path in [*root.rglob("*.npy"), *root.rglob("*.csv")]:
        path.unlink()
    assert "holds no recordings: expected <person>/..." in refused(command(COMMAND, *flags), NAME)
    (root / "003/a.txt").write_text("0;1;2;3\n" * 20)
    assert "--format kgbd or ks20: say which" in refused(command(COMMAND, *flags), NAME)


def test_a_person_whose_training_recordings_are_all_damaged_is_not_tested(command, tmp_path):
    root = write_people(tmp_path / "raw")
    (root / "003/a.npy").write_bytes(b"")
    result = command(COMMAND, "--input_path", root, "--output_path", tmp_path, *SMALL, *BY_TAKE)
    assert "2 file(s) damaged or missing" in failed(result, NAME)
    assert list(arrays(tmp_path / "Mine")["ids_Mine_4.npy"].item()) == [12]
