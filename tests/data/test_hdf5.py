"""The originals' HDF5 sets: read by h5py alone, with the fields that our own sets have."""

import os
import pickle
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from fixtures import reader

from keras_gait.data.hdf5 import read_hdf5
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.errors import GaitError

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "attengait"
NAME = "tfimdb_casiab_N074_train_of30_64x64"
CASIA = FIXTURES / "dataset_casiab_train" / NAME


def write_info(folder, files, labels, cams=None):
    """An info file as deepdish lays it out, and sequence files of two frames each."""
    folder.mkdir()
    with h5py.File(folder.with_name(folder.name + ".h5"), "w") as info:
        info["label"] = np.array(labels, np.uint16)
        if cams is not None:
            info["cam"] = np.array(cams, np.uint16)
        for key, items in (("file", [name.encode() for name in files]), ("frames", None)):
            group = info.create_group(key)
            group.attrs["TITLE"] = np.bytes_(f"list:{len(files)}")
            for place in range(len(files)):
                if items:
                    group.attrs[f"i{place}"] = np.bytes_(items[place])
                else:
                    inner = group.create_group(f"i{place}")
                    inner.attrs["TITLE"] = np.bytes_("list:2")
                    inner.attrs["i0"], inner.attrs["i1"] = 0, 1
    for number, name in enumerate(files):
        with h5py.File(folder / name, "w") as file:
            file["data"] = np.full((2, 64, 64, 3), number, np.uint8)


def fields(ds):
    return list(zip(ds.subject, ds.condition, ds.view, ds.video, strict=True))


def test_a_whole_info_file_is_read_as_published():
    meta, _, out = reader.load(FIXTURES / "dataset_casiab_train.npz")
    info = read_hdf5(CASIA.with_name(NAME + ".h5"))
    first = read_hdf5(CASIA / info["file"][0])
    assert info["file"] == meta["config"]["file"]
    assert info["frames"] == meta["config"]["frames"]
    assert info["bbs"] == meta["config"]["bbs"]
    assert info["shape"] == tuple(meta["config"]["shape"])
    for key, expected in out.items():
        found = first[key.removeprefix("first/")] if key.startswith("first/") else info[key]
        assert np.asarray(found).dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["info_pickled_lists", "info_long_sequence"])
def test_long_lists_are_read_out_of_their_pickles(tmp_path, name):
    meta, given, out = reader.load(FIXTURES / f"{name}.npz")
    (tmp_path / "info.h5").write_bytes(given["h5"].tobytes())
    info = read_hdf5(tmp_path / "info.h5")
    assert info["file"] == meta["config"]["file"]
    assert [len(frames) for frames in info["frames"]] == meta["config"]["frames_lengths"]
    np.testing.assert_array_equal(info["label"], out["label"])


def test_an_original_set_opens_like_our_own():
    ds = open_dataset(CASIA)
    assert fields(ds)[:3] == [
        ("001", "nm", "000", "01"),
        ("001", "nm", "090", "01"),
        ("001", "bg", "000", "02"),
    ]
    assert ds.subjects.tolist() == ["001", "005"]
    assert ds.labels.tolist() == [0] * 4 + [1] * 4
    assert ds.frames.tolist() == [3, 2, 2, 3, 2, 3, 3, 2]
    _, _, out = reader.load(FIXTURES / "dataset_casiab_train.npz")
    np.testing.assert_array_equal(ds.read(0), out["first/data"])
    np.testing.assert_array_equal(ds.select([0]).read(0, 1, 1), out["first/data"][1:2])


def test_an_original_set_is_found_by_folder_info_file_or_parent():
    assert find_dataset(CASIA.parent, "train", 74) == CASIA
    assert find_dataset(CASIA, "train") == CASIA
    assert open_dataset(CASIA.with_name(NAME + ".h5")).fingerprint == open_dataset(CASIA).fingerprint


def test_an_original_set_is_found_from_inside_its_folder(monkeypatch):
    monkeypatch.chdir(CASIA)
    assert find_dataset(".", "train") == Path(".")
    ds = open_dataset(".")
    assert (ds.name, ds.info["source"], len(ds)) == (NAME, "CASIA-B", 8)


