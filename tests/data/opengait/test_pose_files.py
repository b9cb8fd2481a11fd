"""Poses from all the files they come in; whom to take; what is refused."""

import json
import pickle

import cv2
import numpy as np
import pytest
from checks import Attack

from keras_gait.data.opengait.pickles import write_array_pickle
from keras_gait.data.opengait.pose_files import (
    SELECTION,
    frame_number,
    joints_of,
    read_poses,
    silhouette_scores,
)
from keras_gait.data.unpickle import RefusedPickle
from keras_gait.errors import GaitError

POSES = np.arange(5 * 51, dtype=float).reshape(5, 17, 3)


def write_texts(folder, ending=".txt"):
    folder.mkdir()
    for number, pose in enumerate(POSES):
        line = ",".join(map(str, [9.0, 1.0, *pose.ravel()]))
        (folder / f"{number:04d}{ending}").write_text(f"{line}\n")
    return folder


def write_jsons(folder, *frames):
    """Each frame is a list of people, each of them a number that all of the person's 54 numbers are."""
    folder.mkdir(exist_ok=True)
    for number, people in enumerate(frames, 1):
        content = {"people": [{"pose_keypoints_2d": [person] * 54} for person in people]}
        (folder / f"{number:04d}.json").write_text(json.dumps(content))
    return folder


def taken(poses):
    return poses.joints[:, 0, 0].tolist()


def test_pickles_keep_their_names_and_the_pattern_chooses(tmp_path):
    for name in ("03-a-Camera-Pose.pkl", "04-Ratios-HW.pkl"):
        write_array_pickle(tmp_path / name, POSES)
    (found,) = read_poses(tmp_path, "000", "03*.pkl")
    assert found.name == "03-a-Camera-Pose.pkl"
    assert found.kept.tolist() == list(range(found.count)) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(found.joints, POSES)
    assert len(read_poses(tmp_path, "000")) == 2


def test_grew_rows_and_joints_are_told_apart():
    rows = np.concatenate([np.full((5, 2), -1.0), POSES.reshape(5, 51)], axis=1)
    np.testing.assert_array_equal(joints_of(rows, "here"), POSES)
    np.testing.assert_array_equal(joints_of(POSES, "here"), POSES)
    with pytest.raises(GaitError, match=r"here: expected poses \(frames, joints, 3\) or .*, found \(5, 51\)"):
        joints_of(POSES.reshape(5, 51), "here")


def test_text_files_become_one_array_named_after_the_view(tmp_path):
    (found,) = read_poses(write_texts(tmp_path / "t"), "seq0")
    assert found.name == "seq0.pkl"
    np.testing.assert_array_equal(found.joints, POSES)


def test_of_grew_s_text_files_only_the_2d_poses_are_taken(tmp_path):
    folder = write_texts(tmp_path / "t", "_2d_pose.txt")
    (folder / "0000_3d_pose.txt").write_text("1,2,3")
    np.testing.assert_array_equal(read_poses(folder, "a")[0].joints, POSES)


def test_json_frames_without_people_are_left_out_and_told(tmp_path):
    (found,) = read_poses(write_jsons(tmp_path, [1], [], [3]), "000")
    assert found.joints.shape == (2, 18, 3)
    assert taken(found) == [1, 3]
    assert (found.kept.tolist(), found.count) == ([0, 2], 3)


def test_the_selection_says_whom_to_take_and_else_the_first(tmp_path):
    write_jsons(tmp_path, [1, 2], [3, 4], [5, 6])
    assert taken(read_poses(tmp_path, "000")[0]) == [1, 3, 5]
    (tmp_path / SELECTION).write_bytes(pickle.dumps({"0002": 1, "0003": np.int64(1)}))
    assert taken(read_poses(tmp_path, "000")[0]) == [1, 4, 6]
    (tmp_path / "aside").mkdir()
    aside = tmp_path / "aside" / SELECTION
    aside.write_bytes(pickle.dumps({"0001": 1}))
    assert taken(read_poses(tmp_path, "000", selection=aside)[0]) == [2, 3, 5]


def test_silhouettes_decide_where_the_selection_says_nothing(tmp_path):
    folder, silhouettes = tmp_path / "poses", tmp_path / "silhouettes"
    write_jsons(folder, [1, 7], [1, 7], [7, 1])
    (folder / SELECTION).write_bytes(pickle.dumps({"0003": 0}))
    silhouettes.mkdir()
    body = np.zeros((10, 10), np.uint8)
    body[7, 7] = 255
    for number in (1, 3):  # the second has none, and the third is decided already
        cv2.imwrite(str(silhouettes / f"{number:04d}.png"), body)
    assert taken(read_poses(folder, "000", silhouettes=silhouettes)[0]) == [7, 1, 7]


