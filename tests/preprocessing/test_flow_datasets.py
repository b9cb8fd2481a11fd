"""AttenGait's preparation commands: raw folders to flow images to data sets, and what they refuse."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fixtures import reader

from keras_gait.data.flow_tree import log_problems
from keras_gait.data.opening import open_dataset
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import note_source
from keras_gait.vision.images import image_names

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "attengait"
README = Path(__file__).resolve().parents[2] / "README.md"
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
    assert image_names(folder) == meta["config"]["names"]
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
    assert result.err.count("2 file(s)") == 1
    assert "001-nm-01-090-005.png: missing or damaged frame" in result.out
    assert "001-nm-01-090-002.png: missing or damaged silhouette" in result.out
    assert image_names(raw / "pre/001/nm-01/090") == ["001-nm-01-090-004.png"]


def test_a_damaged_frame_counts_as_one_file_though_the_next_one_is_lost_with_it(pretreat, raw):
    (raw / "rgb/001/nm-01/090/001-nm-01-090-004.png").write_bytes(b"no image")
    result = pretreat()
    assert "1 file(s) damaged or missing" in result.err
    assert "001-nm-01-090-005.png: the frame before is missing or damaged" in result.out
    assert image_names(raw / "pre/001/nm-01/090") == ["001-nm-01-090-002.png"]


def test_a_missing_silhouette_is_reported_and_the_next_flow_starts_from_its_frame(pretreat, raw):
    pretreat("--output_path", raw / "whole")
    (raw / "sil/001/nm-01/090/001-nm-01-090-003.png").unlink()
    result = pretreat()
    assert result.code == 2
    assert "1 file(s) damaged or missing, such as 001/nm-01/090/001-nm-01-090-003.png" in result.err
    for number in (4, 5):
        name = f"001/nm-01/090/001-nm-01-090-{number:03d}.png"
        assert (raw / "pre" / name).read_bytes() == (raw / "whole" / name).read_bytes()


def test_silhouettes_that_begin_later_and_end_earlier_than_the_frames_are_no_problem(pretreat, raw):
    for number in (1, 5):
        (raw / f"sil/001/nm-01/090/001-nm-01-090-{number:03d}.png").unlink()
    result = pretreat()
    assert result.code == 0
    assert "missing" not in result.out


@pytest.mark.parametrize(("tree", "what"), [("sil", "missing silhouettes"), ("rgb", "missing RGB frames")])
def test_a_sequence_that_one_tree_lacks_is_reported(pretreat, raw, tree, what):
    for kind in {"sil", "rgb"} - {tree}:
        shutil.copytree(raw / kind / "001", raw / kind / "002")
    result = pretreat()
    assert result.code == 2
    assert f"002/nm-01/090: {what}" in result.out
    assert "1 file(s) damaged or missing" in result.err
    assert [path.name for path in (raw / "pre").iterdir()] == ["001"]


def test_what_was_wrong_with_finished_sequences_is_told_again(pretreat, raw):
    (raw / "rgb/001/nm-01/090/001-nm-01-090-005.png").unlink()
    first = pretreat()
    (raw / "pre.log").unlink()  # as a kill would leave it
    again = pretreat()
    assert "1 sequences are there already, 0 to go" in again.out
    assert again.out.endswith(first.out)
    assert first.code == again.code == 2
    assert "001-nm-01-090-005.png: missing or damaged frame" in (raw / "pre.log").read_text()


def test_a_damaged_note_of_problems_is_one_line(pretreat, raw):
    pretreat()
    (raw / "pre/001/nm-01/090/.problems.json").write_text("[[")
    result = pretreat()
    assert result.code == 2
    assert ".problems.json is damaged" in result.err
    assert result.err.count("\n") == 1


def test_each_problem_is_in_the_log_at_once(raw):
    def problems():
        yield Problem("001/nm-01/090", "no frames")
        assert (raw / "pre.log").read_text() == "001/nm-01/090: no frames\n"

    assert log_problems(problems(), raw / "pre.log", echo=False) == [Problem("001/nm-01/090", "no frames")]


def test_a_sequence_without_any_image_gets_no_folder_and_is_tried_again(pretreat, raw):
    for kind in ("sil", "rgb"):
        shutil.copytree(raw / kind / "001", raw / kind / "002")
    for silhouette in (raw / "sil/002/nm-01/090").iterdir():
        silhouette.write_bytes(b"no image")
    for sequences in ("", "1 sequences are there already, 1 to go"):
        result = pretreat()
        assert sequences in result.out
        assert "4 file(s) damaged or missing" in result.err
        assert "002/nm-01/090: no frames" in result.out
        assert not (raw / "pre/002").exists()
    shutil.copytree(raw / "sil/001", raw / "sil/002", dirs_exist_ok=True)
    assert pretreat().code == 0
    assert len(image_names(raw / "pre/002/nm-01/090")) == 3


def test_a_run_without_any_image_fails(pretreat, raw):
    for frame in (raw / "rgb/001/nm-01/090").iterdir():
        frame.write_bytes(b"no image")
    result = pretreat()
    assert result.code == 2
    assert "not one image came out of 1 sequences (001/nm-01/090: no frames)" in result.err
    assert list((raw / "pre").glob("*")) == []


def test_a_folder_one_level_too_high_is_refused_and_nothing_is_written(pretreat, raw):
    result = pretreat("--input_path", raw)
    assert result.code == 2
    assert f"{raw} is a level too high, name a folder in it, such as {raw / 'rgb'}" in result.err
    assert result.err.count("\n") == 1
    assert not (raw / "pre").exists()


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
    assert len(image_names(raw / "pre/002/nm-01/090")) == 3
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


def test_an_output_that_is_a_file_is_one_line_where_the_tree_has_a_source(pretreat, raw):
    note_source(raw / "sil", "simulated walkers")
    (raw / "file").write_text("a file, no folder")
    result = pretreat("--output_path", raw / "file")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert str(raw / "file") in result.err


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


@pytest.fixture
def grew_tree(tmp_path):
    """GREW as delivered: one sequence each for training and gallery, and one probe."""
    for parts in (("train", "00001", "a"), ("test", "gallery", "00002", "b"), ("test", "probe", "c")):
        sequence_folder(tmp_path / "FLOW", *parts)
    return tmp_path / "FLOW"


def test_grew_runs_by_the_commands_of_the_readme(command, grew_tree, tmp_path):
    """The README's row, command by command, with folders for its words in capitals."""
    row = next(line for line in README.read_text().splitlines() if line.startswith("| GREW |"))
    prepare = row.split("|")[2]
    written_out = [text for text in re.findall(r"`([^`]*)`", prepare) if ".py" in text]
    first = written_out[0]
    for part in ("gallery", "probe"):
        assert f"from `FLOW/test/{part}` to `OF/{part}`" in prepare
        paths = first.replace("FLOW/train", f"FLOW/test/{part}").replace("OF/train", f"OF/{part}")
        written_out.insert(1, f"{paths} --mode test")
    for text in written_out:
        script, *flags = text.split()
        flags = [re.sub(r"^(FLOW|OF|DATA)\b", rf"{tmp_path}/\1", flag) for flag in flags]
        log = ("--log_file", tmp_path / "log") if script.startswith("pre") else ()
        assert command(f"preprocessing/{script}", *flags, *log).code == 0
    stem = "tfimdb_grew_N{}_of25_64x64"
    assert rows(tmp_path / "DATA" / stem.format("20000_train")) == [("00001", "", "", "a")]
    assert rows(tmp_path / "DATA" / stem.format("06000_ft")) == [("00002", "", "", "b")]
    assert rows(tmp_path / "DATA" / stem.format("06000_test")) == [("", "", "", "c")]


