"""AttenGait's preparation commands: raw folders to flow images to data sets, and what they refuse."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fixtures import reader

from keras_gait.data.opening import open_dataset

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "attengait"
PRETREATMENT = "preprocessing/pretreatment_casiab_of.py"
TRAIN = "preprocessing/generate_of_dataset_casiab.py"
TEST = "preprocessing/generate_of_dataset_casiab_test.py"


@pytest.fixture
def raw(tmp_path):
    """One CASIA-B sequence, ``sil`` and ``rgb``, of the fixture's five frames."""
    _, given, _ = reader.load(FIXTURES / "pretreatment_casiab.npz")
    for kind, frames in (("sil", given["silhouettes"]), ("rgb", given["grey"])):
        folder = tmp_path / kind / "001" / "nm-01" / "090"
        folder.mkdir(parents=True)
        for number, frame in enumerate(frames, 1):
            cv2.imwrite(str(folder / f"001-nm-01-090-{number:03d}.png"), frame)
    return tmp_path


@pytest.fixture
def pretreat(raw, command):
    def call(*more):
        return command(
            *(PRETREATMENT, "--input_path", raw / "sil", "--input_path_rgb", raw / "rgb"),
            *("--output_path", raw / "pre", "--log_file", raw / "pre.log", *more),
        )

    return call


def sequence_folder(root, *parts, frames=6, size=64, value=0):
    """A folder of flow images; the red channel counts the frames, the green one is ``value``."""
    folder = Path(root, *parts)
    folder.mkdir(parents=True)
    for number in range(frames):
        image = np.full((size, size, 3), (number, value, 255), np.uint8)
        cv2.imwrite(str(folder / f"{number:03d}.png"), image)  # R, G, B as the pretreatment writes it
    return folder


def casiab_tree(root, subjects=("001", "002", "003"), views=("000", "090")):
    for subject in subjects:
        for kind in ("nm-01", "nm-05", "bg-01"):
            for view in views:
                sequence_folder(root, subject, kind, view, value=int(subject))
    return root


def rows(path):
    ds = open_dataset(path)
    return list(zip(ds.subject, ds.condition, ds.view, ds.video, strict=True))


def test_the_published_images_come_out_of_the_published_input(pretreat, raw):
    meta, _, out = reader.load(FIXTURES / "pretreatment_casiab.npz")
    assert pretreat().code == 0
    folder = raw / "pre" / "001" / "nm-01" / "090"
    assert sorted(path.name for path in folder.iterdir()) == meta["config"]["names"]
    images = np.array([cv2.imread(str(folder / name)) for name in meta["config"]["names"]])
    difference = np.abs(images.astype(int) - out["images"])
    assert difference.max() <= meta["atol"]
    assert difference.mean() < 0.5


def test_dropped_frames_and_short_sequences_are_reported_and_logged(pretreat, raw):
    result = pretreat("--log", "True")
    assert "2 problem(s); everything else was processed" in result.out
    lines = (raw / "pre.log").read_text().splitlines()
    assert lines == [
        "001/nm-01/090/001-nm-01-090-003.png: empty silhouette",
        "001/nm-01/090: fewer than 5 frames",
    ]


def test_a_missing_frame_and_a_truncated_silhouette_cost_only_themselves(pretreat, raw):
    (raw / "rgb/001/nm-01/090/001-nm-01-090-005.png").unlink()
    silhouette = raw / "sil/001/nm-01/090/001-nm-01-090-002.png"
    silhouette.write_bytes(silhouette.read_bytes()[:100])
    result = pretreat()
    assert result.code == 2
    assert "file(s) damaged or missing, such as 001/nm-01/090/001-nm-01-090-002.png" in result.err
    assert "001-nm-01-090-005.png: missing or damaged frame" in result.out
    assert "001-nm-01-090-002.png: missing or damaged silhouette" in result.out
    assert [path.name for path in (raw / "pre/001/nm-01/090").iterdir()] == ["001-nm-01-090-004.png"]


