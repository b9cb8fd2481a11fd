"""Data sets of skeletons: their names, the order of the published files, reading from memory maps."""

import numpy as np
import pytest
from skeleton_trees import random_windows, write_part

from keras_gait.data.opening import open_dataset
from keras_gait.data.skeletons.sets import Part, in_file_order, set_name, write_skeleton_sets


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("BIWI", 28, "train", 6), "tfimdb_biwi_N028_train_skeleton_f6"),
        (("KS20", 20, "test", 10, "2"), "tfimdb_ks20_N020_test_skeleton_f10_view2"),
        (("CASIA_B_match", 124, "test", 50), "tfimdb_casiabmatch_N124_test_skeleton_f50"),
        (("CASIA_B", 124, "train", 20, "0"), "tfimdb_casiab_N124_train_skeleton_f20_view0"),
    ],
)
def test_names_tell_data_set_persons_split_length_and_view(arguments, name):
    assert set_name(*arguments) == name


@pytest.fixture
def part(tmp_path):
    """Twelve sequences of four frames, taken in turns by the persons 3 and 12, but for the last two."""
    values, _ = random_windows(1, 12, 4, 20)
    write_part(tmp_path / "raw", "Own", 4, values, None)
    files = tuple(tmp_path / "raw" / f"source_{axis}_Own_4.npy" for axis in "xyz")
    return values, Part(files, 20, {"12": np.arange(1, 10, 2), "3": np.arange(0, 10, 2)})


def write(folder, train, tests):
    splits = {"train": [train], "test": tests}
    problems = write_skeleton_sets(folder, "Own", 4, splits, layout="own", source="noise")
    assert problems == []
    return tuple(open_dataset(folder / set_name("Own", 2, split, 4)) for split in splits)


def test_the_file_order_is_each_conditions_own(tmp_path, part):
    values, train = part
    _, test = write(tmp_path / "sets", train, [train.of("B", ""), train.of("A", "")])
    ordered = in_file_order(test)
    assert ordered.condition.tolist() == ["A"] * 10 + ["B"] * 10
    assert ordered.video.astype(int).tolist() == [*range(10)] * 2
    assert ordered.subject.tolist() == ["3", "12"] * 10
    np.testing.assert_array_equal([ordered.read(i) for i in range(20)], np.tile(values[:10], (2, 1, 1, 1)))


def test_a_file_that_is_written_anew_is_read_anew(tmp_path, part):
    _, train = part
    first, _ = write(tmp_path / "first", train, [train])
    np.save(train.files[0], np.zeros((12 * 4, 20), np.float64))
    second, _ = write(tmp_path / "second", train, [train])
    assert not second.read(0)[..., 0].any()
    np.testing.assert_array_equal(second.read(0)[..., 1:], first.read(0)[..., 1:])


def test_a_thousand_short_windows_are_few_files(tmp_path, part):
    _, train = part
    values = np.zeros((1000 * 4, 20), np.float32)
    for file in train.files:
        np.save(file, values)
    train = train._replace(rows={"3": np.arange(600), "12": np.arange(600, 1000)})
    made, _ = write(tmp_path / "sets", train, [train])
    assert len(list(made.path.glob("*.tfrecord"))) == 8
