"""Poses to skeleton maps: the published ones come out, from every kind of file; bad poses are told."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from checks import Attack, failed, refused
from fixtures import reader

from keras_gait.data.opengait.pickles import (
    noted_frames,
    read_array_pickle,
    sequence_folders,
    write_array_pickle,
)
from keras_gait.data.opening import open_dataset

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "skeletongait"
COMMAND = "preprocessing/pretreatment_heatmap.py"
NAME = "pretreatment_heatmap.py"
SETTINGS = """
coco18tococo17_args:
  transfer_to_coco17: False
padkeypoints_args:
  pad_method: knn
  use_conf: True
norm_args:
  pose_format: coco
  use_conf: ${padkeypoints_args.use_conf}
  heatmap_image_height: 128
heatmap_generator_args:
  sigma: 2.0
  use_score: ${padkeypoints_args.use_conf}
  img_h: ${norm_args.heatmap_image_height}
  img_w: ${norm_args.heatmap_image_height}
  with_limb: null
  with_kp: null
align_args:
  align: True
  final_img_size: 64
  offset: 0
  heatmap_image_size: ${norm_args.heatmap_image_height}
"""


def fixture(name):
    """Poses and the published maps ``[T, 2, 64, 64]`` of a fixture."""
    _, given, expected = reader.load(FIXTURES / f"heatmap_{name}.npz")
    return given["pose"], expected["final"]


POSE, MAPS = fixture("coco17")


def assert_published(path, maps):
    found = read_array_pickle(path)
    assert found.dtype == np.uint8
    assert found.shape == maps.shape
    assert np.abs(found.astype(int) - maps).max() <= 1


@pytest.fixture
def poses(tmp_path):
    """A tree of two sequences."""
    for view in ("seq0", "seq1"):
        write_array_pickle(tmp_path / "poses/0002/camid9_videoid2" / view / f"{view}.pkl", POSE)
    return tmp_path / "poses"


@pytest.fixture
def draw(command, tmp_path):
    def call(*more, name="Gait3D"):
        flags = ("--pose_data_path", tmp_path / "poses", "--save_root", tmp_path / "maps")
        return command(COMMAND, *flags, "--dataset_name", name, *more)

    return call


def test_the_published_maps_come_out_under_the_published_names(draw, poses, tmp_path):
    assert draw().code == 0
    tree = tmp_path / "maps/Gait3D_sigma_8.0_/pkl"
    assert sequence_folders(tree) == ["0002/camid9_videoid2/seq0", "0002/camid9_videoid2/seq1"]
    folder = tree / "0002/camid9_videoid2/seq0"
    assert [path.name for path in folder.iterdir()] == ["seq0.pkl"]
    assert_published(folder / "seq0.pkl", MAPS)


def test_limbs_and_joints_are_also_written_as_images(draw, poses, tmp_path):
    draw()
    folder = tmp_path / "maps/Gait3D_sigma_8.0_/images/0002/camid9_videoid2/seq0"
    for channel, name in enumerate(("bone", "pose")):
        assert len(list(folder.glob(f"{name}_*.jpg"))) == len(MAPS)
        image = cv2.imread(str(folder / f"{name}_1.jpg"), cv2.IMREAD_GRAYSCALE)
        assert np.abs(image.astype(int) - MAPS[1, channel]).mean() < 3


def test_only_ten_sequences_are_written_as_images_whatever_the_shards(draw, tmp_path):
    for number in range(12):
        write_array_pickle(tmp_path / f"poses/0002/a/{number:02d}/a.pkl", POSE[:1])
    for shard in ("0/2", "1/2"):
        draw("--shard", shard)
    tree = tmp_path / "maps/Gait3D_sigma_8.0_"
    assert len(sequence_folders(tree / "pkl")) == 12
    assert sequence_folders(tree / "images") == [f"0002/a/{number:02d}" for number in range(10)]


def test_the_name_is_known_in_any_case_and_kept_as_typed(draw, poses, tmp_path):
    assert draw("--ext_name", "mine", name="GAIT3D").code == 0
    assert (tmp_path / "maps/GAIT3D_sigma_8.0_mine/pkl/0002").is_dir()
    message = refused(draw(name="Gait4D"), NAME)
    assert message.startswith("--dataset_name Gait4D is not known: use one of casiae, casiab")


@pytest.mark.parametrize("flag", ["--heatmap_cfg_path", "--heatemap_cfg_path"])
def test_settings_come_from_a_file_by_both_spellings_of_its_flag(draw, poses, tmp_path, flag):
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    assert draw(flag, tmp_path / "settings.yaml").code == 0
    published = read_array_pickle(tmp_path / "maps/Gait3D_sigma_2.0_/pkl/0002/camid9_videoid2/seq0/seq0.pkl")
    assert published.shape == MAPS.shape
    assert published.mean() < MAPS.mean()


def test_maps_of_other_settings_are_not_mixed_in(draw, poses, tmp_path):
    draw()
    (tmp_path / "settings.yaml").write_text(
        SETTINGS.replace("sigma: 2.0", "sigma: 8.0").replace("knn", "simple")
    )
    message = refused(draw("--heatmap_cfg_path", tmp_path / "settings.yaml"), NAME)
    assert "or another --ext_name" in message


def test_of_sustech1k_only_the_poses_are_read(draw, tmp_path):
    folder = tmp_path / "poses/0000/00-nm/090"
    write_array_pickle(folder / "03-090-Camera-Pose.pkl", POSE)
    (folder / "00-090-LiDAR-PCDs.pkl").write_bytes(b"not read")
    assert draw(name="SUSTech1K").code == 0
    tree = tmp_path / "maps/SUSTech1K_sigma_8.0_/pkl/0000/00-nm/090"
    assert_published(tree / "03-090-Camera-Pose.pkl", MAPS)


def test_grew_rows_and_joints_give_the_same_maps(draw, tmp_path):
    rows = np.concatenate([np.ones((len(POSE), 2)), POSE.reshape(len(POSE), -1)], axis=1)
    for view, array in (("rows", rows), ("joints", POSE)):
        write_array_pickle(tmp_path / "poses/00001train/00" / view / f"{view}.pkl", array)
    assert draw(name="grew").code == 0
    for view in ("rows", "joints"):
        assert_published(tmp_path / f"maps/grew_sigma_8.0_/pkl/00001train/00/{view}/{view}.pkl", MAPS)


@pytest.mark.parametrize("place", ["poses/0002/camid9_videoid2/seq0", "poses/train/00001/seq0"])
def test_text_files_are_read_rearranged_or_as_delivered(draw, tmp_path, place):
    folder = tmp_path / place
    folder.mkdir(parents=True)
    for number, pose in enumerate(POSE):
        line = ",".join(map(str, [7.0, 1.0, *pose.ravel().tolist()]))
        (folder / f"{number:05d}_2d_pose.txt").write_text(line)
    assert draw().code == 0
    (relative,) = sequence_folders(tmp_path / "maps/Gait3D_sigma_8.0_/pkl")
    assert relative == ("00001train/00/seq0" if "train" in place else "0002/camid9_videoid2/seq0")
    assert_published(tmp_path / "maps/Gait3D_sigma_8.0_/pkl" / relative / "seq0.pkl", MAPS)


@pytest.mark.parametrize("place", ["poses/00001/00/090", "poses/00001/090_00"])
def test_json_files_are_read_rearranged_or_as_delivered(draw, tmp_path, place):
    pose, maps = fixture("coco18")
    folder = tmp_path / place
    folder.mkdir(parents=True)
    frames = [pose[0], None, *pose[1:]]
    for number, joints in enumerate(frames, 1):
        people = [] if joints is None else [{"pose_keypoints_2d": joints.ravel().tolist()}]
        (folder / f"{number:04d}.json").write_text(json.dumps({"people": people}))
    result = draw(name="OU-MVLP")
    assert result.code == 0
    assert "1  frame without people: dropped" in result.out
    tree = tmp_path / "maps/OU-MVLP_sigma_8.0_/pkl"
    assert_published(tree / "00001/00/090/090.pkl", maps)
    kept, count = noted_frames(tree, "00001/00/090", len(maps))
    assert count == len(frames)
    assert kept.tolist() == [0, *range(2, len(frames))]


def two_people(pose, folder):
    folder.mkdir(parents=True)
    for number, joints in enumerate(pose, 1):
        people = [{"pose_keypoints_2d": person.ravel().tolist()} for person in (joints + 900, joints)]
        (folder / f"{number:04d}.json").write_text(json.dumps({"people": people}))


def test_an_index_says_whom_to_take(draw, tmp_path):
    pose, maps = fixture("coco18")
    two_people(pose, tmp_path / "poses/00001/00/090")
    index = tmp_path / "index/00001/00/090/pose_selection_idx.pkl"
    index.parent.mkdir(parents=True)
    index.write_bytes(pickle.dumps({f"{number:04d}": 1 for number in range(1, len(pose) + 1)}))
    assert draw("--oumvlp_index_dir", tmp_path / "index", name="oumvlp").code == 0
    assert_published(tmp_path / "maps/oumvlp_sigma_8.0_/pkl/00001/00/090/090.pkl", maps)


def test_silhouettes_say_whom_to_take(draw, tmp_path):
    pose, maps = fixture("coco18")
    two_people(pose, tmp_path / "poses/00001/00/090")
    folder = tmp_path / "silhouettes/Silhouette_090-00/00001"
    folder.mkdir(parents=True)
    width, height = np.ceil(pose[..., :2].max(axis=(0, 1))).astype(int) + 1
    for number in range(1, len(pose) + 1):
        cv2.imwrite(str(folder / f"{number:04d}.png"), np.full((height, width), 255, np.uint8))
    assert draw("--silhouette_data_path", tmp_path / "silhouettes", name="oumvlp").code == 0
    assert_published(tmp_path / "maps/oumvlp_sigma_8.0_/pkl/00001/00/090/090.pkl", maps)


def test_maps_of_other_people_are_not_gone_on_with(draw, tmp_path):
    pose, _ = fixture("coco18")
    two_people(pose, tmp_path / "poses/00001/00/090")
    (tmp_path / "index").mkdir()
    assert draw(name="oumvlp").code == 0
    message = refused(draw("--oumvlp_index_dir", tmp_path / "index", name="oumvlp"), NAME)
    assert "or another --ext_name" in message


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda pose: pose * 0, "no joint is valid in any of the 4 frames"),
        (lambda pose: np.where(pose == pose[0, 5, 1], np.nan, pose), "NaN or infinite at frame 0, joint 5"),
        (lambda pose: pose[:, :16], "the pose has 16 joints, the settings expect 17"),
        (lambda pose: np.pad(pose, ((0, 0), (0, 1), (0, 0))), "set transfer_to_coco17: True"),
        (lambda pose: pose[:0], "has no frames"),
        (lambda pose: pose[0], r"expected poses (frames, joints, 3) or (frames, 53), found (17, 3)"),
        (lambda pose: pose.astype(str), "expected a pickled array of numbers"),
    ],
)
def test_bad_poses_cost_only_their_sequence_and_end_with_2(draw, poses, tmp_path, spoil, message):
    path = poses / "0002/camid9_videoid2/seq1/seq1.pkl"
    path.write_bytes(pickle.dumps(spoil(POSE)))
    result = draw()
    assert "1 file(s) damaged or missing, such as 0002/camid9_videoid2/seq1" in failed(result, NAME)
    assert message in result.out
    tree = tmp_path / "maps/Gait3D_sigma_8.0_/pkl"
    assert sequence_folders(tree) == ["0002/camid9_videoid2/seq0"]


def test_a_truncated_pickle_is_made_when_it_is_whole_again(draw, poses, tmp_path):
    path = poses / "0002/camid9_videoid2/seq1/seq1.pkl"
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    result = draw()
    assert result.code == 2
    assert "this pickle is damaged" in result.out
    path.write_bytes(whole)
    again = draw()
    assert again.code == 0
    assert "1 sequences are there already, 1 to go" in again.out


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hostile_pickle_ends_the_run_by_name_and_nothing_runs(draw, poses, tmp_path, workers):
    evil = poses / "0002/camid9_videoid2/seq1/seq1.pkl"
    evil.write_bytes(pickle.dumps(Attack(tmp_path / "broken_in")))
    message = failed(draw("--worker_num", workers), NAME)
    assert message.startswith(f"{evil}: this pickle asks for posix.system, which is refused and was not run")
    assert not (tmp_path / "broken_in").exists()


def test_an_empty_folder_costs_only_itself(draw, poses):
    (poses / "0002/camid9_videoid2/seq2").mkdir()
    result = draw()
    assert result.code == 2
    assert "seq2: expected one kind of pose files (*.pkl, .txt or .json), found none" in result.out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--pose_data_path", "nowhere"), "--pose_data_path nowhere does not exist"),
        (("--pose_data_path", ""), "--pose_data_path is needed"),
        (("--save_root", ""), "--save_root is needed"),
        (("--heatmap_cfg_path", "nowhere.yaml"), "nowhere.yaml"),
        (("--oumvlp_index_dir", "nowhere"), "--oumvlp_index_dir nowhere does not exist"),
        (("--format", "tfrecord", "--shard", "0/2"), "--format tfrecord needs all maps"),
        (("--format", "tfrecord"), "--dataset_partition is needed: the partition of Gait3D is no rule"),
        (("--format", "tfrecord", "--dataset_partition", "no.json"), "--dataset_partition no.json does not"),
        (("--dataset_partition", "Gait3D.json"), "--dataset_partition goes with --format tfrecord"),
    ],
)
def test_wrong_flags_are_one_line_and_write_nothing(draw, poses, tmp_path, flags, message):
    assert message in refused(draw(*flags), NAME)
    assert not (tmp_path / "maps").exists()


def test_a_tree_of_another_depth_is_one_line(draw, poses, tmp_path):
    assert "seems a level too low" in refused(draw("--pose_data_path", poses / "0002"), NAME)
    poses.rename(tmp_path / "above")
    poses.mkdir()
    (tmp_path / "above").rename(poses / "inner")
    assert f"is a level too high for <id>/<type>/<view>/, name a folder in it, such as {poses / 'inner'}" in (
        refused(draw(), NAME)
    )


def test_a_data_set_is_made_of_the_maps(draw, poses, tmp_path):
    partition = {"TRAIN_SET": ["0002"], "TEST_SET": [], "PROBE_SET": []}
    (tmp_path / "Gait3D.json").write_text(json.dumps(partition))
    result = draw("--format", "tfrecord", "--dataset_partition", tmp_path / "Gait3D.json")
    assert result.code == 0, result.err
    ds = open_dataset(tmp_path / "maps/tfimdb_gait3d_N001_train_heatmap_64x64")
    assert ds.channels == ("limb", "joint")
    np.testing.assert_allclose(ds.read(0).astype(int), MAPS.transpose(0, 2, 3, 1), atol=1)
