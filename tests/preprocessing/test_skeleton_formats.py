"""Formats of skeleton recordings: all give the same tree, and what is wrong with one is told."""

import numpy as np
import pytest
from checks import failed, refused
from skeleton_recordings import (
    BY_TAKE,
    COMMAND,
    NAME,
    SMALL,
    arrays,
    files,
    recording,
    write_bare_csv,
    write_biwi,
    write_counted_biwi,
    write_counted_csv,
    write_csv,
    write_european_csv,
    write_kgbd,
    write_ks20,
    write_npy,
    write_npz,
    write_people,
)


@pytest.mark.parametrize(
    ("write", "end", "format_"),
    [
        (write_npz, ".npz", "auto"),
        (write_csv, ".csv", "auto"),
        (write_bare_csv, ".csv", "auto"),
        (write_counted_csv, ".csv", "auto"),
        (write_european_csv, ".csv", "auto"),
        (write_biwi, "", "auto"),
        (write_counted_biwi, "", "biwi"),
        (write_kgbd, ".txt", "kgbd"),
    ],
)
def test_every_format_gives_the_same_files(command, tmp_path, write, end, format_):
    write_people(tmp_path / "npy")
    write_people(tmp_path / "raw", write=write, end=end)
    for root in ("npy", "raw"):
        chosen = ("--format", format_) if root == "raw" else ()
        flags = ("--input_path", tmp_path / root, "--output_path", tmp_path / f"{root}-tree", *chosen)
        result = command(COMMAND, *flags, *SMALL, *BY_TAKE)
        assert result.code == 0, result.err
    assert files(tmp_path / "raw-tree") == files(tmp_path / "npy-tree")


def test_ks20s_bodies_get_the_published_numbers(command, tmp_path):
    for body in (1, 7, 24):
        for take in range(2):
            write_ks20(tmp_path / "raw" / f"body{body}" / "ab"[take], recording(body, take, 6, 25))
    flags = ("--dataset", "KS20", "--length", 4, "--format", "ks20", *BY_TAKE)
    assert command(COMMAND, "--input_path", tmp_path / "raw", "--output_path", tmp_path, *flags).code == 0
    train = arrays(tmp_path / "KS20/4/KS20_train_npy_data")
    assert sorted(train["ids_KS20_4.npy"].item()) == [0, 4, 19]
    np.testing.assert_array_equal(train["source_x_KS20_4.npy"][:4], recording(1, 0, 4, 25)[..., 0])
    write_ks20(tmp_path / "raw/body5/a", recording(5, 0, 6, 25))
    result = command(COMMAND, "--input_path", tmp_path / "raw", "--output_path", tmp_path / "o", *flags)
    assert "body5 is no body of KS20" in refused(result, NAME)


def test_frames_with_an_untracked_joint_are_left_out_and_told(command, tmp_path):
    states = np.full((12, 20), 2)
    states[3, 7] = 0  # not tracked; 1 is a guess, and stays
    states[5, 7] = 1
    root = write_people(tmp_path / "raw", write=write_biwi, end="")
    (root / "003/c").parent.mkdir(exist_ok=True)
    write_biwi(root / "003/c", recording(3, 2), states=states)
    flags = ("--input_path", root, "--output_path", tmp_path, *SMALL, *BY_TAKE, "--offsets", 1, "--stride", 4)
    result = command(COMMAND, *flags)
    assert result.code == 0
    assert "003/c (1 of 12 frames): frames with a joint that was not tracked, left out" in result.out
    source = arrays(tmp_path / "Mine/4/Mine_train_npy_data")["source_x_Mine_4.npy"]
    assert source[12:20, 0].round().tolist() == [3200, 3201, 3202, 3204, 3205, 3206, 3207, 3208]


def spoil_csv(path, line, cells):
    write_csv(path, recording(3, 2))
    lines = path.read_text().splitlines()
    lines[line - 1] = ",".join(lines[line - 1].split(",")[:cells])
    path.write_text("\n".join(lines))


def spoil_biwi(path, name, text):
    write_biwi(path, recording(3, 2))
    (path / name).write_text(text)


