"""Simulated skeletons: those of the pictures' walks, as recordings and as the published trees."""

import numpy as np
import pytest
from checks import refused

from keras_gait.data.provenance import read_source
from keras_gait.data.simulate import KINECT_JOINTS, KINECT_V2_JOINTS, simulate_skeletons, simulate_walk
from keras_gait.data.skeletons import simulated

COMMAND = "preprocessing/simulate_walkers.py"
FEW = ("--subjects", 2, "--frames", 40, "--sequences", "nm-01", "nm-05")


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_skeletons_without_pictures_are_those_of_the_same_walk_but_for_the_trackers_errors():
    walk = simulate_walk(3, "bg", 2, "054", frames=20)
    (skeletons,) = simulate_skeletons(3, "bg", 2, ["054"], frames=20)
    assert skeletons.shape == (20, 20, 3)
    assert skeletons.dtype == np.float32
    away = skeletons - walk.skeletons
    # Two errors of 8 mm each; another subject is farther off.
    assert 0.010 < away.std() < 0.013
    assert abs(away.mean()) < 0.002
    (other,) = simulate_skeletons(4, "bg", 2, ["054"], frames=20)
    assert (other - walk.skeletons).std() > 0.03


def test_a_seed_gives_the_same_skeletons_whatever_else_is_simulated():
    together = simulate_skeletons(2, "nm", 1, ["000", "090", "130"], frames=5, seed=7)
    (alone,) = simulate_skeletons(2, "nm", 1, ["130"], frames=5, seed=7)
    assert np.array_equal(together[2], alone)
    assert not np.array_equal(alone, simulate_skeletons(2, "nm", 1, ["130"], frames=5, seed=8)[0])


def test_the_second_sensor_sees_the_same_body_and_five_joints_more():
    (first,) = simulate_skeletons(1, "nm", 1, ["000"], frames=50)
    (second,) = simulate_skeletons(1, "nm", 1, ["000"], frames=50, joints=KINECT_V2_JOINTS)
    assert second.shape == (50, 25, 3)
    assert KINECT_V2_JOINTS[20] == "neck"  # between the shoulders, where the first has its third joint
    first, second = first.mean(axis=0), second.mean(axis=0)
    shared = [n for n in range(25) if KINECT_V2_JOINTS[n] in KINECT_JOINTS]
    assert len(shared) == 20
    same = [KINECT_JOINTS.index(KINECT_V2_JOINTS[n]) for n in shared]
    assert np.abs(second[shared] - first[same]).max() < 0.01
    height = dict(zip(KINECT_V2_JOINTS, second[:, 1], strict=True))
    assert height["pelvis"] < height["waist"] < height["neck"] < height["throat"] < height["head"]
    for side in ("left", "right"):
        assert height[f"{side}_fingertips"] < height[f"{side}_hand"] < height[f"{side}_wrist"]
        thumb, hand = (second[KINECT_V2_JOINTS.index(f"{side}_{part}")] for part in ("thumb", "hand"))
        assert 0.01 < np.linalg.norm(thumb - hand) < 0.12
        assert thumb[2] < hand[2]  # who comes nearer has the thumbs ahead


def test_recordings_are_what_the_sensor_would_have_given(command, tmp_path):
    result = command(COMMAND, "--layout", "kinect", "--output_path", tmp_path, *FEW, "--views", "000", "090")
    assert result.code == 0
    assert "4 take(s) simulated, 0 already there" in result.out
    takes = [f"{take}-{view}" for take in FEW[5:] for view in ("000", "090")]
    names = [f"skeletons/{person}/{take}.npy" for person in ("001", "002") for take in takes]
    assert sorted(files(tmp_path)) == ["simulate.json", *names, "skeletons/source.txt"]
    assert read_source(tmp_path / "skeletons") == "simulated walkers"
    expected = simulate_skeletons(2, "nm", 5, ["000", "090"], frames=40)
    for view, skeletons in zip(("000", "090"), expected, strict=True):
        np.testing.assert_array_equal(np.load(tmp_path / f"skeletons/002/nm-05-{view}.npy"), skeletons)


def test_biwis_tree_is_what_its_recordings_give(command, tmp_path):
    views = ("--views", "000", "060")
    result = command(COMMAND, "--layout", "biwi", "--output_path", tmp_path / "b", *FEW, *views)
    assert result.code == 0, result.err
    command(COMMAND, "--layout", "kinect", "--output_path", tmp_path / "k", *FEW, "--views", "000", "090")
    # The same by the command for raw recordings; those of 060 are written by hand.
    for person in (1, 2):
        for take in (1, 5):
            (tmp_path / f"k/skeletons/00{person}/nm-0{take}-090.npy").unlink()
            (skeletons,) = simulate_skeletons(person, "nm", take, ["060"], frames=40)
            np.save(tmp_path / f"k/skeletons/00{person}/nm-0{take}-060.npy", skeletons)
    flags = ("--dataset", "BIWI", "--test", "nm-05*")
    command(
        *("preprocessing/pretreatment_skeleton.py", "--input_path", tmp_path / "k/skeletons"),
        *("--output_path", tmp_path / "Datasets", *flags),
    )
    made = files(tmp_path / "Datasets")
    del made["BIWI/6/.settings.json"]
    assert made == files(tmp_path / "b/Datasets")
    assert read_source(tmp_path / "b/Datasets/BIWI/6") == "simulated walkers"
    again = command(COMMAND, "--layout", "biwi", "--output_path", tmp_path / "b", *FEW, *views)
    assert "0 take(s) simulated, 4 already there" in again.out
    more = command(COMMAND, "--layout", "biwi", "--output_path", tmp_path / "b", *FEW, *views, "--length", 4)
    assert "4 take(s) simulated" in more.out
    assert sorted(path.name for path in (tmp_path / "b/Datasets/BIWI").iterdir()) == ["4", "6"]


