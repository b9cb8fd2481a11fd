"""From flow images to data sets: what the packing commands write, and what they refuse."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from flow_folders import casiab_tree, rows, sequence_folder

from keras_gait.data.opening import open_dataset

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "attengait"
TRAIN = "preprocessing/generate_of_dataset_casiab.py"
TEST = "preprocessing/generate_of_dataset_casiab_test.py"


def test_an_output_that_is_a_file_is_one_line(command, tmp_path):
    (tmp_path / "file").write_text("a file, no folder")
    tree = casiab_tree(tmp_path / "pre", subjects=("001",))
    result = command(TRAIN, "--ofdir", tree, "--outdir", tmp_path / "file")
    assert result.code == 2
    assert "run it again" in result.err


def test_the_preparation_starts_without_a_deep_learning_framework():
    modules = "keras_gait.data.flow_tree, keras_gait.data.flow_sets, keras_gait.data.hdf5"
    code = f"import sys, {modules}; sys.exit(bool({{'tensorflow', 'keras', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_casiab_is_split_by_subject_and_by_take(command, tmp_path):
    tree = casiab_tree(tmp_path / "pre")
    sets = tmp_path / "sets"
    assert command(TRAIN, "--ofdir", tree, "--outdir", sets, "--train_subjects", 2).code == 0
    for mode in ("ft", "test"):
        arguments = ("--ofdir", tree, "--outdir", sets, "--train_subjects", 2, "--mode", mode)
        assert command(TEST, *arguments).code == 0
    train = rows(sets / "tfimdb_casiab_N002_train_of30_64x64")
    assert len(train) == 12
    assert {row[0] for row in train} == {"001", "002"}
    assert rows(sets / "tfimdb_casiab_N001_ft_of30_64x64") == [
        ("003", "nm", "000", "01"),
        ("003", "nm", "090", "01"),
    ]
    assert {row[1:] for row in rows(sets / "tfimdb_casiab_N001_test_of30_64x64")} == {
        (condition, view, video)
        for condition, video in (("nm", "05"), ("bg", "01"))
        for view in ("000", "090")
    }


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_frames_keep_their_order_and_their_channels(command, tmp_path, encoding):
    tree = casiab_tree(tmp_path / "pre", subjects=("007",), views=("090",))
    command(TRAIN, "--ofdir", tree, "--outdir", tmp_path, "--encoding", encoding)
    ds = open_dataset(tmp_path / "tfimdb_casiab_N074_train_of30_64x64")
    assert ds.read(0)[:, 10, 10].tolist() == [[number, 7, 255] for number in range(6)]
    assert ds.info["source"] == "CASIA-B"
    assert ds.info["split"] == "train"


def test_the_published_split_has_the_published_names(command, tmp_path):
    tree = casiab_tree(tmp_path / "pre", subjects=("074", "075"), views=("090",))
    command(TRAIN, "--ofdir", tree, "--outdir", tmp_path / "sets")
    command(TEST, "--ofdir", tree, "--outdir", tmp_path / "sets", "--mode", "ft")
    names = sorted(path.name for path in (tmp_path / "sets").iterdir())
    assert names == ["tfimdb_casiab_N050_ft_of30_64x64", "tfimdb_casiab_N074_train_of30_64x64"]
    assert rows(tmp_path / "sets" / names[0]) == [("075", "nm", "090", "01")]
    assert {row[0] for row in rows(tmp_path / "sets" / names[1])} == {"074"}


def test_damaged_wrongly_sized_and_missing_images_go_to_the_table_of_problems(command, tmp_path):
    tree = casiab_tree(tmp_path / "pre", subjects=("001",))
    image = tree / "001/nm-01/000/002.png"
    image.write_bytes(image.read_bytes()[:60])
    cv2.imwrite(str(tree / "001/nm-01/090/001.png"), np.zeros((64, 44, 3), np.uint8))
    shutil.rmtree(tree / "001/nm-05/000")
    (tree / "001/nm-05/000").mkdir()
    result = command(TRAIN, "--ofdir", tree, "--outdir", tmp_path)
    assert result.code == 2
    assert result.err.count("file(s) damaged or missing") == 1
    assert "3 problem(s)" in result.out
    assert "nm-01/000/002.png: damaged image" in result.out
    assert "nm-01/090/001.png: image of 44x64, expected 64x64" in result.out
    assert "nm-05/000: no frames" in result.out
    ds = open_dataset(tmp_path / "tfimdb_casiab_N074_train_of30_64x64")
    assert sorted(ds.frames.tolist()) == [5, 5, 6, 6, 6]
    assert len(json.loads((ds.path / "dataset.json").read_text())["problems"]) == 3


@pytest.mark.parametrize("what", ["missing", "empty", "no test subjects"])
def test_a_set_that_cannot_be_made_is_explained(command, tmp_path, what):
    tree = tmp_path / "pre"
    messages = {
        "missing": f"--ofdir {tree} does not exist",
        "empty": "holds no sequences: expected folders",
        "no test subjects": "no sequences for the ft split",
    }
    if what == "empty":
        tree.mkdir()
    elif what == "no test subjects":
        casiab_tree(tree, subjects=("001",), views=("090",))
    result = command(TEST, "--ofdir", tree, "--outdir", tmp_path / "sets", "--mode", "ft")
    assert result.code == 2
    assert messages[what] in result.err
    assert not (tmp_path / "sets").exists()


def test_subjects_may_have_any_names(command, tmp_path):
    for subject in ("anna", "ben"):
        sequence_folder(tmp_path / "pre", subject, "walk", "000")
        sequence_folder(tmp_path / "pre", subject, "nm-02", "000")
    command(TRAIN, "--ofdir", tmp_path / "pre", "--outdir", tmp_path / "sets", "--train_subjects", 1)
    assert rows(tmp_path / "sets/tfimdb_casiab_N001_train_of30_64x64") == [
        ("anna", "nm", "000", "02"),
        ("anna", "walk", "000", ""),
    ]


def test_oumvlp_is_split_by_id_and_sequence_and_resized(command, tmp_path):
    for subject in ("00001", "00002", "10305", "10307"):
        for folder in ("000_00", "270_01"):
            sequence_folder(tmp_path / "pre", subject, folder, size=32, value=9)
    script, sets = "preprocessing/generate_of_dataset_oumvlp", tmp_path / "sets"
    command(f"{script}.py", "--ofdir", tmp_path / "pre", "--outdir", sets)
    for mode in ("ft", "test"):
        command(f"{script}_test.py", "--ofdir", tmp_path / "pre", "--outdir", sets, "--mode", mode)
    train = open_dataset(sets / "tfimdb_oumvlp_N5153_train_of30_64x64")
    assert sorted(set(train.subject)) == ["00001", "10305"]
    assert train.read(0)[3, 5, 5].tolist() == [3, 9, 255]
    assert rows(sets / "tfimdb_oumvlp_N5154_ft_of30_64x64") == [
        ("00002", "", "270", "01"),
        ("10307", "", "270", "01"),
    ]
    assert [row[2:] for row in rows(sets / "tfimdb_oumvlp_N5154_test_of30_64x64")] == [("000", "00")] * 2


def test_an_original_set_is_converted_whole(command, tmp_path):
    name = "tfimdb_casiab_N074_train_of30_64x64"
    original = open_dataset(FIXTURES / "dataset_casiab_train" / name)
    script = ("preprocessing/convert_hdf5_dataset.py", "--output_path", tmp_path)
    assert command(*script, "--input_path", original.path).code == 0
    ours = open_dataset(tmp_path / name)
    assert ours.info["source"] == "CASIA-B"
    place = {row: i for i, row in enumerate(rows(original.path))}
    assert len(ours) == len(original) == len(place)
    for i, row in enumerate(rows(ours.path)):
        np.testing.assert_array_equal(ours.read(i), original.read(place[row]))


def test_a_conversion_reports_missing_files_and_refuses_other_folders(command, tmp_path):
    name = "tfimdb_casiab_N074_train_of30_64x64"
    shutil.copytree(FIXTURES / "dataset_casiab_train", tmp_path / "sets")
    (tmp_path / "sets" / name / "001_nm-01_000.h5").unlink()
    (tmp_path / "sets" / name / "001_nm-01_090.h5").write_bytes(b"no HDF5")
    script = ("preprocessing/convert_hdf5_dataset.py", "--output_path", tmp_path / "ours")
    result = command(*script, "--input_path", tmp_path / "sets" / f"{name}.h5")
    assert "001_nm-01_000.h5: missing file" in result.out
    assert "001_nm-01_090.h5: damaged file" in result.out
    assert len(open_dataset(tmp_path / "ours" / name)) == 6
    result = command(*script, "--input_path", tmp_path)
    assert result.code == 2
    assert "expected a folder of .h5 files with its info file beside it" in result.err
