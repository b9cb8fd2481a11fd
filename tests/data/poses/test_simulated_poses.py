"""Simulated walkers as published poses: the walks of the pictures, without the pictures."""

import csv
import json

import numpy as np
import pytest
from checks import refused

from keras_gait.data.opengait.simulated import openpose_joints
from keras_gait.data.poses.casiab import FILE, index_rows, load_rows
from keras_gait.data.poses.oumvlp import VIEWS, read_id_list, read_sequence
from keras_gait.data.provenance import read_source
from keras_gait.data.simulate import simulate_poses, simulate_walk

COMMAND = "preprocessing/simulate_walkers.py"
FEW = ("--subjects", 3, "--sequences", "nm-01", "nm-02", "--views", "000", "090", "--frames", 8)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_poses_without_pictures_are_those_of_the_same_walk_but_for_the_estimators_errors():
    walk = simulate_walk(3, "bg", 2, "054", frames=20)
    (poses,) = simulate_poses(3, "bg", 2, ["054"], frames=20, size=96)
    assert poses.shape == walk.poses.shape
    assert poses.dtype == np.float32
    seen = (poses[..., 2] > 0) & (walk.poses[..., 2] > 0)
    away = np.linalg.norm(poses[..., :2] - walk.poses[..., :2], axis=-1)[seen]
    # Two estimates with errors of 0.6 to 1.3 pixels each; another subject's joints are farther off.
    assert 0.5 < np.sqrt((away**2).mean()) < 2.2
    (other,) = simulate_poses(4, "bg", 2, ["054"], frames=20, size=96)
    assert np.sqrt(((other - walk.poses)[seen][:, :2] ** 2).sum(-1).mean()) > 3


def test_a_seed_gives_the_same_poses_whatever_else_is_simulated():
    together = simulate_poses(2, "nm", 1, ["000", "090", "255"], frames=5, seed=7)
    (alone,) = simulate_poses(2, "nm", 1, ["255"], frames=5, seed=7)
    assert np.array_equal(together[2], alone)
    assert not np.array_equal(alone, simulate_poses(2, "nm", 1, ["255"], frames=5, seed=8)[0])


def test_camera_270_sees_the_right_side_that_090_does_not():
    left, right = simulate_poses(1, "nm", 1, ["090", "270"], frames=24)
    forward = [np.diff(poses[:, 11, 0]).mean() for poses in (left, right)]  # left hip, x
    assert forward[0] < 0 < forward[1]
    sure = [poses[..., (9, 10), 2].mean(axis=0) for poses in (left, right)]  # the wrists
    assert sure[0][0] > sure[0][1]
    assert sure[1][1] > sure[1][0]


def test_casiabs_table_holds_the_simulated_poses(command, tmp_path):
    result = command(COMMAND, "--layout", "casia-b-pose", "--output_path", tmp_path, *FEW)
    assert result.code == 0
    assert "3 subject(s) simulated, 0 already there" in result.out
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, "simulate.json", "source.txt"]
    assert read_source(tmp_path) == "simulated walkers"
    found, problems = index_rows(tmp_path / FILE)
    assert problems == []
    assert [str(rows.walk) for rows in found[:5]] == [
        *("001-nm-01-000", "001-nm-01-090", "001-nm-02-000", "001-nm-02-090", "002-nm-01-000"),
    ]
    assert len(found) == 12
    poses, problems = load_rows(found[1])
    assert problems == []
    np.testing.assert_allclose(poses, simulate_poses(1, "nm", 1, ["090"], frames=8, size=240)[0], atol=0.006)
    assert poses[..., 0].max() > 128  # the published frames are 320 x 240
    with open(tmp_path / FILE, newline="") as file:
        assert [line[0] for line in csv.reader(file)][1:3] == [
            *("./001-nm-01-000/000001.jpg", "./001-nm-01-000/000002.jpg"),
        ]


