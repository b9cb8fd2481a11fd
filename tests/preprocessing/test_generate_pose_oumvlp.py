"""``generate_pose_dataset_oumvlp.py``: what it makes of the published trees, and what it says of bad ones."""

import shutil

import numpy as np
import pytest
from checks import failed, refused
from pose_tables import frame_text, oumvlp_tree, write_frames

from keras_gait.data.opening import open_dataset
from keras_gait.data.provenance import SIMULATED, note_source

COMMAND = "preprocessing/generate_pose_dataset_oumvlp.py"
NAME = "generate_pose_dataset_oumvlp.py"
TRAIN, TEST = "tfimdb_oumvlp_N002_train_pose_openpose", "tfimdb_oumvlp_N001_test_pose_openpose"


@pytest.fixture
def tree(tmp_path):
    return oumvlp_tree(tmp_path / "raw", (1, 2, 3))


@pytest.fixture
def generate(command, tree, tmp_path):
    """``generate(*flags)`` runs the command on the tree."""
    return lambda *flags, output="sets": command(
        COMMAND, "--dataset_path", tree, "--output_path", tmp_path / output, *flags
    )


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_tree_becomes_a_training_and_a_test_set(generate, tmp_path):
    result = generate()
    assert result.code == 0
    assert "train: 2 of the 2 subjects in ID_list.csv have sequences" in result.out
    train, test = open_dataset(tmp_path / "sets" / TRAIN), open_dataset(tmp_path / "sets" / TEST)
    assert list(zip(train.subject, train.condition, train.view, train.video, strict=True)) == [
        (subject, "", view, video)
        for subject in ("00001", "00003")
        for view in ("000", "270")
        for video in ("00", "01")
    ]
    assert set(test.subject) == {"00002"}
    poses = train.read(7)
    assert poses.shape == (6, 18, 3)
    assert poses.dtype == np.float32
    assert poses[0].ravel().tolist() == [3 + 0.25 * place for place in range(54)]
    told = {key: train.info[key] for key in ("modality", "layout", "joints", "keypoints", "source", "split")}
    assert told == {
        "modality": "pose",
        "layout": "oumvlp",
        "joints": "oumvlp",
        "keypoints": "openpose",
        "source": "OU-MVLP",
        "split": "train",
    }


def test_the_published_numbers_of_subjects_are_in_the_names(generate, tree, tmp_path):
    rows = [f"{2 * line + 1:05d},{2 * line + 2:05d}" for line in range(5153)]
    (tree / "ID_list.csv").write_text("\n".join(["train,test", *rows, ",20000"]))
    assert "train: 2 of the 5153 subjects in ID_list.csv have sequences" in generate().out
    assert sorted(path.name for path in (tmp_path / "sets").iterdir()) == [
        "tfimdb_oumvlp_N5153_train_pose_openpose",
        "tfimdb_oumvlp_N5154_test_pose_openpose",
    ]


def test_alphaposes_tree_lies_beside_openposes_and_may_be_simulated(generate, tree, tmp_path):
    for subject in (1, 2):
        write_frames(tree, f"alphapose/{subject:05d}/090_00", [frame_text(50.0)] * 5)
    note_source(tree, SIMULATED)
    assert generate("--keypoints", "alphapose").code == 0
    train = open_dataset(tmp_path / "sets" / "tfimdb_oumvlp_N002_train_pose_alphapose")
    assert train.frames.tolist() == [5]
    assert train.info["keypoints"] == "alphapose"
    assert train.info["source"] == SIMULATED


