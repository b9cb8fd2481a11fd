"""``generate_pose_dataset_casiab.py``: what it makes of the published table, and what it says of bad ones."""

import json
import subprocess
import sys

import numpy as np
import pytest
from checks import failed, refused
from pose_tables import HEADER, casiab_walks, row, walk_rows, write_table

from keras_gait.data.opening import open_dataset
from keras_gait.data.provenance import SIMULATED, note_source

COMMAND = "preprocessing/generate_pose_dataset_casiab.py"
NAME = "generate_pose_dataset_casiab.py"
TRAIN, TEST = "tfimdb_casiab_N074_train_pose_hrnet", "tfimdb_casiab_N050_test_pose_hrnet"


@pytest.fixture
def generate(command, tmp_path):
    """``generate(*flags)`` runs the command on tmp_path/data."""
    return lambda *flags, output="sets": command(
        COMMAND, "--data_path", tmp_path / "data", "--output_path", tmp_path / output, *flags
    )


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def labels(dataset):
    columns = (dataset.subject, dataset.condition, dataset.video, dataset.view)
    return ["-".join(parts) for parts in zip(*columns, strict=True)]


def test_the_table_becomes_the_published_training_and_test_set(generate, tmp_path):
    write_table(tmp_path / "data", casiab_walks())
    assert generate().code == 0
    train, test = open_dataset(tmp_path / "sets" / TRAIN), open_dataset(tmp_path / "sets" / TEST)
    assert labels(train) == ["001-bg-02-000", "001-nm-01-090", "002-bg-02-000", "002-nm-01-090"]
    assert labels(test) == ["075-bg-02-000", "075-nm-01-090"]
    poses = train.read(3, 1, 2)
    assert poses.shape == (2, 17, 3)
    assert poses.dtype == np.float32
    assert poses[0].ravel().tolist() == [2 + 0.25 * place for place in range(51)]
    told = {
        key: train.info[key] for key in ("modality", "channels", "layout", "joints", "keypoints", "source")
    }
    assert told == {
        "modality": "pose",
        "channels": ["x", "y", "confidence"],
        "layout": "casia-b",
        "joints": "coco",
        "keypoints": "hrnet",
        "source": "CASIA-B",
    }
    assert train.frame_shape == (17, 3)
    assert train.info["split"] == "train"
    assert test.info["split"] == "test"


def test_a_smaller_table_can_be_divided_elsewhere_and_says_that_it_is_simulated(generate, tmp_path):
    write_table(tmp_path / "data", casiab_walks((1, 2, 3)))
    note_source(tmp_path / "data", SIMULATED)
    generate("--train_subjects", 1)
    train, test = (
        open_dataset(tmp_path / "sets" / f"tfimdb_casiab_{name}_pose_hrnet")
        for name in ("N001_train", "N002_test")
    )
    assert set(train.subject) == {"001"}
    assert set(test.subject) == {"002", "003"}
    assert train.info["source"] == test.info["source"] == SIMULATED


def test_the_file_itself_may_be_named_and_a_split_without_subjects_gets_no_set(command, tmp_path):
    path = write_table(tmp_path / "data", casiab_walks((1,)))
    result = command(COMMAND, "--data_path", path, "--output_path", tmp_path / "sets")
    assert result.code == 0
    assert "no sequences for the test split" in result.out
    assert [path.name for path in (tmp_path / "sets").iterdir()] == [TRAIN]


def test_workers_and_shards_write_the_very_same_bytes(generate, tmp_path):
    write_table(tmp_path / "data", casiab_walks(range(70, 80)))
    generate(output="one")
    for shard in ("1/2", "0/2"):
        generate("--worker_num", 2, "--shard", shard, output="two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_killed_run_goes_on_and_ends_as_a_whole_one(generate, tmp_path, monkeypatch):
    from keras_gait.data.poses import casiab

    path = write_table(tmp_path / "data", [*casiab_walks(range(1, 5)), *casiab_walks((75,))])
    generate(output="whole")
    real, calls = casiab.load_rows, []

    def killed(rows):
        calls.append(rows)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(rows)

    monkeypatch.setattr(casiab, "load_rows", killed)
    assert generate().code == 130
    finished = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "sets" / TRAIN).glob("*.tfrecord")}
    assert len(finished) == 3
    monkeypatch.setattr(casiab, "load_rows", real)
    assert generate().code == 0
    assert files(tmp_path / "sets") == files(tmp_path / "whole")
    for name, time in finished.items():
        assert (tmp_path / "sets" / TRAIN / name).stat().st_mtime_ns == time
    assert "is complete already" in generate().out
    path.write_text(path.read_text() + row("001-nm-01-090", 9) + "\n")
    assert "made from other sources or settings" in refused(generate(), NAME)


