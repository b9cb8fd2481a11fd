"""``generate_skeleton_dataset.py``: what it makes of the published trees, and what it says of bad ones."""

import shutil

import numpy as np
import pytest
from checks import Attack, failed, refused
from skeleton_trees import (
    random_windows,
    skeleton_sets,
    skeleton_tree,
    smooth_windows,
    tree_folder,
    write_ids,
)

from keras_gait.data.opening import open_dataset
from keras_gait.data.provenance import SIMULATED, note_source
from keras_gait.data.skeletons.sets import in_file_order

COMMAND = "preprocessing/generate_skeleton_dataset.py"
NAME = "generate_skeleton_dataset.py"
TRAIN, TEST = "tfimdb_biwi_N003_train_skeleton_f6", "tfimdb_biwi_N003_test_skeleton_f6"


@pytest.fixture
def tree(tmp_path):
    """A tree of BIWI: three persons with five sequences of six frames to train with, four to test."""
    return skeleton_tree(tmp_path / "raw")


@pytest.fixture
def generate(command, tmp_path):
    """``generate(*flags)`` runs the command on the tree."""

    def run(*flags, given="raw", output="sets"):
        return command(COMMAND, "--input_path", tmp_path / given, "--output_path", tmp_path / output, *flags)

    return run


def train_folder(tree, *place):
    folder = tree_folder(tree, *place)
    return next(folder.glob("*_train_npy_data"))


def change(path, function):
    """Save ``function(array)`` in place of the array in ``path``."""
    np.save(path, function(np.load(path)))


def values(dataset):
    return np.stack([dataset.read(i) for i in range(len(dataset))])


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_tree_becomes_a_training_and_a_test_set_in_the_order_of_its_files(generate, tree, tmp_path):
    result = generate()
    assert result.code == 0, result.err
    train, test = (in_file_order(open_dataset(tmp_path / "sets" / name)) for name in (TRAIN, TEST))
    np.testing.assert_array_equal(values(train), smooth_windows(3, 5, 6, 20)[0])
    np.testing.assert_array_equal(values(test), smooth_windows(3, 4, 6, 20, seed=1)[0])
    assert train.subject.tolist() == ["0"] * 5 + ["1"] * 5 + ["2"] * 5
    assert train.video.tolist() == [f"{row:07d}" for row in range(15)]
    assert train.info["problems"] == []
    keys = ("modality", "layout", "dataset", "length", "source", "split", "channels", "frame_shape", "dtype")
    assert {key: train.info[key] for key in keys} == {
        "modality": "skeleton",
        "layout": "biwi",
        "dataset": "BIWI",
        "length": 6,
        "source": "BIWI",
        "split": "train",
        "channels": ["x", "y", "z"],
        "frame_shape": [20, 3],
        "dtype": "float32",
    }
    assert "view" not in train.info


def test_persons_whose_sequences_alternate_come_back_in_the_order_of_the_file(generate, tree, tmp_path):
    write_ids(train_folder(tree) / "ids_BIWI_6.npy", {10: np.arange(0, 15, 2), 2: tuple(range(1, 15, 2))})
    assert generate().code == 0
    train = in_file_order(open_dataset(tmp_path / "sets/tfimdb_biwi_N002_train_skeleton_f6"))
    assert train.subject.tolist() == (["10", "2"] * 8)[:15]
    np.testing.assert_array_equal(values(train), smooth_windows(3, 5, 6, 20)[0])
    assert train.subjects.tolist() == ["2", "10"]


