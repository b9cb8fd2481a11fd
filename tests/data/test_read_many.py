"""Many records at once: what `read` gives for each, whatever lies beside what, and what is damaged."""

import os

import numpy as np
import pytest

from keras_gait.data.opening import open_dataset
from keras_gait.data.writer import Sequence, write_dataset
from keras_gait.errors import GaitError

LABELS = [(str(subject), row) for subject in (0, 7, 12) for row in range(40)]


def load(source):
    """Values that tell the source and the frame."""
    number = int(os.path.basename(source))
    return (number * 100 + np.arange(4 * 5 * 3, dtype=np.float32)).reshape(4, 5, 3), []


@pytest.fixture
def make(tmp_path):
    """``make("raw")`` -> an opened set of 120 windows of 4 frames, in eight shards, and its folder."""

    def make(encoding="raw", load=load, **settings):
        sequences = []
        for number, (subject, row) in enumerate(LABELS):
            (tmp_path / f"{number}").touch()
            sequences.append(Sequence(subject, "", "", f"{row:07d}", str(tmp_path / f"{number}")))
        settings = {"frame_shape": (5, 3), "dtype": "float32", "channels": ("x", "y", "z")} | settings
        write_dataset(
            tmp_path / "set",
            sequences,
            load,
            modality="skeleton",
            source="own",
            split="train",
            encoding=encoding,
            **settings,
        )
        return open_dataset(tmp_path / "set")

    return make


@pytest.mark.parametrize(
    "which", [range(120), [5], [7, 3, 3, 119, 4, 0], np.random.default_rng(0).permutation(120)]
)
def test_many_are_each_what_one_is(make, which):
    dataset = make()
    expected = np.stack([dataset.read(i) for i in which])
    found = dataset.read_many(which)
    assert (found.dtype, found.shape) == (np.float32, (len(which), 4, 5, 3))
    np.testing.assert_array_equal(found, expected)
    assert len({window.tobytes() for window in found}) == len(set(which))


def test_a_selection_and_chosen_channels_are_kept(make):
    dataset = make().select(np.arange(119, -1, -3)).take_channels(("z", "x"))
    expected = np.stack([dataset.read(i) for i in (4, 2, 30)])
    np.testing.assert_array_equal(dataset.read_many([4, 2, 30]), expected)


def test_neighbours_are_one_read_each_shard(make, monkeypatch):
    dataset = make()
    sizes, preadv = [], os.preadv
    monkeypatch.setattr(os, "preadv", lambda *call: sizes.append(preadv(*call)) or sizes[-1])
    dataset.read_many(np.arange(120))
    assert len(sizes) <= 2 * 8 + 3  # shards, and borders between subjects of one and of two digits
    assert sum(sizes) >= 120 * 240


def pictures(source):
    return np.full((3, 4, 4, 1), int(os.path.basename(source)), np.uint8), []


def test_pictures_are_read_too(make):
    dataset = make("png", pictures, frame_shape=(4, 4, 1), dtype="uint8", channels=())
    found = dataset.read_many([9, 8, 70])
    np.testing.assert_array_equal(found, np.stack([dataset.read(i) for i in (9, 8, 70)]))


def test_windows_of_two_lengths_are_not_one_array(make):
    dataset = make(load=of_two_lengths)
    with pytest.raises(ValueError, match=r"lengths \[4, 5\]"):
        dataset.read_many([0, 1, 2])


def of_two_lengths(source):
    return np.zeros((4 + int(os.path.basename(source)) % 2, 5, 3), np.float32), []


@pytest.mark.parametrize("at", [0, 9, 12, 14])
def test_a_damaged_one_among_many_is_named(make, at):
    dataset = make()
    row = 4
    shard, offset = (dataset._store.index[key][row] for key in ("shard", "offset"))
    path = dataset.path / shard
    whole = path.read_bytes()
    place = int(offset) + at
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
    with pytest.raises(GaitError, match=rf"{shard}, offset {offset}, sequence .* truncated or damaged"):
        dataset.read_many(range(10))


def test_a_shard_cut_off_or_missing_is_named(make):
    dataset = make()
    shard = dataset.path / dataset._store.index["shard"][0]
    shard.write_bytes(shard.read_bytes()[:-50])
    with pytest.raises(GaitError, match="truncated or damaged"):
        dataset.read_many(range(120))
    shard.unlink()
    with pytest.raises(GaitError, match="cannot be opened"):
        dataset.read_many(range(120))