def test_workers_and_shards_write_the_very_same_bytes(generate, tmp_path):
    generate(output="one")
    for shard in ("1/2", "0/2"):
        generate("--worker_num", 2, "--shard", shard, output="two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_killed_run_goes_on_and_ends_as_a_whole_one(generate, tree, tmp_path, monkeypatch):
    from keras_gait.data.poses import oumvlp

    generate(output="whole")
    real, calls = oumvlp.load_folder, []

    def killed(folder):
        calls.append(folder)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(folder)

    monkeypatch.setattr(oumvlp, "load_folder", killed)
    assert generate().code == 130
    monkeypatch.setattr(oumvlp, "load_folder", real)
    assert len(list((tmp_path / "sets" / TRAIN).glob("*.tfrecord"))) == 3
    assert generate().code == 0
    assert files(tmp_path / "sets") == files(tmp_path / "whole")
    write_frames(tree, "openpose/00001/090_00", [frame_text()])
    assert "made from other sources or settings" in refused(generate(), NAME)


def test_frames_and_walks_without_people_are_counted_and_no_fault(generate, tree, tmp_path):
    empty = frame_text(people=0)
    write_frames(tree, "openpose/00001/000_00", [frame_text(), empty, empty])
    write_frames(tree, "openpose/00001/000_01", [empty] * 6)
    result = generate()
    assert result.code == 0
    assert (
        f"{tree}/openpose/00001/000_00/0002_keypoints.json (2 of 6 frames): some frames without people"
        in result.out
    )
    assert (
        f"{tree}/openpose/00001/000_01/0001_keypoints.json (6 of 6 frames): no frame with people"
        in result.out
    )
    train = open_dataset(tmp_path / "sets" / TRAIN)
    assert train.frames.tolist() == [4, 6, 6, 6, 6, 6, 6]
    assert train.video.tolist()[:2] == ["00", "00"]


def test_damaged_files_and_strange_folders_are_told_by_name_and_the_rest_is_made(generate, tree, tmp_path):
    (tree / "openpose/00001/000_00/0003_keypoints.json").write_text('{"people": [')
    (tree / "openpose/00002/270_01/0001_keypoints.json").write_text(frame_text(numbers=51))
    (tree / "openpose/00001/270_00/0002_keypoints.json").rename(tree / "openpose/00001/270_00/x.json")
    (tree / "openpose/00003/side").mkdir()
    (tree / "ID_list.csv").write_text("train,test\n1,2\n3,\nfour,\n")
    result = generate()
    assert "5 file(s) damaged or missing" in failed(result, NAME)
    for line in (
        "openpose/00001/000_00/0003_keypoints.json: damaged, or no JSON frame of OU-MVLP-Pose",
        "openpose/00002/270_01/0001_keypoints.json: 51 numbers of a person, expected 54",
        "openpose/00001/270_00/x.json: no frame number in the file's name",
        "openpose/00003/side: no folder of a known view and sequence, such as 090_00",
        "ID_list.csv, line 4 (four): no subject's number",
    ):
        assert f"  {tree}/{line}" in result.out
    assert open_dataset(tmp_path / "sets" / TRAIN).frames.tolist() == [5, 6, 5, 6, 6, 6, 6, 6]
    assert open_dataset(tmp_path / "sets" / TEST).frames.tolist() == [6, 6, 6, 5]


@pytest.mark.parametrize(
    ("spoil", "flags", "words"),
    [
        (lambda tree: shutil.rmtree(tree), (), "does not exist or is no folder"),
        (lambda tree: (tree / "ID_list.csv").unlink(), (), "is on OU-MVLP-Pose's own page"),
        (
            lambda tree: (tree / "ID_list.csv").write_text("train,test"),
            (),
            "names no subjects; expected a header",
        ),
        (
            lambda tree: None,
            ("--keypoints", "alphapose"),
            "has no folder alphapose: give --keypoints openpose",
        ),
        (
            lambda tree: (tree / "openpose").rename(tree / "p"),
            (),
            "has no folder openpose: expected <subject>/",
        ),
        (lambda tree: None, ("--keypoints", "hrnet"), "invalid choice: 'hrnet'"),
        (
            lambda tree: (tree / "ID_list.csv").write_text("train,test\n5,6\n"),
            (),
            "no sequences of the subjects in ID_list.csv: expected <subject>/<view>_<sequence>/, found 00001",
        ),
    ],
)
def test_a_tree_that_cannot_be_used_is_one_line(generate, tree, tmp_path, spoil, flags, words):
    spoil(tree)
    assert words in refused(generate(*flags), NAME)
    assert not (tmp_path / "sets").exists()
