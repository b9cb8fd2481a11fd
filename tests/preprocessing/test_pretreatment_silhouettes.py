"""Raw silhouettes to OpenGait's pickles: what comes out, what is dropped and noted, what is refused."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from checks import failed, refused
from fixtures import reader

from keras_gait.data.opengait.pickles import note_frames, noted_frames, read_array_pickle, sequence_folders

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "skeletongait"
COMMAND = "preprocessing/pretreatment_silhouettes.py"
NAME = "pretreatment_silhouettes.py"
BODY = np.zeros((60, 50), np.uint8)
BODY[10:50, 20:30] = 255


def write_frames(folder, frames):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, 1):
        cv2.imwrite(str(folder / f"{number:03d}.png"), frame)
    return folder


@pytest.fixture
def raw(tmp_path):
    """Two sequences of six frames."""
    for view in ("000", "090"):
        write_frames(tmp_path / "raw" / "001" / "nm-01" / view, [BODY] * 6)
    return tmp_path / "raw"


@pytest.fixture
def pretreat(command, tmp_path):
    def call(*more, source=None):
        source = source or tmp_path / "raw"
        flags = ("-i", source, "-o", tmp_path / "pkl", "-l", tmp_path / "log", "-n", 1)
        return command(COMMAND, *flags, *more)

    return call


def test_the_published_pickle_comes_out_of_the_published_frames(pretreat, tmp_path):
    _, given, expected = reader.load(FIXTURES / "silhouette_pretreatment.npz")
    write_frames(tmp_path / "raw/001/nm-01/090", [given[f"frame_{number}"] for number in range(len(given))])
    result = pretreat()
    assert result.code == 0
    pickled = tmp_path / "pkl/001/nm-01/090/090.pkl"
    np.testing.assert_allclose(read_array_pickle(pickled).astype(int), expected["aligned"], atol=1)
    assert [path.name for path in pickled.parent.iterdir()] == ["090.pkl"]  # OpenGait reads all files here
    note = json.loads((tmp_path / "pkl/.frames/001/nm-01/090.json").read_text())
    assert note == {"frames": len(given), "kept": np.flatnonzero(expected["kept"]).tolist()}
    assert f"{len(given) - expected['kept'].sum():6d}  no body that OpenGait would keep" in result.out


def test_whole_sequences_get_no_note(pretreat, raw, tmp_path):
    assert pretreat().code == 0
    assert sequence_folders(tmp_path / "pkl") == ["001/nm-01/000", "001/nm-01/090"]
    assert not (tmp_path / "pkl/.frames").exists()
    places, count = noted_frames(tmp_path / "pkl", "001/nm-01/090", 6)
    assert (places.tolist(), count) == ([0, 1, 2, 3, 4, 5], 6)


@pytest.mark.parametrize("size", [32, 128])
def test_the_size_is_the_one_asked_for(pretreat, raw, tmp_path, size):
    pretreat("-r", size)
    assert read_array_pickle(tmp_path / "pkl/001/nm-01/090/090.pkl").shape == (6, size, size)


def test_grew_frames_stay_as_they_are(pretreat, tmp_path):
    faint = np.zeros((64, 64), np.uint8)
    faint[3, 4] = 9
    write_frames(tmp_path / "raw/00001train/00/a", [faint] * 5)
    assert pretreat("-d", "grew").code == 0
    np.testing.assert_array_equal(read_array_pickle(tmp_path / "pkl/00001train/00/a/a.pkl"), [faint] * 5)


def test_ccpg_frames_are_kept_however_small(pretreat, tmp_path):
    small = np.zeros((40, 40), np.uint8)
    small[10:14, 18:20] = 255
    write_frames(tmp_path / "raw/000/U0_D0/0_1", [small] * 5)
    assert "nothing came out" in failed(pretreat(), NAME)
    assert pretreat("-d", "CCPG", "-o", tmp_path / "ccpg").code == 0


def test_oumvlp_is_read_as_delivered(pretreat, tmp_path):
    write_frames(tmp_path / "raw/Silhouette_015-01/00001", [BODY] * 5)
    assert pretreat("-d", "OU-MVLP").code == 0
    assert read_array_pickle(tmp_path / "pkl/00001/01/015/015.pkl").shape == (5, 64, 64)


def test_grew_is_read_as_delivered(pretreat, tmp_path):
    for place in ("train/00001/x", "test/gallery/00002/b", "test/gallery/00002/a", "test/probe/p"):
        write_frames(tmp_path / "raw" / place, [BODY] * 5)
    (tmp_path / "raw/distractor/00003/x").mkdir(parents=True)
    assert pretreat("-d", "GREW").code == 0
    found = sequence_folders(tmp_path / "pkl")
    assert found == ["00001train/00/x", "00002/01/a", "00002/02/b", "probe/03/p"]


def test_an_unreadable_image_costs_only_itself_and_ends_with_2(pretreat, raw, tmp_path):
    (raw / "001/nm-01/090/003.png").write_bytes(b"no image")
    result = pretreat()
    assert "001/nm-01/090/003.png" in failed(result, NAME)
    assert read_array_pickle(tmp_path / "pkl/001/nm-01/090/090.pkl").shape == (5, 64, 64)
    places, count = noted_frames(tmp_path / "pkl", "001/nm-01/090", 5)
    assert (places.tolist(), count) == ([0, 1, 3, 4, 5], 6)
    again = pretreat()
    assert "2 sequences are there already, 0 to go" in again.out
    assert again.code == 2


def test_frames_of_different_sizes_cannot_stay_as_they_are(pretreat, raw):
    cv2.imwrite(str(raw / "001/nm-01/090/003.png"), BODY[:40])
    result = pretreat("-d", "GREW")
    assert "001/nm-01/090: frames of different sizes" in result.out
    assert result.code == 2


def test_a_killed_run_goes_on_and_two_machines_share(pretreat, raw, tmp_path):
    pretreat("--shard", "1/2")
    assert sequence_folders(tmp_path / "pkl") == ["001/nm-01/090"]
    half = tmp_path / "pkl/001/nm-01/.000.tmp"
    half.mkdir()
    (half / "rubbish").write_text("")
    pretreat("--shard", "0/2")
    assert [path.name for path in (tmp_path / "pkl/001/nm-01/000").iterdir()] == ["000.pkl"]
    assert not half.exists()
    assert sequence_folders(tmp_path / "pkl") == ["001/nm-01/000", "001/nm-01/090"]


def test_a_tree_of_other_settings_is_not_gone_on_with(pretreat, raw, tmp_path):
    pretreat()
    message = refused(pretreat("-r", 32), NAME)
    assert "was made with {'dataset': 'casiab', 'img_size': 64}, not with {'dataset'" in message
    assert "or another --output_path" in message


def test_several_processes_write_the_same(pretreat, raw, tmp_path):
    pretreat()
    one = read_array_pickle(tmp_path / "pkl/001/nm-01/090/090.pkl")
    pretreat("-o", tmp_path / "two", "-n", 2)
    np.testing.assert_array_equal(read_array_pickle(tmp_path / "two/001/nm-01/090/090.pkl"), one)


def test_a_sequence_made_again_without_drops_loses_its_note(tmp_path):
    note_frames(tmp_path, "a/b/c", [0, 2], 3)
    assert noted_frames(tmp_path, "a/b/c", 2)[0].tolist() == [0, 2]
    note_frames(tmp_path, "a/b/c", [0, 1, 2], 3)
    assert noted_frames(tmp_path, "a/b/c", 3)[1] == 3


def test_an_empty_folder_of_a_sequence_is_told(pretreat, raw):
    (raw / "001/nm-01/180").mkdir()
    result = pretreat()
    assert result.code == 0
    assert "001/nm-01/180: no frames" in result.out


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("raw/..", "is a level too high for <id>/<type>/<view>/, name a folder in it"),
        ("raw/001", "seems a level too low"),
        ("nowhere", "does not exist"),
        ("empty", "expected folders <id>/<type>/<view>/, found no files at all"),
    ],
)
def test_a_tree_of_another_depth_is_one_line_and_writes_nothing(pretreat, raw, tmp_path, level, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "up").mkdir()
    source = tmp_path / level
    if level == "raw/..":
        raw.rename(tmp_path / "up" / "raw")
        source = tmp_path / "up"
    assert message in refused(pretreat(source=source), NAME)
    assert not (tmp_path / "pkl").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("-d", "CASIA-C"), "--dataset CASIA-C is not known: use one of casiae, casiab"),
        (("-r", 63), "--img_size must be an even number of pixels. Received: 63"),
        (("-o", ""), "--output_path is needed"),
        (("-i", ""), "--input_path is needed"),
    ],
)
def test_wrong_flags_are_one_line(pretreat, raw, flags, message):
    assert message in refused(pretreat(*flags), NAME)