@pytest.mark.parametrize(
    ("dataset", "length", "view", "name", "layout", "conditions", "angle"),
    [
        ("IAS", 4, None, "ias_N003_{}_skeleton_f4", "ias", "AB", ""),
        ("KGBD", 8, None, "kgbd_N003_{}_skeleton_f8", "kgbd", "", ""),
        ("KinectReID", 6, None, "kinectreid_N003_{}_skeleton_f6", "kinectreid", "", ""),
        ("KS20", 10, None, "ks20_N003_{}_skeleton_f10", "ks20", "", ""),
        ("KS20", 4, 3, "ks20_N003_{}_skeleton_f4_view3", "ks20", "", "3"),
        ("CASIA_B", 20, 2, "casiab_N003_{}_skeleton_f20_view2", "casia-b-cve", "", "036"),
        (
            "CASIA_B_match",
            50,
            None,
            "casiabmatch_N003_{}_skeleton_f50",
            "casia-b-cme",
            ("bg", "cl", "nm"),
            "",
        ),
        ("Lab-2", 4, None, "lab2_N003_{}_skeleton_f4", "lab-2", "", ""),
        ("Lab-2", 4, 7, "lab2_N003_{}_skeleton_f4_view7", "lab-2", "", "7"),
    ],
)
def test_every_published_tree_and_an_own_one(
    generate, tmp_path, dataset, length, view, name, layout, conditions, angle
):
    skeleton_tree(tmp_path / "raw", dataset, length, view=view, make=random_windows)
    flags = () if view is None else ("--view", view)
    result = generate("--dataset", dataset, "--length", length, *flags)
    assert result.code == 0, result.err
    assert "problem" not in result.out
    train, test = (
        in_file_order(open_dataset(tmp_path / "sets" / f"tfimdb_{name.format(split)}"))
        for split in ("train", "test")
    )
    assert train.info["layout"] == layout
    assert train.info["dataset"] == dataset
    assert train.info.get("view") == (None if view is None else str(view))
    joints = train.frame_shape[0]
    assert joints == {"KS20": 25, "CASIA_B": 14, "CASIA_B_match": 14}.get(dataset, 20)
    np.testing.assert_array_equal(values(train), random_windows(3, 5, length, joints)[0])
    assert sorted(set(test.condition.tolist())) == list(conditions or [""])
    assert set(test.view.tolist()) == {angle}
    assert set(train.view.tolist()) == set(train.condition.tolist()) == {""}
    seeds = {"A": 1, "B": 2, "nm": 1, "bg": 2, "cl": 3, "": 1}
    for condition in conditions or [""]:
        mine = test.select(test.condition == condition)
        np.testing.assert_array_equal(values(mine), random_windows(3, 4, length, joints, seeds[condition])[0])


def test_an_own_tree_may_have_two_test_sets_and_any_number_of_joints(generate, tmp_path):
    tree = skeleton_tree(tmp_path / "raw", "Lab", joints=17)
    folder = tree_folder(tree, "Lab") / "Lab_test_npy_data"
    for path in list(folder.iterdir()):
        for tag in "AB":
            shutil.copy(path, folder / path.name.replace("Lab", f"Lab-{tag}"))
        path.unlink()
    assert generate("--dataset", "Lab").code == 0
    test = open_dataset(tmp_path / "sets/tfimdb_lab_N003_test_skeleton_f6")
    assert test.frame_shape == (17, 3)
    assert test.condition.tolist() == (["A"] * 4 + ["B"] * 4) * 3


@pytest.mark.parametrize("given", ["raw/Datasets", "raw/Datasets/KS20", "raw/Datasets/KS20/6"])
def test_the_input_path_may_be_any_folder_on_the_way(generate, tmp_path, given):
    skeleton_tree(tmp_path / "raw", "KS20", view=1)
    skeleton_tree(tmp_path / "raw", "KS20", view=2)
    assert generate("--dataset", "KS20", "--view", 2, given=given).code == 0
    assert (tmp_path / "sets/tfimdb_ks20_N003_test_skeleton_f6_view2").is_dir()
    assert generate("--dataset", "KS20", "--view", 2, given="raw/Datasets/KS20/6/view_2").code == 0
    assert "holds no tree of KS20" in refused(
        generate("--dataset", "KS20", "--view", 1, given="raw/Datasets/KS20/6/view_2"), NAME
    )


def test_a_published_name_may_be_written_small(generate, tree, tmp_path):
    assert generate("--dataset", "biwi").code == 0
    assert open_dataset(tmp_path / "sets" / TEST).info["dataset"] == "BIWI"


