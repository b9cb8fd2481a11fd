"""Simulated walkers in OpenGait's layouts: who lies where, who trains, and what a second run does."""

import json

import cv2
import numpy as np
import pytest
from checks import refused

from keras_gait.data.opengait.layouts import LAYOUTS, find_layout, read_partition
from keras_gait.data.opengait.pickles import read_array_pickle
from keras_gait.data.opengait.sets import list_sequences
from keras_gait.data.opengait.simulated import known_sequences, openpose_joints, place_of, simulated_partition
from keras_gait.data.provenance import read_source
from keras_gait.data.simulate import SEQUENCES, simulate_walk

COMMAND = "preprocessing/simulate_walkers.py"
SMALL = ("--subjects", 2, "--views", "090", "126", "--frames", 2, "--size", 48)


def folders_of(tree):
    return sorted({str(path.parent.relative_to(tree)) for path in tree.rglob("*") if path.is_file()} - {"."})


def test_the_walks_of_a_subject_lie_where_each_data_set_has_them():
    def place(layout, sequence, trains=False):
        return "/".join(place_of(layout, 7, sequence, "090", trains))

    assert place("casia-b", "bg-02") == "007/bg-02/090"
    assert place("oumvlp", "nm-02") == "00007/01/090"
    assert place("grew", "cl-01", trains=True) == "00007train/00/cl-01-090"
    assert place("grew", "nm-01") == "00007/01/nm-01-090"
    assert place("grew", "nm-04") == "00007/02/nm-04-090"
    assert place("grew", "cl-01") == "probe/03/00007-cl-01-090"
    assert place("gait3d", "nm-03") == "0007/camid6_videoid3/seq0"
    assert place("ccpg", "nm-02") == "007/U0_D0/090_2"
    assert place("ccpg", "bg-01") == "007/U0_D0_BG/090_1"
    assert place("ccpg", "cl-01") == "007/U1_D1/090_1"
    assert place("sustech1k", "nm-01") == "0007/00-nm/090"
    assert place("sustech1k", "nm-02") == "0007/01-nm/090"
    assert place("sustech1k", "cl-01") == "0007/01-cl/090"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("trains", [True, False])
def test_no_two_walks_share_a_folder_and_all_look_like_the_data_set(tmp_path, layout, trains):
    places = [
        place_of(layout, subject, sequence, view, trains)
        for subject in (1, 2)
        for sequence in known_sequences(layout)
        for view in ("000", "018")
    ]
    assert len(set(places)) == len(places)
    for place in places:
        tree = tmp_path / "-".join(place)
        (tree / "/".join(place)).mkdir(parents=True)
        assert find_layout("", None, tree).key == layout


def test_every_kind_of_walk_that_ccpgs_protocols_ask_for_is_there():
    kinds = {place_of("ccpg", 1, sequence, "000", False).kind for sequence in SEQUENCES}
    assert kinds == {"U0_D0", "U0_D0_BG", "U0_D3", "U1_D0", "U1_D1", "U2_D2", "U3_D3"}


def test_the_first_subjects_train_and_grews_probes_count_for_the_test():
    partition = simulated_partition("grew", 4, SEQUENCES, ["090"], 2)
    assert partition.train == ("00001train", "00002train")
    assert partition.test == ("00003", "00004", "probe")
    assert simulated_partition("grew", 4, ["nm-01", "nm-02"], ["090"], 2).test == ("00003", "00004")


def test_gait3ds_probes_are_one_take_of_each_test_subject_so_that_no_view_of_it_is_in_the_gallery():
    probes = simulated_partition("gait3d", 4, ["nm-01", "nm-02", "cl-01"], ["000", "090"], 2).probes
    assert probes == tuple(
        f"{subject}-camid{camera}_videoid{video}-seq0"
        for subject, video in (("0003", 1), ("0004", 2))
        for camera in (1, 6)
    )


def test_openposes_neck_is_midway_between_the_shoulders_and_missed_with_either():
    poses = np.zeros((2, 17, 3), np.float32)
    poses[..., 0] = np.arange(17)
    poses[..., 2] = 0.5
    poses[0, 5], poses[0, 6] = (10, 40, 0.9), (20, 60, 0.7)
    poses[1, 6] = 0
    joints = openpose_joints(poses)
    assert joints.shape == (2, 18, 3)
    assert joints[0, 1].tolist() == [15, 50, np.float32(0.7)]
    assert joints[1, 1].tolist() == [0, 0, 0]
    # back to COCO by the published list, "18 to 17"
    back = joints[:, [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]]
    assert np.array_equal(back, poses)