def test_grew_probes_are_not_taken_from_the_gallery_by_default(command, grew_tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "GREW_pre").mkdir()
    grew_tree.rename(tmp_path / "GREW_pre/flow")
    for mode in ("ft", "test"):
        assert command("preprocessing/generate_of_dataset_grew_test.py", "--mode", mode).code == 0
    assert rows("GREW_tf_pre/tfimdb_grew_N06000_ft_of25_64x64") == [("00002", "", "", "b")]
    assert rows("GREW_tf_pre/tfimdb_grew_N06000_test_of25_64x64") == [("", "", "", "c")]


@pytest.mark.parametrize(
    "call",
    [
        "pretreatment_grew_of.py --input_path FLOW/test --output_path out --log_file log --mode test",
        "pretreatment_grew_of.py --input_path FLOW --output_path out --log_file log",
        "generate_of_dataset_grew_test.py --ofdir FLOW/test --outdir out",
        "generate_of_dataset_grew_test.py --ofdir FLOW/test --outdir out --mode test",
        "generate_of_dataset_grew_test.py --ofdir FLOW/test/probe --outdir out --mode ft",
    ],
)
def test_grew_trees_of_another_level_are_refused(command, grew_tree, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    script, *flags = call.split()
    result = command(f"preprocessing/{script}", *flags)
    assert result.code == 2
    assert "is a level too high" in result.err or "expected folders <id>/<seq>/" in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_grew_sequence_of_few_frames_is_reported_and_kept(command, grew_tree, tmp_path):
    sequence_folder(grew_tree, "train", "00001", "short", frames=1)
    result = command(
        *("preprocessing/pretreatment_grew_of.py", "--log_file", tmp_path / "log"),
        *("--input_path", grew_tree / "train", "--output_path", tmp_path / "pre"),
    )
    assert result.code == 0
    assert "00001/short: fewer than 5 frames" in result.out
    assert image_names(tmp_path / "pre/00001/short") == ["000.png"]


def test_grew_images_are_brought_to_64x64_in_their_folders(command, tmp_path):
    large = sequence_folder(tmp_path, "flow", "00001", "seq", size=100, value=40)
    (large / "001.png").write_bytes(b"no image")
    sequence_folder(tmp_path, "probe", "a_probe")
    script = ("preprocessing/pretreatment_grew_of.py", "--log_file", tmp_path / "log")
    result = command(*script, "--input_path", tmp_path / "flow", "--output_path", tmp_path / "pre")
    assert "00001/seq/001.png: missing or damaged frame" in result.out
    done = tmp_path / "pre/00001/seq"
    assert image_names(done) == ["000.png", "002.png", "003.png", "004.png", "005.png"]
    image = cv2.imread(str(done / "002.png"))
    assert image[5, 5].tolist() == [2, 40, 255]
    assert image.shape == (64, 64, 3)
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