@pytest.mark.parametrize("name", ["x.json", "0001.json"])
def test_without_a_silhouette_of_that_number_the_first_is_taken(tmp_path, name):
    write_jsons(tmp_path / "poses", [7, 1])
    (tmp_path / "poses" / "0001.json").rename(tmp_path / "poses" / name)
    assert taken(read_poses(tmp_path / "poses", "000", silhouettes=tmp_path / "none")[0]) == [7]
    (tmp_path / "silhouettes").mkdir()
    body = np.zeros((10, 10), np.uint8)
    body[:3] = 255
    cv2.imwrite(str(tmp_path / "silhouettes" / "body.png"), body)
    assert taken(read_poses(tmp_path / "poses", "000", silhouettes=tmp_path / "silhouettes")[0]) == [7]


def test_a_pose_with_a_joint_outside_scores_least():
    silhouette = np.array([[0, 100], [50, 0]], np.uint8)
    poses = np.array([[[1.9, 0.2, 1], [0, 1, 1]], [[-0.9, 0, 1], [1, 0, 0]], [[2, 0, 1], [1, 0, 1]]], float)
    assert silhouette_scores(poses, silhouette).tolist() == [150, 100, -np.inf]


@pytest.mark.parametrize(
    ("name", "number"),
    [("0012.json", "0012"), ("0012_keypoints.json", "0012"), ("a_7.png", "7"), ("a.json", None)],
)
def test_the_number_of_a_frame_is_read_from_its_name(name, number):
    assert frame_number(name) == number


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("0001.txt", "1,2,3", "expected 53 numbers .*, found 3"),
        ("0001.txt", "1,2,nobody", "no line of numbers with commas: could not convert"),
        ("0001.json", "{}", "no JSON frame of OU-MVLP's poses: KeyError"),
        ("0001.json", "{", "no JSON frame of OU-MVLP's poses: JSONDecodeError"),
        ("0001.json", '{"people": [{"pose_keypoints_2d": [1, 2]}]}', "no JSON frame"),
        ("0001.json", '{"people": []}', "nobody is in any of its 1 frames"),
        ("a.pkl", pickle.dumps(POSES)[:90], "this pickle is damaged"),
        ("a.pkl", pickle.dumps(POSES[:, :, :2]), r"expected poses .*, found \(5, 17, 2\)"),
        ("a.pkl", pickle.dumps(POSES[:0]), "has no frames"),
        ("a.csv", "1,2", r"expected one kind of pose files \(\*\.pkl, \.txt or \.json\), found none"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(GaitError, match=message) as raised:
        read_poses(tmp_path, "000")
    assert str(tmp_path) in str(raised.value)


def test_several_kinds_of_files_are_refused(tmp_path):
    write_texts(tmp_path / "t")
    write_array_pickle(tmp_path / "t" / "a.pkl", POSES)
    with pytest.raises(GaitError, match=r"found \.pkl and \.txt files side by side"):
        read_poses(tmp_path / "t", "000")


def test_joints_must_agree_within_a_sequence(tmp_path):
    write_jsons(tmp_path, [1], [2])
    (tmp_path / "0003.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": [3] * 51}]}))
    with pytest.raises(GaitError, match="poses with 17 and 18 joints in one sequence"):
        read_poses(tmp_path, "000")


@pytest.mark.parametrize(
    ("content", "message"),
    [({"0001": 2}, "has 2 people, .* asks for number 2, from 0"), (["0001"], "expected a dict of frame")],
)
def test_a_selection_that_does_not_fit_is_told(tmp_path, content, message):
    write_jsons(tmp_path, [1, 2])
    (tmp_path / SELECTION).write_bytes(pickle.dumps(content))
    with pytest.raises(GaitError, match=message):
        read_poses(tmp_path, "000")


@pytest.mark.parametrize("name", ["a.pkl", SELECTION])
def test_hostile_pickles_are_refused_and_nothing_runs(tmp_path, name):
    if name == SELECTION:
        write_jsons(tmp_path, [1])
    (tmp_path / name).write_bytes(pickle.dumps(Attack(tmp_path / "broken_in")))
    with pytest.raises(RefusedPickle, match=r"asks for posix\.system"):
        read_poses(tmp_path, "000")
    assert not (tmp_path / "broken_in").exists()