def test_damaged_rows_are_counted_and_told_with_file_and_line_and_the_rest_is_made(generate, tmp_path):
    rows = casiab_walks()
    rows[1] = row("001-nm-01-090", 2, numbers=49)
    rows[2] = row("001-nm-01-090", 3).replace(",3.5,", ",nan,")
    rows[7] = row("001-zz-01-090", 2)
    rows[9] = "no comma, no walk"
    rows.append(row("125-nm-01-090", 1))
    path = write_table(tmp_path / "data", [*rows, rows[0][:60]], end="")
    result = generate()
    assert "file(s) damaged or missing, such as" in failed(result, NAME)
    assert "8 problem(s)" in result.out  # six rows, and two walks that they made short
    for line, what in (
        (3, "50 columns, expected 52"),
        (4, "a value that is no finite number"),
        (9, "unknown walking status (known: nm, bg, cl)"),
        (11, "no image name such as ./001-nm-01-090/000001.jpg"),
        (38, "a subject that is not 1 to 124; own people need --train_subjects"),
        (39, "the file ends in the middle of a row"),
    ):
        assert f"  {path}, line {line}: {what}" in result.out
        assert f"       1  {what}" in result.out
    train = open_dataset(tmp_path / "sets" / TRAIN)
    assert dict(zip(labels(train), train.frames.tolist(), strict=True)) == {
        "001-bg-02-000": 4,
        "001-nm-01-090": 4,
        "002-bg-02-000": 6,
        "002-nm-01-090": 6,
    }
    stored = json.loads((train.path / "dataset.json").read_text())["problems"]
    assert [f"{path}, line 3", "50 columns, expected 52", True] in stored


def test_short_walks_are_told_and_kept(generate, tmp_path):
    path = write_table(tmp_path / "data", [*casiab_walks((1, 75)), *walk_rows("001-cl-01-090", 3)])
    result = generate()
    assert result.code == 0
    assert f"{path}, 001-cl-01-090: fewer than 5 frames" in result.out


def test_a_table_without_a_header_is_read_whole_and_told(generate, tmp_path):
    path = write_table(tmp_path / "data", casiab_walks(), header="")
    result = generate()
    assert f"{path}, line 1" in failed(result, NAME)
    assert open_dataset(tmp_path / "sets" / TRAIN).frames.tolist() == [6] * 4


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda data: None, "--data_path"),
        (lambda data: data.mkdir(), "casia-b_pose_coco.csv does not exist; expected the published"),
        (lambda data: write_table(data, [], header="", end=""), "is empty: copy it again"),
        (lambda data: write_table(data, []), "holds no rows of poses below its header"),
        (
            lambda data: write_table(data, casiab_walks(), HEADER.replace("nose", "neck")),
            "column 2 is 'neck_x', not 'nose_x'; expected 52: image_name, then x, y, conf of nose, left_eye",
        ),
        (
            lambda data: write_table(data, casiab_walks(), HEADER + ",neck_x,neck_y,neck_conf"),
            "the header has 55 columns",
        ),
        (lambda data: write_table(data, [row("130-nm-01-090", 1)]), "no sequences for the train split"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(generate, tmp_path, make, words):
    make(tmp_path / "data")
    assert words in refused(generate(), NAME)
    assert not (tmp_path / "sets").exists()


def test_the_command_starts_without_a_deep_learning_framework():
    modules = "keras_gait.data.poses.casiab, keras_gait.data.poses.oumvlp, keras_gait.data.poses.simulated"
    code = f"import sys, {modules}; sys.exit(bool({{'tensorflow', 'keras', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
