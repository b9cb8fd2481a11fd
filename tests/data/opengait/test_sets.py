"""OpenGait's trees: listed as published, who trains, what a name means, what makes a sequence's frames."""

import json
import os

import numpy as np
import pytest

from keras_gait.data.opengait.layouts import LAYOUTS, find_layout, published_partition, read_partition
from keras_gait.data.opengait.pickles import write_array_pickle
from keras_gait.data.opengait.sets import (
    join_frames,
    list_sequences,
    load_sequence,
    published_labels,
    read_frames,
    write_opengait_sets,
)
from keras_gait.data.opening import open_dataset
from keras_gait.errors import GaitError


def plant(root, *paths):
    """Empty files below ``root``; a path that ends with a slash is an empty folder."""
    for path in paths:
        folder, _, name = path.rpartition("/")
        (root / folder).mkdir(parents=True, exist_ok=True)
        if name:
            (root / path).touch()
    return root


def frames(count, *shape, value=0):
    return np.full((count, *shape), value, np.uint8)


@pytest.fixture
def tree(tmp_path):
    """Maps and silhouettes of five ids; each pixel is the subject's number."""
    for subject in range(1, 6):
        for kind in ("camid1_videoid1", "camid2_videoid1"):
            folder = tmp_path / "tree" / f"{subject:04d}" / kind / "seq0"
            folder.mkdir(parents=True)
            write_array_pickle(folder / "0_heatmap.pkl", frames(6, 2, 64, 64, value=subject))
            write_array_pickle(folder / "1_sil.pkl", frames(6, 64, 64, value=10 * subject))
    return tmp_path / "tree"


@pytest.fixture
def partition(tmp_path):
    path = tmp_path / "Gait3D.json"
    content = {
        "TRAIN_SET": ["0001", "0002", "0003"],
        "TEST_SET": ["0004", "0005"],
        "PROBE_SET": ["0004-camid1_videoid1-seq0"],
    }
    path.write_text(json.dumps(content))
    return path


def test_ids_come_in_the_order_of_the_list_and_all_else_sorted(tmp_path):
    plant(
        tmp_path,
        "b/t2/v1/x.pkl",
        "b/t1/v2/y.pkl",
        "b/t1/v2/a.pkl",
        "a/t1/v1/x.pkl",
        "c/t1/v1/x.pkl",
        "b/t1/v1/",
    )
    listed = list_sequences(tmp_path, ["b", "nobody", "a"])
    assert [entry[:3] for entry in listed] == [("b", "t1", "v2"), ("b", "t2", "v1"), ("a", "t1", "v1")]
    assert listed[0].files == ("a.pkl", "y.pkl")


@pytest.mark.parametrize(
    ("data_in_use", "files"),
    [
        ([True, False, True], ("0.pkl", "2.pkl")),
        ([False, True], ("1.pkl",)),
        ([2, 0, 7], ("2.pkl", "0.pkl")),
        (None, ("0.pkl", "1.pkl", "2.pkl")),
    ],
)
def test_files_are_masked_place_by_place_or_picked_in_the_given_order(tmp_path, data_in_use, files):
    plant(tmp_path, "a/t/v/0.pkl", "a/t/v/1.pkl", "a/t/v/2.pkl", "a/t/v/.problems.json")
    assert list_sequences(tmp_path, ["a"], data_in_use)[0].files == files


def test_labels_carry_the_name_in_training_and_sort_as_text(tmp_path):
    listed = list_sequences(plant(tmp_path, "1/t/v/x.pkl", "010/t/v/x.pkl"), ["1", "010"])
    assert sorted(set(published_labels(listed, "CASIA-B"))) == ["CASIA-B-010", "CASIA-B-1"]
    assert published_labels(listed) == ["1", "010"]
    assert published_labels(listed, "X", self_supervised=True) == ["X-1-t-v", "X-010-t-v"]


def test_the_types_of_d_gait_are_told_apart_by_subject(tmp_path):
    plant(tmp_path, "1/t/v/x.pkl")
    assert list_sequences(tmp_path, ["1"], name="d-gait")[0].kind == "1-t"


@pytest.mark.parametrize(
    ("layout", "folder", "labels"),
    [
        ("casia-b", "001/nm-01/090", ("001", "nm", "090", "01")),
        ("casia-b", "001/walk/090", ("001", "walk", "090", "")),
        ("oumvlp", "00001/01/270", ("00001", "", "270", "01")),
        ("grew", "00001train/00/4XPn5Z28", ("00001train", "00", "4XPn5Z28", "")),
        ("gait3d", "0002/camid9_videoid2/seq0", ("0002", "camid9_videoid2", "seq0", "")),
        ("ccpg", "000/U0_D0_BG/3_1", ("000", "U0_D0_BG", "3_1", "")),
        ("sustech1k", "0000/01-bg/045", ("0000", "01-bg", "045", "")),
    ],
)
def test_what_the_folders_mean_in_each_layout(layout, folder, labels):
    assert LAYOUTS[layout].sequence(*folder.split("/"), "x")[:4] == labels