def test_ias_has_two_test_sets_one_of_them_in_coats(command, tmp_path):
    flags = ("--subjects", 1, "--frames", 30, "--views", "000", "--sequences", "nm-01", "cl-01", "nm-06")
    assert command(COMMAND, "--layout", "ias", "--output_path", tmp_path, *flags).code == 0
    folder = tmp_path / "Datasets/IAS/6/IAS_test_npy_data"
    for tag, take in (("A", ("cl", 1)), ("B", ("nm", 6))):
        (expected,) = simulate_skeletons(1, *take, ["000"], frames=30)
        source = np.load(folder / f"t_source_x_IAS-{tag}_6.npy")
        np.testing.assert_array_equal(source, expected[10:16, :, 0])
    # Training recordings of IAS keep their ends: 20 frames are left, of which 3 * n + s begin a window.
    train = np.load(folder.with_name("IAS_train_npy_data") / "frame_id_IAS_6.npy")
    assert len(train) == sum(len(range(s, 15, 3)) for s in range(6))


def test_a_view_folder_of_ks20_tests_its_view_and_trains_with_the_others(command, tmp_path):
    views = ("000", "090", "180")
    result = command(COMMAND, "--layout", "ks20", "--output_path", tmp_path, *FEW, "--views", *views)
    assert result.code == 0, result.err
    root = tmp_path / "Datasets/KS20/6"
    folders = [path.name for path in root.iterdir() if path.is_dir()]
    assert sorted(folders) == ["KS20_test_npy_data", "KS20_train_npy_data", "view_0", "view_2", "view_4"]
    (expected,) = simulate_skeletons(1, "nm", 5, ["090"], frames=40, joints=KINECT_V2_JOINTS)
    source = np.load(root / "view_2/KS20_test_npy_data/t_source_x_KS20_6.npy")
    np.testing.assert_array_equal(source[:36], expected[:36, :, 0])
    counts = [
        len(np.load(folder / "KS20_train_npy_data/frame_id_KS20_6.npy")) for folder in (root, root / "view_2")
    ]
    assert counts[1] * 3 == counts[0] * 2
    ids = np.load(root / "KS20_train_npy_data/ids_KS20_6.npy", allow_pickle=True).item()
    assert list(ids) == [1, 2]


@pytest.mark.parametrize(("layout", "workers"), [("kinect", 1), ("kgbd", 2)])
def test_shards_and_workers_write_the_very_same_bytes(command, tmp_path, layout, workers):
    flags = ("--layout", layout, *FEW)
    command(COMMAND, "--output_path", tmp_path / "one", *flags)
    for shard in ("1/2", "0/2"):
        shared = ("--worker_num", workers, "--shard", shard)
        assert command(COMMAND, "--output_path", tmp_path / "two", *flags, *shared).code == 0
    assert files(tmp_path / "two") == files(tmp_path / "one")


def test_a_killed_run_keeps_its_takes_and_shows_no_half_tree(command, tmp_path, monkeypatch):
    flags = ("--layout", "biwi", *FEW)
    command(COMMAND, "--output_path", tmp_path / "whole", *flags)

    def killed(subject, *rest):
        if subject == 2:
            raise KeyboardInterrupt
        return simulate_skeletons(subject, *rest)

    monkeypatch.setattr(simulated, "simulate_skeletons", killed)
    assert command(COMMAND, "--output_path", tmp_path / "cut", *flags).code == 130
    assert not (tmp_path / "cut/Datasets").exists()
    monkeypatch.setattr(simulated, "simulate_skeletons", simulate_skeletons)
    result = command(COMMAND, "--output_path", tmp_path / "cut", *flags)
    assert "2 take(s) simulated, 2 already there" in result.out
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("kinect", "--size", 96), "--size does not go with --layout kinect"),
        (("kinect", "--length", 6), "--length does not go with --layout kinect"),
        (("biwi", "--train_subjects", 2), "--train_subjects does not go with --layout biwi"),
        (("biwi", "--sequences", "nm-06"), "train of biwi needs some of nm-01 nm-02 nm-03 nm-04"),
        (("biwi", "--sequences", "nm-01", "nm-05", "bg-01"), "biwi has no bg-01; use some of nm-01"),
        (("ias", "--sequences", "nm-01", "nm-05"), "test-A of ias needs some of cl-01 cl-02"),
        (("ks20", "--views", "018"), "--views has no 018; use some of 000 030 090 130 180"),
        (("biwi", "--frames", 25), "--frames must be at least 26 for a window. Received: 25"),
        (("biwi", "--length", 1), "--length must be at least 2. Received: 1"),
        (("biwi", "--length", 60), "--frames must be at least 80 for a window. Received: 60"),
        (("kinect", "--frames", 0), "--frames must be 1 to 100"),
        (("gait3d", "--length", 6), "--length goes with the layouts of windows of skeletons"),
    ],
)
def test_wrong_wishes_end_with_one_line_and_code_2(command, tmp_path, flags, words):
    result = command(COMMAND, "--output_path", tmp_path / "w", "--layout", *flags)
    assert words in refused(result, "simulate_walkers.py")
    assert not (tmp_path / "w").exists()
