"""``convert_opengait_dataset.py``: what it makes of a good tree, and its one line about a bad one."""

import json
import os
import pickle

import numpy as np
import pytest
from checks import Attack, refused

from keras_gait.data.opengait.pickles import write_array_pickle
from keras_gait.data.opening import open_dataset
from keras_gait.data.provenance import note_source

COMMAND = "preprocessing/convert_opengait_dataset.py"
TRAIN, TEST = (f"tfimdb_ccpg_N002_{role}_joined_64x64" for role in ("train", "test"))
IDS = ("000", "001", "100", "101")


@pytest.fixture
def tree(tmp_path):
    """A joined tree of CCPG's layout: four ids, two sequences each, six frames."""
    for subject in IDS:
        for kind in ("U0_D0", "U1_D1"):
            folder = tmp_path / "joined" / subject / kind / "090_1"
            folder.mkdir(parents=True)
            write_array_pickle(folder / "0_heatmap.pkl", np.zeros((6, 2, 64, 64), np.uint8))
            write_array_pickle(folder / "1_sil.pkl", np.full((6, 64, 64), 255, np.uint8))
    return tmp_path / "joined"


@pytest.fixture
def convert(command, tree, tmp_path):
    """``convert(partition)`` runs the command on the tree; ``partition``: a dict, or a file."""

    def run(partition=None, *flags, root=tree):
        if partition is None:
            partition = {"TRAIN_SET": ["000", "001"], "TEST_SET": ["100", "101"]}
        path = tmp_path / "CCPG.json"
        if isinstance(partition, dict):
            path.write_text(json.dumps(partition))
        else:
            path = partition
        paths = ("--input_path", root, "--dataset_partition", path, "--output_path", tmp_path / "sets")
        return command(COMMAND, *paths, *flags)

    return run


def labels(path):
    ds = open_dataset(path)
    return [f"{subject}/{kind}" for subject, kind in zip(ds.subject, ds.types, strict=True)]


def test_a_tree_becomes_a_training_and_a_test_set(convert, tmp_path):
    result = convert()
    assert result.code == 0
    assert "2 subject(s) have sequences, the partition names 2, the published one 100" in result.out
    assert labels(tmp_path / "sets" / TRAIN) == ["000/U0_D0", "000/U1_D1", "001/U0_D0", "001/U1_D1"]
    assert labels(tmp_path / "sets" / TEST) == ["100/U0_D0", "100/U1_D1", "101/U0_D0", "101/U1_D1"]


@pytest.mark.parametrize(
    ("flags", "shape"),
    [
        (("--encoding", "png", "--worker_num", 2), (6, 64, 64, 3)),
        (("--data_in_use", "true,false"), (6, 64, 64, 2)),
        (("--data_in_use", "[False, True]"), (6, 64, 64, 1)),
    ],
)
def test_the_flags_reach_the_sets(convert, tmp_path, flags, shape):
    assert convert(None, *flags).code == 0
    (name,) = (name for name in os.listdir(tmp_path / "sets") if "_test_" in name)
    assert open_dataset(tmp_path / "sets" / name).read(0).shape == shape


def test_where_the_frames_come_from_is_kept(convert, tree, tmp_path):
    note_source(tree, "simulated walkers")
    convert()
    assert open_dataset(tmp_path / "sets" / TEST).info["source"] == "simulated walkers"


def test_casia_b_needs_no_partition(command, tree, tmp_path):
    for place, subject in enumerate(IDS):
        (tree / subject).rename(tree / f"{73 + place:03d}")
    flags = ("--input_path", tree, "--output_path", tmp_path / "sets", "--dataset_name", "casiab")
    assert command(COMMAND, *flags).code == 0
    assert set(open_dataset(tmp_path / "sets/tfimdb_casiab_N002_test_joined_64x64").subject) == {"075", "076"}