@pytest.mark.parametrize(
    ("folder", "layout"),
    [
        ("001/nm-01/090", "casia-b"),
        ("00001/01/270", "oumvlp"),
        ("00001/01/4XPn5Z28", "grew"),
        ("00001train/00/123", "grew"),
        ("0002/camid9_videoid2/seq0", "gait3d"),
        ("000/U0_D0_BG/3_1", "ccpg"),
        ("0000/01-bg/045", "sustech1k"),
    ],
)
def test_the_data_set_is_told_from_its_folders(tmp_path, folder, layout):
    plant(tmp_path, f"{folder}/x.pkl")
    assert find_layout("", None, tmp_path).key == layout


def test_the_partitions_name_goes_before_the_folders_and_the_flag_before_both(tmp_path):
    plant(tmp_path, "001/nm-01/090/x.pkl")
    assert find_layout("", "some/OUMVLP.json", tmp_path).key == "oumvlp"
    assert find_layout("ou-mvlp", "some/GREW.json", tmp_path).key == "oumvlp"
    with pytest.raises(GaitError, match="--dataset_name KITTI is not known"):
        find_layout("KITTI", None, tmp_path)


def test_folders_that_tell_nothing_ask_for_the_name(tmp_path):
    plant(tmp_path, "me/walking/home/x.pkl")
    with pytest.raises(GaitError, match=r"me/walking/home.*give --dataset_name"):
        find_layout("", None, tmp_path)


def test_the_partitions_that_are_rules():
    def split(layout, *names):
        return tuple(published_partition(LAYOUTS[layout], names))[:2]

    assert split("casia-b", "001", "074", "075", "124", "notes") == (("001", "074"), ("075", "124"))
    odd_even = ("00001", "10305"), ("00002", "10306", "10307")
    assert split("oumvlp", "00001", "00002", "10305", "10306", "10307") == odd_even
    assert split("grew", "00001", "00001train", "probe") == (("00001train",), ("00001", "probe"))
    with pytest.raises(GaitError, match="--dataset_partition is needed: the partition of Gait3D"):
        split("gait3d", "0000")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ('{"TRAIN_SET": []}', "has no TEST_SET"),
        ('["TRAIN_SET", "TEST_SET"]', "has no TRAIN_SET"),
        ('{"TRAIN_SET": [1], "TEST_SET": []}', "has no TRAIN_SET"),
        ('{"TRAIN_SET": ["1"], "TEST_SET": ["1"], "PROBE_SET": []}', "1 is in TRAIN_SET and in TEST_SET"),
        ('{"TRAIN_SET": [], "TEST_SET": []}', "has no PROBE_SET"),
    ],
)
def test_a_partition_that_cannot_be_used_is_refused_by_name(tmp_path, text, words):
    (tmp_path / "Gait3D.json").write_text(text)
    with pytest.raises(GaitError, match=words):
        read_partition(tmp_path / "Gait3D.json", LAYOUTS["gait3d"])


def test_maps_and_silhouettes_become_channels_last(tmp_path):
    maps = np.random.default_rng(0).integers(0, 256, (3, 2, 8, 6), np.uint8)
    write_array_pickle(tmp_path / "maps.pkl", maps)
    write_array_pickle(tmp_path / "sils.pkl", maps[:, 0])
    assert np.array_equal(read_frames(tmp_path / "maps.pkl")[..., 1], maps[:, 1])
    assert np.array_equal(read_frames(tmp_path / "sils.pkl")[..., 0], maps[:, 0])


@pytest.mark.parametrize(
    "array", [np.zeros((3, 17, 3)), np.zeros((3, 3, 8, 8), np.uint8), np.zeros(3, np.uint8)]
)
def test_poses_and_pictures_are_no_frames(tmp_path, array):
    write_array_pickle(tmp_path / "x.pkl", array)
    with pytest.raises(GaitError, match=r"x.pkl: .* expected uint8 maps"):
        read_frames(tmp_path / "x.pkl")


def test_a_square_map_is_cut_to_a_narrow_silhouette():
    maps = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None], (5, 64, 64, 2))
    joined = join_frames(maps, frames(5, 64, 44, 1, value=200))
    assert joined.shape == (5, 64, 44, 3)
    assert joined[0, 0, :, 0].tolist() == list(range(10, 54))
    assert (joined[..., 2] == 200).all()