@pytest.mark.parametrize(
    ("layout", "sequence", "folder", "poses", "joints"),
    [
        ("casia-b", "nm-01", "001/nm-01/090", "090.pkl", 17),
        ("oumvlp", "nm-01", "00001/00/090", "090.pkl", 18),
        ("grew", "nm-01", "00001train/00/nm-01-090", "nm-01-090.pkl", 17),
        ("gait3d", "nm-01", "0001/camid6_videoid1/seq0", "seq0.pkl", 17),
        ("ccpg", "nm-01", "001/U0_D0/090_1", "090_1.pkl", 18),
        ("sustech1k", "nm-01", "0001/00-nm/090", "03-090-Camera-Pose.pkl", 17),
    ],
)
def test_the_command_writes_silhouettes_poses_and_partition(
    command, tmp_path, layout, sequence, folder, poses, joints
):
    flags = ("--layout", layout, "--sequences", "nm-01", "nm-02")
    result = command(COMMAND, "--output_path", tmp_path, *SMALL, *flags)
    assert result.code == 0
    assert "8 sequence(s) simulated, 0 already there" in result.out
    assert folders_of(tmp_path / "silhouettes") == folders_of(tmp_path / "poses")
    walk = simulate_walk(1, "nm", 1, "090", frames=2, size=48)
    stored = read_array_pickle(tmp_path / "poses" / folder / poses)
    assert np.array_equal(stored, walk.poses if joints == 17 else openpose_joints(walk.poses))
    pictures = [
        cv2.imread(str(tmp_path / "silhouettes" / folder / f"000{n}.png"), cv2.IMREAD_UNCHANGED)
        for n in (1, 2)
    ]
    if layout == "grew":  # delivered aligned
        assert {picture.shape for picture in pictures} == {(64, 64)}
        assert pictures[0][0].any()
        assert pictures[0][-1].any()
    else:
        assert np.array_equal(pictures, walk.silhouettes)
    partition = read_partition(tmp_path / f"{LAYOUTS[layout].title}.json", LAYOUTS[layout])
    subjects = {place.split("/")[0] for place in folders_of(tmp_path / "poses")}
    assert {*partition.train, *partition.test} == subjects
    assert len(list_sequences(tmp_path / "poses", partition.test)) == 4
    assert {read_source(tmp_path / tree) for tree in ("silhouettes", "poses")} == {"simulated walkers"}


def test_a_second_run_makes_what_is_missing_and_shards_make_the_same(command, tmp_path):
    flags = (*SMALL, "--layout", "gait3d", "--sequences", "nm-01", "nm-02")

    def files(tree):
        return {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file()}

    command(COMMAND, "--output_path", tmp_path / "one", *flags)
    for shard in ("0/2", "1/2"):
        command(COMMAND, "--output_path", tmp_path / "two", *flags, "--worker_num", 2, "--shard", shard)
    whole = files(tmp_path / "one")
    assert {k: v for k, v in files(tmp_path / "two").items() if ".partial" not in k} == whole
    (tmp_path / "one/poses/0001/camid6_videoid1/seq0/seq0.pkl").unlink()
    assert (
        "1 sequence(s) simulated, 7 already there"
        in command(COMMAND, "--output_path", tmp_path / "one", *flags).out
    )
    assert files(tmp_path / "one") == whole


def test_half_of_the_subjects_train_unless_said_otherwise(command, tmp_path):
    flags = (*SMALL, "--layout", "casia-b", "--sequences", "nm-01")
    command(COMMAND, "--output_path", tmp_path / "half", *flags)
    command(COMMAND, "--output_path", tmp_path / "all", *flags, "--train_subjects", 2)
    half, everybody = (json.loads((tmp_path / name / "CASIA-B.json").read_text()) for name in ("half", "all"))
    assert half == {"TRAIN_SET": ["001"], "TEST_SET": ["002"]}
    assert everybody == {"TRAIN_SET": ["001", "002"], "TEST_SET": []}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            ("--layout", "oumvlp", "--sequences", "nm-01", "cl-01"),
            "OU-MVLP has no type for cl-01; use some of",
        ),
        (("--layout", "gait3d", "--sequences", "nm-01"), "Gait3D needs two or more"),
        (
            ("--layout", "ccpg", "--train_subjects", 3),
            "--train_subjects must be 0 to 2, --subjects. Received: 3",
        ),
        (("--train_subjects", 1), "--train_subjects goes with --layout"),
        (("--layout", "kitti"), "invalid choice: 'kitti'"),
        (("--layout", "gait3d", "--views", "270"), "--views has no 270"),
    ],
)
def test_wrong_wishes_end_with_one_line_and_code_2(command, tmp_path, flags, words):
    result = command(COMMAND, "--output_path", tmp_path / "w", *SMALL, *flags)
    assert words in refused(result, "simulate_walkers.py")
    assert not (tmp_path / "w").exists()


def test_a_tree_of_another_layout_or_division_is_refused(command, tmp_path):
    flags = (*SMALL, "--sequences", "nm-01", "--layout")
    command(COMMAND, "--output_path", tmp_path, *flags, "casia-b")
    for other in (("ccpg",), ("casia-b", "--train_subjects", 2)):
        result = command(COMMAND, "--output_path", tmp_path, *flags, *other)
        assert "another --output_path" in refused(result, "simulate_walkers.py")