def test_oumvlps_tree_holds_the_simulated_poses_and_says_who_trains(command, tmp_path):
    flags = ("--layout", "oumvlp-pose", "--output_path", tmp_path, "--subjects", 3, "--frames", 8)
    result = command(COMMAND, *flags, "--train_subjects", 2)
    assert result.code == 0
    assert f"{3 * 2 * 14} sequence(s) simulated" in result.out
    assert read_id_list(tmp_path / "ID_list.csv")[0] == {"train": [1, 2], "test": [3]}
    assert read_source(tmp_path) == "simulated walkers"
    folders = sorted(path.name for path in (tmp_path / "openpose/00002").iterdir())
    assert folders == [f"{view}_{video}" for view in VIEWS for video in ("00", "01")]
    expected = openpose_joints(simulate_poses(2, "nm", 2, ["270"], frames=8, size=960)[0])
    poses, numbers, problems = read_sequence(tmp_path / "openpose/00002/270_01")
    np.testing.assert_allclose(poses, expected[numbers - 1], atol=0.001)
    assert all(problem.what == "some frames without people" for problem in problems)


def test_nobody_is_detected_now_and_then(command, tmp_path):
    flags = ("--subjects", 1, "--frames", 100, "--views", "000", "045", "--train_subjects", 1)
    command(COMMAND, "--layout", "oumvlp-pose", "--output_path", tmp_path, *flags)
    frames = [json.loads(path.read_text()) for path in tmp_path.rglob("*_keypoints.json")]
    assert len(frames) == 400
    assert 0 < sum(not frame["people"] for frame in frames) < 30


@pytest.mark.parametrize("layout", ["casia-b-pose", "oumvlp-pose"])
def test_shards_and_workers_write_the_very_same_bytes_and_a_second_run_nothing(command, tmp_path, layout):
    flags = ("--layout", layout, *FEW)
    command(COMMAND, "--output_path", tmp_path / "one", *flags)
    for shard in ("1/2", "0/2"):
        command(COMMAND, "--output_path", tmp_path / "two", *flags, "--worker_num", 2, "--shard", shard)
    whole = files(tmp_path / "one")
    assert {name: data for name, data in files(tmp_path / "two").items() if ".partial" not in name} == whole
    again = command(COMMAND, "--output_path", tmp_path / "one", *flags)
    assert again.out.startswith("0 ")
    assert files(tmp_path / "one") == whole


def test_a_killed_run_keeps_its_subjects_and_shows_no_half_table(command, tmp_path, monkeypatch):
    flags = ("--layout", "casia-b-pose", *FEW)
    command(COMMAND, "--output_path", tmp_path / "whole", *flags)
    from keras_gait.data.poses import simulated

    def killed(subject, *rest):
        if subject == 2:
            raise KeyboardInterrupt
        return simulate_poses(subject, *rest)

    monkeypatch.setattr(simulated, "simulate_poses", killed)
    assert command(COMMAND, "--output_path", tmp_path / "cut", *flags).code == 130
    assert not (tmp_path / "cut" / FILE).exists()
    monkeypatch.setattr(simulated, "simulate_poses", simulate_poses)
    result = command(COMMAND, "--output_path", tmp_path / "cut", *flags)
    assert "2 subject(s) simulated, 1 already there" in result.out
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("casia-b-pose", "--train_subjects", 2), "divided by generate_pose_dataset_casiab.py"),
        (("casia-b-pose", "--subjects", 125), "CASIA-B has 124. Received: 125"),
        (("casia-b-pose", "--views", "270"), "--views has no 270; use some of 000 018"),
        (("casia-b-pose", "--size", 0), "--size must be 48 to"),
        (("oumvlp-pose", "--views", "018"), "--views has no 018; use some of 000 015"),
        (("oumvlp-pose", "--sequences", "cl-01"), "oumvlp-pose has no cl-01; use some of nm-01 nm-02"),
        (
            ("oumvlp-pose", "--train_subjects", 30),
            "--train_subjects must be 0 to 24, --subjects. Received: 30",
        ),
    ],
)
def test_wrong_wishes_end_with_one_line_and_code_2(command, tmp_path, flags, words):
    result = command(COMMAND, "--output_path", tmp_path / "w", "--layout", *flags)
    assert words in refused(result, "simulate_walkers.py")
    assert not (tmp_path / "w").exists()


def test_a_table_of_other_people_or_views_is_not_gone_on_with(command, tmp_path):
    flags = ("--output_path", tmp_path, "--layout", "casia-b-pose", "--sequences", "nm-01", "--frames", 2)
    command(COMMAND, *flags, "--subjects", 1)
    assert "another --output_path" in refused(
        command(COMMAND, *flags, "--subjects", 2), "simulate_walkers.py"
    )