def test_casia_b_is_found_in_the_folders_of_the_documentation_too(generate, tmp_path):
    skeleton_tree(tmp_path / "raw", "CASIA_B", 20, view=0)
    (tmp_path / "raw/Datasets/CASIA_B").rename(tmp_path / "raw/Datasets/CASIA")
    assert generate("--dataset", "CASIA_B", "--length", 20, "--view", 0).code == 0


@pytest.mark.parametrize("place", ["raw", "raw/Datasets", "raw/Datasets/BIWI", "raw/Datasets/BIWI/6"])
def test_simulated_trees_stay_told_as_simulated(generate, tree, tmp_path, place):
    note_source(tmp_path / place, SIMULATED)
    assert generate("--dataset", "BIWI").code == 0
    assert open_dataset(tmp_path / "sets" / TEST).info["source"] == SIMULATED


def test_workers_and_shards_write_the_very_same_bytes(generate, tree, tmp_path):
    generate(output="one")
    for shard in ("1/2", "0/2"):
        generate("--worker_num", 2, "--shard", shard, output="two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_sets_of_a_tree_that_changed_meanwhile_are_not_mixed(generate, tree):
    assert generate().code == 0
    assert "is complete already" in generate().out
    change(train_folder(tree) / "source_z_BIWI_6.npy", lambda array: array + 1)
    assert "made from other sources or settings" in failed(generate(), NAME)


def test_stray_files_are_ignored_and_named(generate, tree, tmp_path):
    train, test = train_folder(tree), tree_folder(tree) / "BIWI_test_npy_data"
    (train / "target_z_KGBD_8(1).npy").write_bytes(b"anything")
    (test / "ids_IAS-A_8.npy").write_bytes(b"anything")
    result = generate()
    assert result.code == 0
    assert "2 problem(s)" in result.out
    for path in (train / "target_z_KGBD_8(1).npy", test / "ids_IAS-A_8.npy"):
        assert f"  {path}: not of this data set and length: ignored" in result.out
    assert len(open_dataset(tmp_path / "sets" / TRAIN)) == 15


def test_what_the_ids_leave_out_is_noted_and_no_fault(generate, tree, tmp_path):
    write_ids(train_folder(tree) / "ids_BIWI_6.npy", {0: [0, 1, 2], 1: [], 2: [5, 6]})
    result = generate()
    assert result.code == 0
    path = train_folder(tree) / "ids_BIWI_6.npy"
    assert f"  {path}: 10 of 15 sequences, first 3, are of nobody: left out" in result.out
    assert f"  {path}: persons without sequences: 1" in result.out
    train = open_dataset(tmp_path / "sets/tfimdb_biwi_N002_train_skeleton_f6")
    assert train.video.tolist() == ["0000000", "0000001", "0000002", "0000005", "0000006"]


def spoil_value(value, row, column=3):
    def spoiled(array):
        array[row, column] = value
        return array

    return spoiled


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_sequences_that_are_not_finite_are_left_out_and_told(generate, tree, tmp_path, value):
    path = train_folder(tree) / "source_y_BIWI_6.npy"
    change(path, lambda array: spoil_value(value, 13)(array.astype(np.float64)))
    result = generate()
    assert "1 file(s) damaged or missing, such as" in failed(result, NAME)
    assert (
        f"  {path}: 1 of 15 sequences, first 2, with a value that is no finite number are left out"
        in result.out
    )
    assert "0000002" not in open_dataset(tmp_path / "sets" / TRAIN).video.tolist()


def test_targets_that_are_no_reversed_sources_are_told_and_the_sources_are_used(generate, tree, tmp_path):
    folder = train_folder(tree)
    change(folder / "target_x_BIWI_6.npy", spoil_value(5.0, 6 * 4 + 1))
    (folder / "target_y_BIWI_6.npy").unlink()
    change(folder / "target_z_BIWI_6.npy", lambda array: array[6:])
    result = generate()
    assert "2 file(s) damaged or missing" in failed(result, NAME)
    for line in (
        "target_x_BIWI_6.npy: 1 of 15 sequences, first 4, are not those of the source backwards",
        "target_y_BIWI_6.npy: not there, so its source is not compared with it",
        "target_z_BIWI_6.npy: an array (84, 20), where the source is (90, 20)",
    ):
        assert f"  {folder / line}" in result.out
    train = in_file_order(open_dataset(tmp_path / "sets" / TRAIN))
    np.testing.assert_array_equal(values(train), smooth_windows(3, 5, 6, 20)[0])


def endless():
    """Few lists, and 2 ** 60 numbers once they are an array."""
    rows = [0]
    for _ in range(60):
        rows = [rows, rows]
    return rows


SOURCE, IDS = "source_x_BIWI_6.npy", "ids_BIWI_6.npy"


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        (SOURCE, lambda path: path.unlink(), "BIWI_train_npy_data lacks source_x_BIWI_6.npy: get it again"),
        (IDS, lambda path: path.unlink(), "lacks ids_BIWI_6.npy: get it again"),
        (SOURCE, lambda path: change(path, lambda a: a[6:]), "of unequal shapes, (84, 20), (90, 20)"),
        (SOURCE, lambda path: change(path, lambda a: a[1:]), "89 rows, which are no sequences of 6 frames"),
        (SOURCE, lambda path: change(path, lambda a: a[:, 1:]), "has 19 joints; expected 20"),
        (SOURCE, lambda path: change(path, lambda a: a[0]), "is an array (20,) of float32"),
        (SOURCE, lambda path: change(path, lambda a: a.astype("U4")), "is an array (90, 20) of <U4"),
        (SOURCE, lambda path: write_ids(path, {}), "is cut off, damaged or no .npy file"),
        (SOURCE, lambda path: path.write_bytes(path.read_bytes()[:999]), "is cut off, damaged or no"),
        (SOURCE, lambda path: path.write_bytes(path.read_bytes()[:40]), "is cut off, damaged or no"),
        (SOURCE, lambda path: path.write_bytes(b""), "is cut off, damaged or no .npy file"),
        (IDS, lambda path: path.write_bytes(path.read_bytes()[:-9]), "this pickle is damaged"),
        (IDS, lambda path: path.write_bytes(b""), "ids_BIWI_6.npy is damaged or no .npy file"),
        (IDS, lambda path: path.write_text('{"0": [0, 1]}'), "ids_BIWI_6.npy is damaged or no .npy file"),
        (IDS, lambda path: np.save(path, np.arange(3)), "holds no array of objects"),
        (IDS, lambda path: write_ids(path, [1, 2]), "holds no dict of persons and their sequences"),
        (IDS, lambda path: write_ids(path, {"a": [0]}), "'a' is no person's number, 0 or above"),
        (IDS, lambda path: write_ids(path, {-1: [0]}), "'-1' is no person's number, 0 or above"),
        (IDS, lambda path: write_ids(path, {0: 5}), "person 0 has no list of the numbers of sequences"),
        (IDS, lambda path: write_ids(path, {0: [0.5]}), "person 0 has no list of the numbers of sequences"),
        (IDS, lambda path: write_ids(path, {0: [[1], [2, 3]]}), "person 0 has no list of the numbers"),
        (IDS, lambda path: write_ids(path, {0: endless()}), "person 0 has no list of the numbers"),
        (IDS, lambda path: write_ids(path, {0: [0], 7: [15]}), "person 7 has sequence 15, but there are 15"),
        (IDS, lambda path: write_ids(path, {0: [-1]}), "person 0 has sequence -1, but there are 15"),
        (IDS, lambda path: write_ids(path, {3: [0, 4], 7: [4]}), "4 is named twice, for persons 3 and 7"),
        (IDS, lambda path: write_ids(path, {3: [], 4: []}), "holds no sequence of BIWI that can be used"),
    ],
)
def test_files_that_cannot_be_used_are_one_line(generate, tree, tmp_path, name, spoil, words):
    path = train_folder(tree) / name
    spoil(path)
    line = refused(generate(), NAME)
    assert words in line
    assert str(path.parent) in line
    assert not (tmp_path / "sets").exists()