def test_a_killed_pretreatment_goes_on_and_leaves_finished_sequences_alone(pretreat, raw):
    for kind in ("sil", "rgb"):
        shutil.copytree(raw / kind / "001", raw / kind / "002")
    done = sequence_folder(raw / "pre", "001", "nm-01", "090", frames=1)
    half = raw / "pre" / "002" / "nm-01" / ".090.tmp"
    half.mkdir(parents=True)
    (half / "half.png").write_bytes(b"half")
    result = pretreat()
    assert "1 sequences are there already, 1 to go" in result.out
    assert [path.name for path in done.iterdir()] == ["000.png"]
    assert len(list((raw / "pre/002/nm-01/090").iterdir())) == 3
    assert not half.exists()


def test_two_machines_share_the_sequences(pretreat, raw):
    for subject in ("002", "003"):
        for kind in ("sil", "rgb"):
            shutil.copytree(raw / kind / "001", raw / kind / subject)
    pretreat("--shard", "1/2")
    assert sorted(path.name for path in (raw / "pre").iterdir()) == ["002"]
    pretreat("--shard", "0/2")
    assert sorted(path.name for path in (raw / "pre").iterdir()) == ["001", "002", "003"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--input_path is needed"),
        (("--input_path", "nowhere"), "--input_path nowhere does not exist"),
        (("--input_path", "."), "--input_path_rgb is needed"),
        (("--input_path", ".", "--input_path_rgb", "."), "--output_path is needed"),
        (
            ("--input_path", ".", "--input_path_rgb", ".", "--output_path", "pre"),
            "holds no sequences: expected folders <id>/<type>-<number>/<view>/, found nothing",
        ),
    ],
)
def test_wrong_use_of_the_pretreatment_is_one_line(command, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = command(PRETREATMENT, *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1


def test_an_output_that_cannot_be_written_is_one_line(pretreat, command, raw):
    (raw / "file").write_text("a file, no folder")
    trials = [
        pretreat("--output_path", raw / "file"),
        command(TRAIN, "--ofdir", casiab_tree(raw / "pre", subjects=("001",)), "--outdir", raw / "file"),
    ]
    for result in trials:
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


def test_grew_is_packed_from_both_layouts(command, tmp_path):
    sequence_folder(tmp_path, "train", "00001", "4XPn5Z28")
    sequence_folder(tmp_path, "gallery", "00002", "seq")
    sequence_folder(tmp_path, "probe", "a_probe")
    sets, script = tmp_path / "sets", "preprocessing/generate_of_dataset_grew"
    command(f"{script}.py", "--ofdir", tmp_path / "train", "--outdir", sets)
    command(f"{script}_test.py", "--ofdir", tmp_path / "gallery", "--outdir", sets)
    command(f"{script}_test.py", "--ofdir", tmp_path / "probe", "--outdir", sets, "--mode", "test")
    assert rows(sets / "tfimdb_grew_N20000_train_of25_64x64") == [("00001", "", "", "4XPn5Z28")]
    assert rows(sets / "tfimdb_grew_N06000_ft_of25_64x64") == [("00002", "", "", "seq")]
    assert rows(sets / "tfimdb_grew_N06000_test_of25_64x64") == [("", "", "", "a_probe")]


def test_grew_images_are_brought_to_64x64_in_their_folders(command, tmp_path):
    large = sequence_folder(tmp_path, "flow", "00001", "seq", size=100, value=40)
    (large / "001.png").write_bytes(b"no image")
    sequence_folder(tmp_path, "probe", "a_probe")
    script = ("preprocessing/pretreatment_grew_of.py", "--log_file", tmp_path / "log")
    result = command(*script, "--input_path", tmp_path / "flow", "--output_path", tmp_path / "pre")
    assert "00001/seq/001.png: missing or damaged frame" in result.out
    images = sorted((tmp_path / "pre/00001/seq").iterdir())
    assert [path.name for path in images] == ["000.png", "002.png", "003.png", "004.png", "005.png"]
    assert cv2.imread(str(images[1]))[5, 5].tolist() == [2, 40, 255]
    assert cv2.imread(str(images[1])).shape == (64, 64, 3)
    probe = (*script, "--input_path", tmp_path / "probe", "--output_path", tmp_path / "pre_probe")
    assert "expected folders <id>/<seq>/" in command(*probe).err
    assert command(*probe, "--mode", "test").code == 0
    assert len(list((tmp_path / "pre_probe/a_probe").iterdir())) == 6


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
