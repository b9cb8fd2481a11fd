"""Heat-maps and silhouettes side by side: links, what is cut, what is left out, what is refused."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from checks import Attack, failed, refused

from keras_gait.data.opengait.pickles import note_frames, read_array_pickle, write_array_pickle
from keras_gait.data.provenance import SIMULATED, note_source, read_source

COMMAND = "preprocessing/ln_sil_heatmap.py"
NAME = "ln_sil_heatmap.py"
FIRST, SECOND = "001/nm-01/000", "001/nm-01/090"


def numbered(*shape):
    """Frames whose pixels are all their number."""
    return np.broadcast_to(np.arange(shape[0], dtype=np.uint8).reshape(-1, *[1] * (len(shape) - 1)), shape)


def write_heatmap(root, relative, frames=6):
    write_array_pickle(Path(root, relative, "000.pkl"), numbered(frames, 2, 8, 8))


def write_silhouettes(root, relative, frames=6, name="sil.pkl"):
    write_array_pickle(Path(root, relative, name), numbered(frames, 8, 8))


@pytest.fixture
def trees(tmp_path):
    for relative in (FIRST, SECOND):
        write_heatmap(tmp_path / "heat maps", relative)  # a space, which a shell would trip over
        write_silhouettes(tmp_path / "sils", relative)
    return tmp_path


@pytest.fixture
def join(trees, command):
    def call(*more):
        flags = ("--heatmap_data_path", trees / "heat maps", "--silhouette_data_path", trees / "sils")
        return command(COMMAND, *flags, "--output_path", trees / "joined", *more)

    return call


def numbers(path):
    return read_array_pickle(path).reshape(len(read_array_pickle(path)), -1)[:, 0].tolist()


def test_both_are_linked_under_names_that_keep_their_order(join, trees):
    result = join()
    assert result.code == 0
    assert "2 of 2 sequences have both" in result.out
    folder = trees / "joined" / SECOND
    assert sorted(path.name for path in folder.iterdir()) == ["0_heatmap.pkl", "1_sil.pkl"]
    assert os.readlink(folder / "0_heatmap.pkl") == str(trees / "heat maps" / SECOND / "000.pkl")
    assert os.readlink(folder / "1_sil.pkl") == str(trees / "sils" / SECOND / "sil.pkl")


def test_relative_paths_give_links_that_hold(join, trees, monkeypatch):
    monkeypatch.chdir(trees)
    flags = ("--heatmap_data_path", "heat maps", "--silhouette_data_path", "sils", "--output_path", "joined")
    assert join(*flags).code == 0
    assert numbers(trees / "joined" / FIRST / "1_sil.pkl") == list(range(6))


def test_the_folder_above_pkl_is_understood(join, trees):
    (trees / "Gait3D_sigma_8.0_" / "images" / "001" / "x" / "y" / "z").mkdir(parents=True)
    (trees / "heat maps").rename(trees / "Gait3D_sigma_8.0_" / "pkl")
    assert join("--heatmap_data_path", trees / "Gait3D_sigma_8.0_").code == 0


def test_a_second_run_changes_only_links_that_point_elsewhere(join, trees):
    join()
    kept, turned = (trees / "joined" / relative / "1_sil.pkl" for relative in (FIRST, SECOND))
    before = kept.lstat().st_mtime_ns
    turned.unlink()
    turned.symlink_to(trees / "gone.pkl")
    assert join().code == 0
    assert os.readlink(turned) == str(trees / "sils" / SECOND / "sil.pkl")
    assert kept.lstat().st_mtime_ns == before


def test_the_ending_chooses_among_several_files_and_the_first_is_taken(join, trees):
    for relative in (FIRST, SECOND):
        for name in ("06-Camera-Sils_aligned.pkl", "14-sync-Camera-Sils_aligned.pkl"):
            write_silhouettes(trees / "sils", relative, name=name)
        write_array_pickle(trees / "sils" / relative / "00-LiDAR.pkl", numbered(6, 100, 8, 8))
    assert join("--dataset_pkl_ext_name", "Camera-Sils_aligned.pkl").code == 0
    assert os.readlink(trees / "joined" / FIRST / "1_sil.pkl").endswith("/06-Camera-Sils_aligned.pkl")
    result = join()
    assert "00-LiDAR.pkl: expected [T, H, W], found [6, 100, 8, 8]" in result.out
    assert result.code == 2


def test_sequences_that_one_tree_lacks_are_listed_and_the_rest_is_done(join, trees):
    write_heatmap(trees / "heat maps", "002/nm-01/000")
    write_silhouettes(trees / "sils", "003/nm-01/000")
    result = join()
    assert "2 file(s) damaged or missing, such as 002/nm-01/000" in failed(result, NAME)
    assert "002/nm-01/000: heat-map without a silhouette (*.pkl)" in result.out
    assert "003/nm-01/000: silhouette without a heat-map (*.pkl)" in result.out
    assert "2 of 4 sequences have both" in result.out
    assert not (trees / "joined" / "002").exists()


def test_a_folder_that_is_empty_in_both_trees_is_listed_once(join, trees):
    (trees / "heat maps" / "002" / "nm-01" / "000").mkdir(parents=True)
    result = join()
    assert result.code == 2
    listed = [line.strip() for line in result.out.splitlines() if "002/nm-01/000" in line]
    assert listed == ["002/nm-01/000: no heat-map (*.pkl) and no silhouette (*.pkl)"]


def test_pairs_of_different_length_are_listed_and_their_old_links_taken_away(join, trees):
    join()
    write_silhouettes(trees / "sils", SECOND, frames=5)
    result = join()
    assert result.code == 2
    assert f"{SECOND} (6 heat-maps and 5 silhouettes): different numbers of frames" in result.out
    assert list((trees / "joined" / SECOND).iterdir()) == []
    assert numbers(trees / "joined" / FIRST / "0_heatmap.pkl") == list(range(6))


def test_heat_maps_are_cut_to_the_frames_that_the_note_tells_of(join, trees):
    write_silhouettes(trees / "sils", SECOND, frames=3)
    note_frames(trees / "sils", SECOND, [0, 2, 5], 6)
    result = join()
    assert result.code == 0
    assert "1  heat-maps cut to the frames that have a silhouette, by the note" in result.out
    folder = trees / "joined" / SECOND
    assert numbers(folder / "0_heatmap.pkl") == [0, 2, 5]
    assert not (folder / "0_heatmap.pkl").is_symlink()
    assert (folder / "1_sil.pkl").is_symlink()
    assert numbers(trees / "heat maps" / SECOND / "000.pkl") == list(range(6))


def test_both_are_cut_where_each_lacks_another_frame_though_the_lengths_agree(join, trees):
    write_heatmap(trees / "heat maps", SECOND, frames=5)
    note_frames(trees / "heat maps", SECOND, [0, 1, 2, 3, 4], 6)
    write_silhouettes(trees / "sils", SECOND, frames=5)
    note_frames(trees / "sils", SECOND, [0, 2, 3, 4, 5], 6)
    assert join().code == 0
    folder = trees / "joined" / SECOND
    assert numbers(folder / "0_heatmap.pkl") == [0, 2, 3, 4]
    assert numbers(folder / "1_sil.pkl") == [0, 1, 2, 3]  # counted among the silhouettes that were kept


def test_a_second_run_leaves_cut_heat_maps_as_they_are_unless_others_are_due(join, trees):
    write_silhouettes(trees / "sils", SECOND, frames=3)
    note_frames(trees / "sils", SECOND, [0, 2, 5], 6)
    join()
    cut = trees / "joined" / SECOND / "0_heatmap.pkl"
    os.utime(cut, (1, 1))  # a data set made of these goes by their times
    join()
    assert cut.stat().st_mtime == 1
    note_frames(trees / "sils", SECOND, [0, 3, 5], 6)
    join()
    assert numbers(cut) == [0, 3, 5]


def test_the_origin_of_either_tree_is_kept(join, trees):
    note_source(trees / "heat maps", SIMULATED)
    join()
    assert read_source(trees / "joined") == SIMULATED


def test_a_cut_heat_map_becomes_a_link_again_when_the_silhouettes_are_whole(join, trees):
    write_silhouettes(trees / "sils", SECOND, frames=3)
    note_frames(trees / "sils", SECOND, [0, 2, 5], 6)
    join()
    write_silhouettes(trees / "sils", SECOND)
    note_frames(trees / "sils", SECOND, range(6), 6)
    join()
    assert (trees / "joined" / SECOND / "0_heatmap.pkl").is_symlink()


def test_a_note_of_other_silhouettes_is_told(join, trees):
    note_frames(trees / "sils", SECOND, [0, 2, 5], 9)
    result = join()
    assert result.code == 2
    assert f"tells of 3 frames, {SECOND} has 6: make it anew" in result.out


def test_a_hostile_pickle_ends_the_run_by_name_and_nothing_runs(join, trees):
    evil = trees / "sils" / SECOND / "sil.pkl"
    evil.write_bytes(pickle.dumps(Attack(trees / "broken_in")))
    assert f"{evil}: this pickle asks for posix.system, which is refused" in failed(join(), NAME)
    assert not (trees / "broken_in").exists()


def test_a_truncated_pickle_costs_only_its_sequence(join, trees):
    path = trees / "sils" / SECOND / "sil.pkl"
    path.write_bytes(path.read_bytes()[:40])
    result = join()
    assert result.code == 2
    assert "sil.pkl: this pickle is damaged" in result.out
    assert (trees / "joined" / FIRST / "1_sil.pkl").exists()


def test_two_machines_and_several_processes_share_the_sequences(join, trees):
    join("--shard", "1/2")
    assert not (trees / "joined" / FIRST).exists()
    join("--shard", "0/2")
    assert (trees / "joined" / FIRST).is_dir()
    assert join("--worker_num", 2).code == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--output_path", ""), "--output_path is needed"),
        (("--heatmap_data_path", "nowhere"), "--heatmap_data_path nowhere does not exist"),
        (("--silhouette_data_path", ""), "--silhouette_data_path is needed"),
    ],
)
def test_wrong_flags_are_one_line(join, flags, message):
    assert message in refused(join(*flags), NAME)


def test_links_into_the_data_itself_are_refused(join, trees):
    for output in (trees / "sils", trees / "heat maps" / "joined"):
        assert "links there would take the data's place" in refused(join("--output_path", output), NAME)
    assert not (trees / "sils" / FIRST / "1_sil.pkl").exists()