def test_ids_that_are_no_folders_are_left_out(convert, tmp_path):
    result = convert({"TRAIN_SET": ["000", "007"], "TEST_SET": ["009"]})
    assert result.code == 0
    assert "train: 1 subject(s) have sequences, the partition names 2" in result.out
    assert "test: 0 subject(s) have sequences, the partition names 1" in result.out
    assert os.listdir(tmp_path / "sets") == [TRAIN.replace("N002", "N001")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON {", "is no JSON"),
        ('{"TRAIN_SET": ["000"]}', "has no TEST_SET: CCPG needs TRAIN_SET, TEST_SET"),
        (
            '{"TRAIN_SET": ["7"], "TEST_SET": ["8"]}',
            "holds no sequences of the partition: .* ids such as 7, 8",
        ),
    ],
)
def test_a_useless_partition_is_one_line(convert, tmp_path, text, words):
    (tmp_path / "mine-ccpg.json").write_text(text)
    line = refused(convert(tmp_path / "mine-ccpg.json"), "convert_opengait_dataset.py")
    assert words.split(".*")[0] in line
    assert words.split(".*")[-1] in line
    assert not (tmp_path / "sets").exists()


def test_missing_inputs_are_one_line(convert, tmp_path):
    name = "convert_opengait_dataset.py"
    line = refused(convert(root=tmp_path / "nothing"), name)
    assert line.startswith(f"--input_path {tmp_path / 'nothing'} does not exist")
    line = refused(convert(tmp_path / "none-ccpg.json"), name)
    assert "--dataset_partition" in line
    assert "does not exist" in line


def test_gait3d_without_its_probes_is_one_line(convert):
    line = refused(convert(None, "--dataset_name", "Gait3D"), "convert_opengait_dataset.py")
    assert "has no PROBE_SET: Gait3D needs TRAIN_SET, TEST_SET, PROBE_SET" in line


def test_probes_that_are_no_sequences_are_one_line(convert):
    partition = {"TRAIN_SET": ["000"], "TEST_SET": ["100"], "PROBE_SET": ["100-U9_D9-090_1"]}
    line = refused(convert(partition, "--dataset_name", "Gait3D"), "convert_opengait_dataset.py")
    assert "none of its PROBE_SET, such as 100-U9_D9-090_1, is a test sequence" in line


def test_a_folder_of_another_level_is_one_line_that_names_the_right_one(convert, tree):
    line = refused(convert(root=tree.parent), "convert_opengait_dataset.py")
    assert f"Name the folder {tree} itself" in line
    line = refused(convert(root=tree / "000"), "convert_opengait_dataset.py")
    assert "expected <id>/<type>/<view>/<name>.pkl with ids such as 000, 001, 100, found U0_D0, U1_D1" in line
    for subject in IDS:
        (tree.parent / "images" / subject / "U0_D0" / "090_1").mkdir(parents=True)
    line = refused(convert(root=tree.parent / "images"), "convert_opengait_dataset.py")
    assert "the ids are there, but no .pkl files in folders at that level" in line
    assert f"Name the folder {tree} itself" in refused(
        convert(root=tree.parent), "convert_opengait_dataset.py"
    )
    (tree / "000/U0_D0/090_1/deeper").mkdir()
    line = refused(convert(), "convert_opengait_dataset.py")
    assert "U0_D0/090_1/deeper is a folder where .pkl files are expected" in line


def test_a_wrong_data_in_use_is_one_line(convert):
    line = refused(convert(None, "--data_in_use", "yes,no"), "convert_opengait_dataset.py")
    assert "expected one true or false for each file. Received: 'yes,no'" in line


def cut_short(folder):
    write_array_pickle(folder / "1_sil.pkl", np.zeros((5, 64, 64), np.uint8))
    return "090_1 (6 maps, 5 silhouettes): maps and silhouettes differ in number"


def take_silhouette(folder):
    (folder / "1_sil.pkl").unlink()
    return "090_1: heatmap without silhouette"


def take_map(folder):
    (folder / "0_heatmap.pkl").unlink()
    return "090_1: silhouette without heatmap"


def shrink(folder):
    write_array_pickle(folder / "1_sil.pkl", np.zeros((6, 32, 32), np.uint8))
    return "090_1 (64x64, 32x32): maps and silhouettes differ in size"


def shrink_both(folder):
    write_array_pickle(folder / "0_heatmap.pkl", np.zeros((6, 2, 32, 32), np.uint8))
    return f"{shrink(folder).split()[0]} (32x32): frames of another size than 64x64"


def empty(folder):
    (folder / "0_heatmap.pkl").write_bytes(b"")
    return "0_heatmap.pkl: this pickle is damaged"