def test_ids_that_want_to_run_something_are_refused_unrun(generate, tree, tmp_path):
    write_ids(train_folder(tree) / IDS, {0: [Attack(tmp_path / "broken_in")]})
    assert "asks for posix.system, which is refused and was not run" in refused(generate(), NAME)
    assert not (tmp_path / "broken_in").exists()


@pytest.mark.parametrize("lost", ["ids_IAS-B_6.npy", "t_source_y_IAS-B_6.npy"])
def test_each_test_set_is_needed(generate, tmp_path, lost):
    folder = tree_folder(skeleton_tree(tmp_path / "raw", "IAS"), "IAS") / "IAS_test_npy_data"
    (folder / lost).unlink()
    assert f"{folder} lacks {lost}: get it again" in refused(generate("--dataset", "IAS"), NAME)


@pytest.mark.parametrize(
    ("flags", "given", "words"),
    [
        ((), "none", "none does not exist or is no folder"),
        ((), "raw/Datasets/BIWI/6/BIWI_train_npy_data", "holds no tree of BIWI: expected Datasets/BIWI/6/"),
        (("--length", 8), "raw", "Datasets/BIWI has no sequences of 8 frames: give --length 6"),
        (("--length", 8), "raw/Datasets/BIWI/6", "lacks source_x_BIWI_8.npy, source_y_BIWI_8.npy"),
        (("--length", 8), "raw/Datasets/BIWI/6", "ids_BIWI_8.npy: give --length 6"),
        (("--length", 0), "raw", "no sequences of 0 frames: give --length 6"),
        (("--length", "six"), "raw", "argument --length: invalid int value"),
        (("--dataset", "IAS"), "raw", "raw/Datasets has no folder IAS: give --dataset BIWI or KS20"),
        (("--dataset", "Mine"), "raw", "raw/Datasets has no folder Mine: give --dataset BIWI or KS20"),
        (("--dataset", "Mine", "--view", "../1"), "raw", "Mine has no such view; a view is a number"),
        (("--dataset", "IAS"), "raw/Datasets/BIWI", "BIWI/6 lacks one of the folders IAS_train_npy_data and"),
        (("--dataset", "../BIWI"), "raw", "'../BIWI' is no name of letters, digits"),
        (("--view", 2), "raw", "--view 2: BIWI has no such view; leave --view out"),
        (("--dataset", "KS20", "--view", 5), "raw", "KS20 has no such view; its views are 0, 1, 2, 3, 4"),
        (("--dataset", "KS20", "--view", 4), "raw", "KS20/6 has no folder view_4: give --view 1"),
        (("--dataset", "KS20"), "raw", "KS20/6 has no sequences of all views in one: give --view 1"),
        (("--dataset", "CASIA_B"), "raw", "CASIA_B has a folder for each view: give --view, one of 0, 1,"),
        (("--dataset", "CASIA_B_match"), "raw/Datasets", "has no folder CASIA_B_match: give --dataset"),
    ],
)
def test_a_tree_that_is_not_there_is_one_line(generate, tree, tmp_path, flags, given, words):
    skeleton_tree(tree, "KS20", view=1)
    assert words in refused(generate(*flags, given=given), NAME)
    assert not (tmp_path / "sets").exists()


def test_a_missing_half_is_named(generate, tree):
    shutil.rmtree(tree_folder(tree) / "BIWI_test_npy_data")
    assert "lacks one of the folders BIWI_train_npy_data and BIWI_test_npy_data: found BIWI_train" in refused(
        generate(), NAME
    )


def test_sets_for_other_tests_are_the_commands(tmp_path):
    train, test = skeleton_sets(tmp_path / "sets", tmp_path / "raw", "KS20", 4, view=0)
    assert (train.name, test.info["view"]) == ("tfimdb_ks20_N003_train_skeleton_f4_view0", "0")
