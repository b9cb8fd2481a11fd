"""GREW's preparation: gallery and probe lie differently, and each command says what it expects."""

import re
from pathlib import Path

import cv2
import pytest
from flow_folders import rows, sequence_folder

from keras_gait.vision.images import image_names

README = Path(__file__).resolve().parents[2] / "README.md"


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