def no_frames(folder):
    write_array_pickle(folder / "0_heatmap.pkl", np.zeros((0, 2, 64, 64), np.uint8))
    return "0_heatmap.pkl: this array has no frames"


def poses(folder):
    write_array_pickle(folder / "0_heatmap.pkl", np.zeros((6, 17, 3)))
    return "0_heatmap.pkl: float64 array of 3 dimensions, expected uint8 maps"


def add_third(folder):
    write_array_pickle(folder / "2_sil.pkl", np.zeros((6, 64, 64), np.uint8))
    return "090_1: 3 files in use"


SPOILS = [add_third, cut_short, take_silhouette, take_map, shrink, shrink_both, empty, no_frames, poses]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("place", ["000/U0_D0", "100/U1_D1"])
def test_one_bad_sequence_is_named_and_the_good_rest_is_made(convert, tree, tmp_path, spoil, place):
    words = spoil(tree / place / "090_1")
    result = convert()
    assert result.code == 2
    assert words in result.out
    assert result.err.strip().split("\n")[-1].startswith("convert_opengait_dataset.py: 1 file(s) damaged")
    assert place in result.err
    made = labels(tmp_path / "sets" / TRAIN) + labels(tmp_path / "sets" / TEST)
    assert len(made) == 7
    assert place not in made


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hostile_pickle_runs_nothing_and_ends_the_command_by_name(
    convert, tree, tmp_path, monkeypatch, workers
):
    monkeypatch.setattr("keras_gait.data.opengait.sets._LOOKED_AT", 1)  # so that the writer meets it first
    (tree / "101/U1_D1/090_1/1_sil.pkl").write_bytes(pickle.dumps(Attack(tmp_path / "attacked")))
    result = convert(None, "--worker_num", workers)
    assert result.code == 2
    last = result.err.strip().split("\n")[-1]
    assert "101/U1_D1/090_1/1_sil.pkl: this pickle asks for posix.system, which is refused" in last
    assert "Traceback" not in result.err
    assert not (tmp_path / "attacked").exists()
    assert (tmp_path / "sets" / TRAIN / "dataset.json").is_file()


@pytest.mark.parametrize("layout", ["gait3d", "oumvlp"])
def test_simulated_walkers_go_the_whole_way_to_maps_and_silhouettes_in_one_set(command, tmp_path, layout):
    def run(script, *flags):
        result = command(f"preprocessing/{script}.py", *flags)
        assert result.code == 0, result.err

    walks = ("--subjects", 2, "--sequences", "nm-01", "nm-02", "--views", "090", "--frames", 6, "--size", 64)
    run("simulate_walkers", "--output_path", tmp_path / "raw", "--layout", layout, *walks)
    raw = tmp_path / "raw" / "silhouettes"
    log = ("--log_file", tmp_path / "log", "--n_workers", 1)
    run("pretreatment_silhouettes", "-i", raw, "-o", tmp_path / "sils", "-d", layout, *log)
    poses = ("--pose_data_path", tmp_path / "raw" / "poses", "--dataset_name", layout)
    run("pretreatment_heatmap", *poses, "--save_root", tmp_path / "maps")
    maps = ("--heatmap_data_path", tmp_path / "maps" / f"{layout}_sigma_8.0_" / "pkl")
    silhouettes = ("--silhouette_data_path", tmp_path / "sils")
    run("ln_sil_heatmap", *maps, *silhouettes, "--output_path", tmp_path / "joined")
    (partition,) = (path for path in (tmp_path / "raw").glob("*.json") if path.name != "simulate.json")
    flags = ("--dataset_partition", partition, "--output_path", tmp_path / "sets")
    run("convert_opengait_dataset", "--input_path", tmp_path / "joined", *flags)
    for role in ("train", "test"):
        ds = open_dataset(tmp_path / "sets" / f"tfimdb_{layout}_N001_{role}_joined_64x64")
        assert (len(ds), ds.info["layout"], ds.info["source"]) == (2, layout, "simulated walkers")
        frames = ds.read(0)
        assert frames.shape == (6, 64, 64, 3)
        lit = frames.astype(float).mean(axis=(0, 1)) > 10  # (columns, channels)
        assert (lit.sum(axis=0) > 8).all()
        assert lit[24:40].any(axis=0).all()
