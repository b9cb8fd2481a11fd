"""OU-MVLP-Pose: the list of subjects, the folders of sequences, and the first person of each frame."""

import json

import numpy as np
import pytest
from pose_tables import frame_text, oumvlp_tree, write_frames

from keras_gait.data.poses.oumvlp import VIEWS, frame_number, list_sequences, read_id_list, read_sequence
from keras_gait.errors import GaitError


def id_list(folder, text):
    (folder / "ID_list.csv").write_text(text)
    return folder / "ID_list.csv"


@pytest.mark.parametrize(
    ("text", "train", "test"),
    [
        ("train,test\n00001,00002\n00003,00004\n,00006\n", [1, 3], [2, 4, 6]),
        ("a,b\n1,2\n3\n5,\n", [1, 3, 5], [2]),
        ("\ufefftrain,test\r\n1 , 2\r\n\r\n , 4\r\n", [1], [2, 4]),
        ("train,test,remark\n1,2,good\n", [1], [2]),
        ("0,1\n3,2\n", [3], [2]),
    ],
)
def test_the_list_names_the_subjects_in_two_columns_that_may_differ_in_length(tmp_path, text, train, test):
    assert read_id_list(id_list(tmp_path, text)) == ({"train": train, "test": test}, [])


@pytest.mark.parametrize(("text", "train"), [("1,2\n3,4\n", [1, 3]), (",2\n3,4\n", [3])])
def test_a_list_without_a_header_is_used_whole_and_told(tmp_path, text, train):
    splits, problems = read_id_list(path := id_list(tmp_path, text))
    assert splits == {"train": train, "test": [2, 4]}
    assert problems == [
        (f"{path}, line 1", "no header: this line names subjects, and is used", True),
    ]


def test_an_entry_that_is_no_number_is_told_with_its_line(tmp_path):
    path = id_list(tmp_path, "train,test\n1,2\nthree,4\n5,-6\n")
    splits, problems = read_id_list(path)
    assert splits == {"train": [1, 5], "test": [2, 4]}
    assert [problem.place for problem in problems] == [f"{path}, line 3 (three)", f"{path}, line 4 (-6)"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "on OU-MVLP-Pose's own page"),
        (b"train,test\n", "names no subjects; expected a header"),
        (b"train,test\n1,2\n3,1\n", "names subject 1 for training and for testing"),
        (b"\xff\xfe\x00", "is no CSV file"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_line(tmp_path, data, words):
    if data is not None:
        (tmp_path / "ID_list.csv").write_bytes(data)
    with pytest.raises(GaitError, match=words):
        read_id_list(tmp_path / "ID_list.csv")


def test_folders_are_listed_in_order_and_strange_ones_told(tmp_path):
    oumvlp_tree(tmp_path, (12, 2, 3))
    root = tmp_path / "openpose"
    for name in ("105_00", "000_02", "front_00", "000"):
        (root / "00012" / name).mkdir()
    (root / "notes").mkdir()
    found, problems = list_sequences(root, [12, 2, 99])
    assert [sequence[:4] for sequence in found] == [
        (subject, "", view, video)
        for subject in ("00002", "00012")
        for view in ("000", "270")
        for video in ("00", "01")
    ]
    assert [problem.place for problem in problems] == [
        str(root / "00012" / name) for name in ("000", "000_02", "105_00", "front_00")
    ]


def test_the_views_are_the_published_14():
    assert len(VIEWS) == 14
    assert VIEWS[6:8] == ("090", "180")
    assert VIEWS[-1] == "270"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("0012_keypoints.json", 12),
        ("7_a_b.json", 7),
        ("00001-clip_pose-0012.json", 12),
        ("a-1_b-2_c-3-40.json", 40),
        ("00001-clip-0012.json", 12),
        ("00001-clip_0012.json", 12),
        ("0012.json", None),
        ("frame_0012.json", None),
        ("a-1_b.json", None),
    ],
)
def test_the_number_of_a_frame_is_read_from_names_of_both_forms(name, number):
    assert frame_number(name) == number


def test_the_first_person_of_each_frame_in_name_order(tmp_path):
    folder = write_frames(
        tmp_path, "walk", [frame_text(3.0, people=2), frame_text(people=0), frame_text(5.0)]
    )
    poses, numbers, problems = read_sequence(folder)
    assert poses.shape == (2, 18, 3)
    assert poses.dtype == np.float32
    assert poses[0].ravel().tolist() == [3 + 0.25 * place for place in range(54)]
    assert poses[1, 0, 0] == 5
    assert numbers.tolist() == [1, 3]
    assert problems == [
        (f"{folder}/0002_keypoints.json (1 of 3 frames)", "some frames without people", False)
    ]


def test_a_sequence_without_people_is_dropped_and_told(tmp_path):
    folder = write_frames(tmp_path, "walk", [frame_text(people=0)] * 2)
    poses, numbers, problems = read_sequence(folder)
    assert poses.shape == (0, 18, 3)
    assert numbers.shape == (0,)
    assert [problem.what for problem in problems] == ["no frame with people"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "damaged, or no JSON frame of OU-MVLP-Pose"),
        (frame_text()[:200], "damaged, or no JSON frame of OU-MVLP-Pose"),
        ("[]", "damaged, or no JSON frame of OU-MVLP-Pose"),
        ('{"people": [{"face": []}]}', "damaged, or no JSON frame of OU-MVLP-Pose"),
        (frame_text().replace(", 1.25,", ', "x",'), "damaged, or no JSON frame of OU-MVLP-Pose"),
        (frame_text().replace(", 1.25,", f", {'9' * 400},"), "damaged, or no JSON frame of OU-MVLP-Pose"),
        ("[" * 100_000, "damaged, or no JSON frame of OU-MVLP-Pose"),
        (frame_text(numbers=51), "51 numbers of a person, expected 54"),
        (frame_text(numbers=75), "75 numbers of a person, expected 54"),
        (frame_text(numbers=0), "0 numbers of a person, expected 54"),
        (frame_text().replace(", 1.25,", ", NaN,"), "a value that is no finite number"),
        (frame_text().replace(", 1.25,", ", 1e39,"), "a value that is no finite number"),
    ],
)
def test_a_damaged_file_costs_only_itself(tmp_path, text, what):
    folder = write_frames(tmp_path, "walk", [frame_text(1.0), text, frame_text(2.0)])
    poses, numbers, problems = read_sequence(folder)
    assert poses[:, 0, 0].tolist() == [1, 2]
    assert numbers.tolist() == [1, 3]
    assert problems == [(f"{folder}/0002_keypoints.json", what, True)]


def test_a_file_without_a_number_is_told_and_other_files_are_not_looked_at(tmp_path):
    folder = write_frames(tmp_path, "walk", [frame_text()])
    (folder / "readme.txt").write_text("not a frame")
    (folder / ".hidden.json").write_text("not a frame")
    (folder / "all.json").write_text(json.dumps({"people": []}))
    poses, _, problems = read_sequence(folder)
    assert len(poses) == 1
    assert problems == [(f"{folder}/all.json", "no frame number in the file's name", True)]