NAN = np.where(np.arange(12)[:, None, None] == 4, np.nan, recording(3, 2))


@pytest.mark.parametrize(
    ("write", "end", "spoil", "words"),
    [
        (write_npy, ".npy", lambda path: path.write_bytes(b"no"), "c.npy: damaged, or no NumPy file"),
        (write_npy, ".npy", lambda path: write_npy(path, recording(3, 2)[..., :2]), "(12, 20, 2), expected"),
        (write_npy, ".npy", lambda path: np.save(path, np.array(None)), "c.npy: damaged, or no NumPy file"),
        (write_npy, ".npy", lambda path: write_npy(path, NAN), "c.npy, frame 4: a value that is no finite"),
        (write_npy, ".npy", lambda path: write_npy(path, recording(3, 2, 12, 14)), "14 joints, expected 20"),
        (write_npz, ".npz", lambda path: np.savez(path, poses=NAN), "no array 'skeletons', only poses"),
        (write_npz, ".npz", lambda path: path.write_bytes(b"PK\3\4"), "c.npz: damaged"),
        (write_csv, ".csv", lambda path: spoil_csv(path, 5, 58), "c.csv, line 5: 58 columns, expected 60"),
        (
            write_csv,
            ".csv",
            lambda path: path.write_text("x0,y0\n1,2\n"),
            "c.csv, line 2: 2 columns, expected",
        ),
        (write_csv, ".csv", lambda path: path.write_text("1,2,3\n1,two,3"), "line 2: '1,two,3' is no row of"),
        (write_csv, ".csv", lambda path: path.write_text("x,y,z\n"), "c.csv: no frames"),
        (write_csv, ".csv", lambda path: path.write_text("0.5,,3\n1,2,3\n"), "line 1: '0.5,,3' is no row of"),
        (write_csv, ".csv", lambda path: path.write_text("1,2,3,,,\n,,,1,2,3\n"), "line 1: '1,2,3,,,' is no"),
        (write_csv, ".csv", lambda path: path.write_text("0,5 1,5 2,5\n"), "line 1: '0,5 1,5 2,5' is no row"),
        (write_csv, ".csv", lambda path: path.write_text("1,2,3\n2,2,3\n"), "first column counts the frames"),
        (write_csv, ".csv", lambda path: path.write_bytes(b"\xff\xfe\0"), "c.csv: no text file"),
        (
            *(write_biwi, ""),
            lambda path: spoil_biwi(path, "2-skel.txt", "1,2,3\n"),
            "2-skel.txt: 1 lines, expected one for each of 20 joints",
        ),
        (
            *(write_biwi, ""),
            lambda path: spoil_biwi(path, "2-skel.txt", "1,2,3,4,5,2,0\n" * 7 + "1,2\n" * 13),
            "2-skel.txt, line 8: 2 columns, expected 7",
        ),
        (
            *(write_biwi, ""),
            lambda path: spoil_biwi(path, "2-skel.txt", "1,2,3\n" * 20),
            "2-skel.txt: another number of columns than",
        ),
        (write_kgbd, ".txt", lambda path: path.write_text("0;1;2;3\n" * 21), "line 21: the file ends within"),
        (write_kgbd, ".txt", lambda path: path.write_text("0;1;2;3\n" * 19 + "0;1\n"), "line 20: 1 columns"),
    ],
)
def test_a_bad_recording_is_told_and_all_others_are_written(command, tmp_path, write, end, spoil, words):
    root = write_people(tmp_path / "raw", write=write, end=end)
    flags = (*SMALL, *BY_TAKE, *(("--format", "kgbd") if end == ".txt" else ()))
    command(COMMAND, "--input_path", root, "--output_path", tmp_path / "good", *flags)
    spoil(root / f"003/c{end}")
    result = command(COMMAND, "--input_path", root, "--output_path", tmp_path / "bad", *flags)
    assert "1 file(s) damaged or missing" in failed(result, NAME)
    assert words in result.out
    assert files(tmp_path / "bad") == files(tmp_path / "good")