def test_both_sets_hold_limb_joint_and_silhouette_with_layout_and_probes(tree, partition, tmp_path):
    assert write_opengait_sets(tree, tmp_path / "sets", LAYOUTS["gait3d"], partition) == []
    names = ["tfimdb_gait3d_N002_test_joined_64x64", "tfimdb_gait3d_N003_train_joined_64x64"]
    assert sorted(os.listdir(tmp_path / "sets")) == names
    test, train = (open_dataset(tmp_path / "sets" / name) for name in names)
    assert train.channels == test.channels == ("limb", "joint", "silhouette")
    assert train.subjects.tolist() == ["0001", "0002", "0003"]
    assert test.types.tolist() == ["camid1_videoid1", "camid2_videoid1"] * 2
    assert test.info["layout"] == train.info["layout"] == "gait3d"
    assert test.info["probe_set"] == ["0004-camid1_videoid1-seq0"]
    assert "probe_set" not in train.info
    assert train.info["source"] == "Gait3D"
    pixels = train.read(int(np.flatnonzero(train.subject == "0002")[0]))
    assert pixels.shape == (6, 64, 64, 3)
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[2, 2, 20]]


@pytest.mark.parametrize(
    ("data_in_use", "modality", "pixel"),
    [([True, False], "heatmap", [1, 1]), ([False, True], "silhouette", [10]), ([1, 0], "joined", [1, 1, 10])],
)
def test_the_files_in_use_say_which_set_it_becomes(tree, partition, tmp_path, data_in_use, modality, pixel):
    write_opengait_sets(tree, tmp_path / "sets", LAYOUTS["gait3d"], partition, data_in_use)
    ds = open_dataset(tmp_path / "sets" / f"tfimdb_gait3d_N003_train_{modality}_64x64")
    assert ds.info["modality"] == modality
    assert ds.read(0)[0, 0, 0].tolist() == pixel


def test_of_many_files_the_aligned_silhouettes_are_taken_by_name(tmp_path):
    folder = tmp_path / "0000/00-nm/000"
    folder.mkdir(parents=True)
    for number, name in enumerate(
        ("03-000-Camera-Pose", "06-000-Camera-Sils_aligned", "14-sync-Camera-Sils_aligned")
    ):
        write_array_pickle(folder / f"{name}.pkl", frames(6, 64, 64, value=number))
    found, problems = load_sequence("silhouette", (64, 64, 1), LAYOUTS["sustech1k"], None, str(folder))
    assert problems == []
    assert (found == 1).all()


def test_one_stray_file_does_not_make_a_set_of_maps_a_joined_one(tree, partition, tmp_path):
    for path in sorted(tree.rglob("1_sil.pkl"))[1:]:
        path.unlink()
    problems = write_opengait_sets(tree, tmp_path / "sets", LAYOUTS["gait3d"], partition)
    assert [problem.what for problem in problems] == ["2 files in use"]
    assert len(open_dataset(tmp_path / "sets" / "tfimdb_gait3d_N003_train_heatmap_64x64")) == 5


def test_a_link_to_what_is_gone_costs_only_its_sequence(tree, partition, tmp_path):
    place = tree / "0001/camid1_videoid1/seq0/1_sil.pkl"
    place.unlink()
    place.symlink_to(tmp_path / "moved away.pkl")
    (problem,) = write_opengait_sets(tree, tmp_path / "sets", LAYOUTS["gait3d"], partition)
    assert problem == (str(place), "this file cannot be read (No such file or directory).", True)


def test_files_whose_names_tell_nothing_need_data_in_use(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "001/nm-01/000").mkdir(parents=True, exist_ok=True)
        write_array_pickle(tmp_path / f"001/nm-01/000/{name}.pkl", frames(6, 64, 64))
    with pytest.raises(GaitError, match=r"holds a.pkl, b.pkl: .* give --data_in_use"):
        write_opengait_sets(tmp_path, tmp_path / "sets", LAYOUTS["casia-b"])


def test_a_replaced_pickle_is_not_taken_for_the_old_one(tree, partition, tmp_path):
    def write():
        return write_opengait_sets(tree, tmp_path / "sets", LAYOUTS["gait3d"], partition)

    write()
    assert write() == []  # complete already
    place = tree / "0001/camid1_videoid1/seq0/1_sil.pkl"
    with open(place, "r+b") as file:  # the folder's own time of change stays
        file.seek(-3, os.SEEK_END)
        file.write(b"x")
    os.utime(place, (1, 1))
    with pytest.raises(GaitError, match="made from other sources"):
        write()


def test_shards_on_several_machines_make_the_same_set(tree, partition, tmp_path):
    write_opengait_sets(tree, tmp_path / "one", LAYOUTS["gait3d"], partition)
    for part in range(2):
        write_opengait_sets(tree, tmp_path / "two", LAYOUTS["gait3d"], partition, shard=(part, 2))
    for name in os.listdir(tmp_path / "one"):
        one, two = (open_dataset(tmp_path / which / name) for which in ("one", "two"))
        assert one.fingerprint == two.fingerprint
