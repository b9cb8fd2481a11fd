"""CASIA-B's frames and silhouettes to flow images: what comes out, what is reported, what is refused."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from fixtures import reader
from flow_folders import sequence_folder

from keras_gait.data.problems import Problem
from keras_gait.data.provenance import note_source
from keras_gait.data.trees import log_problems
from keras_gait.vision.images import image_names

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "attengait"
PRETREATMENT = "preprocessing/pretreatment_casiab_of.py"


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
    assert "nothing came out of 1 sequences (001/nm-01/090: no frames)" in result.err
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


def test_an_output_that_is_a_file_is_one_line(pretreat, raw):
    (raw / "file").write_text("a file, no folder")
    result = pretreat("--output_path", raw / "file")
    assert result.code == 2
    assert "run it again" in result.err


def test_an_output_that_is_a_file_is_one_line_where_the_tree_has_a_source(pretreat, raw):
    note_source(raw / "sil", "simulated walkers")
    (raw / "file").write_text("a file, no folder")
    result = pretreat("--output_path", raw / "file")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert str(raw / "file") in result.err
