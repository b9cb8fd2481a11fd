"""Reading data sets: single frames by offset, selections, finding a set by its name, damaged files."""

import csv
import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from keras_gait.data.dataset import COLUMNS, read_index
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.data.writer import Sequence, write_dataset
from keras_gait.errors import GaitError

SUBJECTS = ("10", "9", "100")


def frames_of(source):
    """Seven frames whose values tell the source and the frame."""
    number = int(source[-6:-4])
    return np.stack([np.full((2, 3, 3), 10 * number + frame, np.uint8) for frame in range(7)]), []


@pytest.fixture
def make(tmp_path):
    """``make(name, encoding)`` writes a set of three subjects with two views each."""

    def call(name="set", encoding="raw", load=frames_of, **more):
        sequences = []
        for number, subject in enumerate(SUBJECTS):
            for place, view in enumerate(("000", "090")):
                source = tmp_path / f"s{2 * number + place:02d}.txt"
                source.unlink(missing_ok=True)
                source.touch()  # made anew, so that its time tells it from an earlier one
                sequences.append(Sequence(subject, "nm", view, "01", str(source)))
        settings = {"modality": "flow", "source": "own", "split": "train", "frame_shape": (2, 3, 3)}
        write_dataset(tmp_path / name, sequences, load, encoding=encoding, **settings, **more)
        return tmp_path / name

    return call


def test_subjects_sort_by_number_and_labels_count_in_that_order(make):
    ds = open_dataset(make())
    assert ds.subjects.tolist() == ["9", "10", "100"]
    assert ds.labels.dtype == np.int32
    assert ds.subjects[ds.labels].tolist() == ds.subject.tolist()
    assert (ds.dtype, ds.frame_shape, ds.name, len(ds)) == (np.uint8, (2, 3, 3), "set", 6)


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_a_part_of_a_sequence_is_exactly_these_frames_in_an_array_of_its_own(make, encoding):
    ds = open_dataset(make(encoding=encoding))
    i = next(i for i in range(6) if (ds.subject[i], ds.view[i]) == ("9", "090"))  # source number 3
    assert ds.read(i, 2, 3)[:, 0, 0, 0].tolist() == [32, 33, 34]
    assert ds.read(i, 5)[:, 1, 2, 2].tolist() == [35, 36]
    assert ds.read(i, 7).shape == (0, 2, 3, 3)
    ds.read(i)[:] = 0
    assert ds.read(i, 0, 1).max() == 30


def test_frames_beyond_the_end_are_refused(make):
    with pytest.raises(ValueError, match="has 7 frames"):
        open_dataset(make()).read(0, 5, 3)


def test_a_selection_keeps_fields_frames_and_order_together(make):
    ds = open_dataset(make())
    part = ds.select(ds.view == "090").select([2, 0])
    assert part.view.tolist() == ["090", "090"]
    for i in range(2):
        whole = next(j for j in range(6) if (ds.subject[j], ds.view[j]) == (part.subject[i], "090"))
        np.testing.assert_array_equal(part.read(i), ds.read(whole))
    assert len({ds.fingerprint, part.fingerprint, ds.select([0]).fingerprint}) == 3
    assert ds.select([0]).fingerprint == open_dataset(ds.path).select([0]).fingerprint


def inverted_frames_of(source):
    return 255 - frames_of(source)[0], []


def test_sets_that_differ_in_their_pixels_only_are_told_apart_and_copies_are_not(make, tmp_path):
    first = make("first/set")
    second = make("second/set", load=inverted_frames_of)
    assert (first / "sequences.csv").read_bytes() == (second / "sequences.csv").read_bytes()
    assert open_dataset(first).fingerprint != open_dataset(second).fingerprint
    copy = shutil.copytree(first, tmp_path / "moved" / "set")
    assert open_dataset(copy).fingerprint == open_dataset(first).fingerprint


def test_many_threads_may_read_at_once(make):
    ds = open_dataset(make())
    expected = [ds.read(i) for i in range(6)]
    with ThreadPoolExecutor(8) as pool:
        for i, frames in zip(list(range(6)) * 20, pool.map(ds.read, list(range(6)) * 20), strict=True):
            np.testing.assert_array_equal(frames, expected[i])


