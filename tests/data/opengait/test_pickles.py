"""Trees of pickles: arrays come back, anything else is refused by name, another depth is told."""

import pickle
import pickletools

import numpy as np
import pytest
from checks import Attack

from keras_gait.data.opengait.pickles import read_array_pickle, sequence_folders, write_array_pickle
from keras_gait.data.unpickle import RefusedPickle
from keras_gait.errors import GaitError

ARRAY = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)


def write_pickle(path, content):
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("array", [ARRAY, ARRAY[:, :, ::2], np.asfortranarray(ARRAY), ARRAY.astype("f8")])
def test_an_array_comes_back_here_and_by_plain_pickle(tmp_path, array):
    path = tmp_path / "a.pkl"
    write_array_pickle(path, array)
    with open(path, "rb") as file:
        plain = pickle.load(file)
    for found in (read_array_pickle(path), plain):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
    plain[0] = 0  # OpenGait changes what it loads


def test_written_pickles_name_nothing_that_an_older_numpy_lacks(tmp_path):
    write_array_pickle(tmp_path / "a.pkl", ARRAY)
    named = [
        text for _, text, _ in pickletools.genops((tmp_path / "a.pkl").read_bytes()) if isinstance(text, str)
    ]
    assert "numpy" in named
    assert not any("core" in text for text in named)


def test_pickles_of_numpy_itself_are_read(tmp_path):
    np.testing.assert_array_equal(read_array_pickle(write_pickle(tmp_path / "a.pkl", ARRAY)), ARRAY)


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path):
    write_array_pickle(tmp_path / "a.pkl", ARRAY)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        write_array_pickle(tmp_path / "a.pkl", [lambda: None])
    assert [path.name for path in tmp_path.iterdir()] == ["a.pkl"]
    np.testing.assert_array_equal(read_array_pickle(tmp_path / "a.pkl"), ARRAY)


def test_a_hostile_pickle_is_refused_by_name_and_runs_nothing(tmp_path):
    path = write_pickle(tmp_path / "evil.pkl", [ARRAY, Attack(tmp_path / "broken_in")])
    with pytest.raises(RefusedPickle, match=r"evil\.pkl: this pickle asks for (posix|nt)\.system"):
        read_array_pickle(path)
    assert [path.name for path in tmp_path.iterdir()] == ["evil.pkl"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": 1}, "expected a pickled array of numbers, frames first, and found dict"),
        (np.array([[1], "x"], dtype=object), "found an array of object"),
        (np.array(3.0), "expected a pickled array"),
        (np.zeros((0, 64, 64)), r"has no frames \(shape \(0, 64, 64\)\)"),
    ],
)
def test_what_is_no_array_of_frames_is_named(tmp_path, content, message):
    with pytest.raises(GaitError, match=message):
        read_array_pickle(write_pickle(tmp_path / "a.pkl", content))


def test_truncated_and_missing_files_are_named(tmp_path):
    path = write_pickle(tmp_path / "a.pkl", ARRAY)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(GaitError, match=r"a\.pkl: this pickle is damaged"):
        read_array_pickle(path)
    with pytest.raises(GaitError, match=r"b\.pkl: this file cannot be read \(No such file"):
        read_array_pickle(tmp_path / "b.pkl")


def test_sequences_are_listed_in_order_without_hidden_folders(tmp_path):
    for relative in ("002/nm-01/000", "001/nm-02/090", "001/nm-01/090", ".frames/001/nm-01"):
        (tmp_path / relative).mkdir(parents=True)
    assert sequence_folders(tmp_path) == ["001/nm-01/090", "001/nm-02/090", "002/nm-01/000"]


def test_a_tree_of_another_depth_says_which_folder_to_name(tmp_path):
    (tmp_path / "pkl/001/nm-01/090").mkdir(parents=True)
    (tmp_path / "pkl/001/nm-01/090/090.pkl").touch()
    with pytest.raises(GaitError, match=f"{tmp_path} is a level too high .* such as {tmp_path / 'pkl'}"):
        sequence_folders(tmp_path)
    with pytest.raises(GaitError, match=r"such as 090.pkl; .*001 seems a level too low"):
        sequence_folders(tmp_path / "pkl" / "001")