def test_sets_that_differ_in_their_sequence_files_only_are_told_apart(tmp_path):
    write_info(tmp_path / "set", ["001_nm-01_000.h5", "002_nm-01_000.h5"], [1, 2], [0, 0])
    first = open_dataset(tmp_path / "set").fingerprint
    assert open_dataset(tmp_path / "set").fingerprint == first
    with h5py.File(tmp_path / "set" / "002_nm-01_000.h5", "r+") as file:
        file["data"][:] = 77
    changed = open_dataset(tmp_path / "set").fingerprint
    os.remove(tmp_path / "set" / "002_nm-01_000.h5")
    assert len({first, changed, open_dataset(tmp_path / "set").fingerprint}) == 3


def test_view_14_of_oumvlp_is_270(tmp_path):
    write_info(tmp_path / "ou", ["00001_270_00.h5", "10307_090_01.h5"], [1, 10307], cams=[14, 90])
    assert fields(open_dataset(tmp_path / "ou")) == [("00001", "", "270", "00"), ("10307", "", "090", "01")]


def test_grew_has_no_views_and_its_probes_no_subject(tmp_path):
    write_info(tmp_path / "gallery", ["001_4XPn5Z28.h5", "20000_77.h5"], [1, 20000])
    assert fields(open_dataset(tmp_path / "gallery")) == [
        ("001", "", "", "4XPn5Z28"),
        ("20000", "", "", "77"),
    ]
    write_info(tmp_path / "probe", ["1_odd_name.h5", "abc.h5"], [65535, 65535])
    assert fields(open_dataset(tmp_path / "probe")) == [("", "", "", "1_odd_name"), ("", "", "", "abc")]


def test_a_missing_damaged_or_shorter_sequence_file_is_named(tmp_path):
    write_info(
        tmp_path / "set", ["001_nm-01_000.h5", "001_nm-01_090.h5", "002_nm-01_000.h5"], [1, 1, 2], [0, 90, 0]
    )
    ds = open_dataset(tmp_path / "set")
    os.remove(tmp_path / "set" / "001_nm-01_000.h5")
    (tmp_path / "set" / "001_nm-01_090.h5").write_bytes(b"not HDF5")
    with h5py.File(tmp_path / "set" / "002_nm-01_000.h5", "w") as file:
        file["data"] = np.zeros((1, 64, 64, 3), np.uint8)
    for i, message in enumerate(("000.h5 is missing or damaged", "090.h5 is missing", "holds 1 frames")):
        with pytest.raises(GaitError, match=message):
            ds.read(i)


def test_what_is_no_info_file_is_named(tmp_path):
    (tmp_path / "set").mkdir()
    info = tmp_path / "set.h5"
    info.write_bytes(b"not HDF5")
    with pytest.raises(GaitError, match=r"set\.h5 cannot be read as an HDF5 file"):
        open_dataset(tmp_path / "set")
    with h5py.File(info, "w") as file:
        file["label"] = np.zeros(2)
    with pytest.raises(GaitError, match=r"set\.h5 has no file and no frames"):
        open_dataset(info)


def test_a_pickle_with_a_foreign_global_in_a_data_set_is_refused_and_nothing_runs(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "broken_in"),)

    with h5py.File(tmp_path / "info.h5", "w") as file:
        node = file.create_dataset("file", (1,), h5py.vlen_dtype(np.uint8))
        node[0] = np.frombuffer(pickle.dumps([Attack()]), np.uint8)
        node.attrs["PSEUDOATOM"] = np.bytes_("object")
    with pytest.raises(GaitError, match=r"info\.h5/file: this pickle asks for .*mkdir"):
        read_hdf5(tmp_path / "info.h5")
    assert not (tmp_path / "broken_in").exists()


def test_a_link_in_a_circle_is_an_error_not_a_crash(tmp_path):
    with h5py.File(tmp_path / "info.h5", "w") as file:
        file.create_group("a")["again"] = h5py.SoftLink("/a")
    with pytest.raises(GaitError, match="cannot be read"):
        read_hdf5(tmp_path / "info.h5")


def test_files_with_wrong_bytes_are_read_or_refused_by_one_line(tmp_path):
    folder = tmp_path / NAME
    for target in (folder.with_name(NAME + ".h5"), folder / "001_nm-01_000.h5"):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(CASIA, folder)
        shutil.copy(CASIA.with_name(NAME + ".h5"), tmp_path)
        content = target.read_bytes()
        refusals = []
        for number in range(60):
            rng = np.random.default_rng(number)
            copy = bytearray(content)
            for place in rng.integers(0, len(copy), 6):
                copy[place] = rng.integers(256)
            target.write_bytes(copy)
            try:
                open_dataset(folder).read(0)
            except GaitError as error:
                refusals.append(str(error))
        assert len(refusals) > 10
        assert not [refusal for refusal in refusals if "\n" in refusal]