def damage_last(path, change):
    """Change the bytes of the last shard; returns the data set and the index of a sequence in it."""
    shard = max(path.glob("*.tfrecord"))
    shard.write_bytes(change(shard.read_bytes()))
    index = read_index(path / "sequences.csv")
    return open_dataset(path), index["shard"].tolist().index(shard.name), shard.name


@pytest.mark.parametrize("encoding", ["raw", "png"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="cut in half"),
        pytest.param(lambda data: data[:5], id="cut in the length"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: bytes([data[0] ^ 1]) + data[1:], id="another length"),
        pytest.param(lambda data: data[:12] + bytes(len(data) - 12), id="payload of zeros"),
        pytest.param(lambda data: data[:14] + b"\xff" * (len(data) - 14), id="payload of ones"),
    ],
)
def test_a_damaged_record_is_named_with_file_and_offset(make, encoding, change):
    ds, i, shard = damage_last(make(encoding=encoding), change)
    with pytest.raises(GaitError, match=rf"{shard}, offset 0, sequence .*truncated or damaged"):
        ds.read(i, 6, 1)


def test_a_damaged_png_inside_a_record_is_named(make):
    def change(data):
        end = data.rindex(b"IDAT")
        return data[: end + 8] + bytes(8) + data[end + 16 :]

    ds, i, shard = damage_last(make(encoding="png"), change)
    with pytest.raises(GaitError, match=rf"{shard}.*damaged PNG \(frame 6\)"):
        ds.read(i)
    assert ds.read(i, 0, 6).shape == (6, 2, 3, 3)


def test_a_missing_shard_is_named(make):
    path = make()
    max(path.glob("*.tfrecord")).unlink()
    ds = open_dataset(path)
    with pytest.raises(GaitError, match="cannot be opened"):
        ds.read(len(ds) - 1)


def test_a_shard_that_the_disk_does_not_give_is_named(make, monkeypatch):
    ds = open_dataset(make())

    def broken(*arguments):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(GaitError, match=r"sequences-00000-of-00006.* \(Input/output error\)"):
        ds.read(0)


def test_a_wrong_or_missing_index_is_named(make):
    path = make()
    index = path / "sequences.csv"
    rows = list(csv.reader(index.open()))
    index.write_text("a,b\n1,2\n")
    with pytest.raises(GaitError, match="first line should be shard,offset"):
        open_dataset(path)
    rows[1][COLUMNS.index("frames")] = "many"
    with index.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(GaitError, match=r"sequences\.csv is damaged .*many"):
        open_dataset(path)
    rows[1][COLUMNS.index("frames")] = "7"
    index.write_text("".join(",".join(row) + "\n" for row in rows[:-2]))
    with pytest.raises(GaitError, match=r"lists 4 sequences, dataset\.json says 6"):
        open_dataset(path)
    index.write_text(index.read_text() + "sequences-00005-of")
    with pytest.raises(GaitError, match=r"sequences\.csv is damaged"):
        open_dataset(path)
    rows[2][COLUMNS.index("offset")] = "-5"
    index.write_text("".join(",".join(row) + "\n" for row in rows))
    with pytest.raises(GaitError, match=rf"sequences\.csv is damaged \(a negative offset in {rows[2][0]}\)"):
        open_dataset(path)
    index.write_bytes(index.read_bytes() + b"\xff\xfe")
    with pytest.raises(GaitError, match=r"sequences\.csv is damaged \('utf-8' codec"):
        open_dataset(path)
    index.unlink()
    with pytest.raises(GaitError, match=r"sequences\.csv is missing"):
        open_dataset(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": 1}'])
def test_an_unreadable_description_is_named(make, text):
    path = make()
    (path / "dataset.json").write_text(text)
    with pytest.raises(GaitError, match=r"dataset\.json cannot be read"):
        open_dataset(path)


def test_a_newer_format_is_refused(make):
    path = make()
    description = path / "dataset.json"
    description.write_text(description.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(GaitError, match="format version 2, this package reads version 1"):
        open_dataset(path)


def test_what_is_no_data_set_is_told_apart(tmp_path):
    with pytest.raises(GaitError, match="does not exist"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(GaitError, match=r"is no data set: .* In .*: nothing"):
        open_dataset(tmp_path)
    (tmp_path / "plan.json").touch()
    with pytest.raises(GaitError, match="unfinished data set"):
        open_dataset(tmp_path)


def test_sets_are_found_by_role_and_number_of_classes(make, tmp_path):
    train = make("sets/tfimdb_casiab_N074_train_of30_64x64")
    gallery = make("sets/tfimdb_casiab_N050_ft_of30_64x64")
    probe = make("sets/tfimdb_casiab_N050_test_of30_64x64")
    grew = make("sets/tfimdb_grew_N20000_train_of25_64x64")
    sets = tmp_path / "sets"
    assert find_dataset(sets, "train", 74) == train
    assert find_dataset(sets, "train", 20000) == grew
    assert find_dataset(sets, "ft") == find_dataset(sets, "ft", 50) == gallery
    assert find_dataset(sets, "test", 50) == probe
    assert find_dataset(sets, "train", 50) == gallery  # fine-tuning trains on the gallery
    assert find_dataset(train, "test", 3) == train  # a data set itself is taken as it is


def test_an_ambiguous_or_missing_set_is_explained(make, tmp_path):
    make("sets/tfimdb_casiab_N074_train_of30_64x64")
    make("sets/tfimdb_grew_N20000_train_of25_64x64")
    sets = tmp_path / "sets"
    with pytest.raises(GaitError, match=r"holds 2 data sets .*casiab.*grew.*choose by --nclasses"):
        find_dataset(sets, "train")
    with pytest.raises(
        GaitError, match=r"no data set whose name has _test_ and _N5154_.*Found: tfimdb_casiab"
    ):
        find_dataset(sets, "test", 5154)
    with pytest.raises(GaitError, match="does not exist"):
        find_dataset(tmp_path / "nowhere", "train")
    with pytest.raises(GaitError, match="is a file"):
        find_dataset(sets / "tfimdb_grew_N20000_train_of25_64x64" / "dataset.json", "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GaitError, match="Found: no data set"):
        find_dataset(tmp_path / "empty", "train")


def planes_of(source):
    return frames_of(source)[0] + np.array([0, 70, 140], np.uint8), []


def named(make):
    return open_dataset(make(load=planes_of, channels=("limb", "joint", "silhouette")))


def test_channels_are_taken_by_name_and_keep_their_selection(make):
    ds = named(make)
    part = ds.select([2, 1]).take_channels(["silhouette", "limb"])
    assert part.channels == ("silhouette", "limb")
    assert part.frame_shape == (*ds.frame_shape[:2], 2)
    np.testing.assert_array_equal(part.read(1, 1, 3), ds.read(1, 1, 3)[..., [2, 0]])
    again = part.select([0]).take_channels(["limb"])
    np.testing.assert_array_equal(again.read(0), ds.read(2)[..., [0]])
    assert ds.take_channels(ds.channels) is ds


def test_a_choice_of_channels_has_its_own_fingerprint(make):
    ds = named(make)
    choices = (["limb"], ["joint"], ["joint", "limb"])
    assert len({ds.fingerprint, *(ds.take_channels(names).fingerprint for names in choices)}) == 4


@pytest.mark.parametrize("names", [["depth"], ["limb", "limb"], []])
def test_channels_that_are_not_there_are_refused_by_name(make, names):
    with pytest.raises(GaitError, match="has the channels limb, joint, silhouette; asked for"):
        named(make).take_channels(names)


def test_a_type_joins_condition_and_video(make):
    ds = open_dataset(make())
    assert ds.types.tolist() == [f"{c}-{v}" for c, v in zip(ds.condition, ds.video, strict=True)]
    ds.video[:] = ""
    del ds.types
    assert ds.types.tolist() == ds.condition.tolist()
