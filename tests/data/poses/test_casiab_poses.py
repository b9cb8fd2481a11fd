"""CASIA-B's table of poses: found row by row, read sequence by sequence, and never as a whole."""

import os
import tracemalloc

import numpy as np
import pytest
from pose_tables import HEADER, row, walk_rows, write_table

from keras_gait.data.poses import casiab
from keras_gait.data.poses.casiab import COLUMNS, casiab_splits, index_rows, load_rows
from keras_gait.errors import GaitError


def first_numbers(rows):
    return load_rows(rows)[0][:, 0, 0].tolist()


def told(problems, path):
    return [(p.place.removeprefix(f"{path}, "), p.what) for p in problems]


def test_the_columns_are_the_published_ones():
    assert len(COLUMNS) == 52
    assert COLUMNS[:5] == ("image_name", "nose_x", "nose_y", "nose_conf", "left_eye_x")
    assert COLUMNS[-1] == "right_ankle_conf"


def test_numbers_come_back_in_their_order(tmp_path):
    (rows,), problems = index_rows(write_table(tmp_path, [row("001-nm-01-090", 1)]))
    poses, found = load_rows(rows)
    assert poses.shape == (1, 17, 3)
    assert poses.dtype == np.float32
    assert poses[0].ravel().tolist() == [1 + 0.25 * place for place in range(51)]
    assert problems == found == []


def test_rows_of_a_walk_join_in_file_order_wherever_they_are(tmp_path):
    rows = [
        row("002-bg-01-018", 5, 10.0),
        row("001-nm-06-180", 9, 20.0),
        row("001-nm-06-180", 2, 21.0),
        row("002-bg-01-018", 1, 11.0),
        row("001-cl-06-180", 1, 30.0),
        row("002-bg-01-018", 3, 12.0),
    ]
    found, _ = index_rows(write_table(tmp_path, rows))
    assert [str(rows.walk) for rows in found] == ["002-bg-01-018", "001-nm-06-180", "001-cl-06-180"]
    assert [first_numbers(rows) for rows in found] == [[10, 11, 12], [20, 21], [30]]
    assert found[0].walk == (2, "bg", 1, 18)
    assert [len(rows.runs) for rows in found] == [3, 1, 1]


@pytest.mark.parametrize("chunk", [7, 100, 1000, 1 << 24])
@pytest.mark.parametrize("block", [1, 3, 1 << 15])
def test_no_border_of_what_is_read_at_once_shows(tmp_path, monkeypatch, chunk, block):
    monkeypatch.setattr(casiab, "_CHUNK", chunk)
    monkeypatch.setattr(casiab, "_BLOCK", block)
    rows = [row(f"00{1 + i // 4}-nm-01-090", i, float(i)) for i in range(10)]
    rows[5] = "rubbish"
    found, problems = index_rows(path := write_table(tmp_path, rows))
    assert [first_numbers(rows) for rows in found] == [[0, 1, 2, 3], [4, 6, 7], [8, 9]]
    assert [run.line for rows in found for run in rows.runs] == [2, 6, 8, 10]
    assert told(problems, path) == [("line 7", "no image name such as ./001-nm-01-090/000001.jpg")]


def test_memory_holds_the_index_only(tmp_path, monkeypatch):
    monkeypatch.setattr(casiab, "_CHUNK", 1 << 16)
    path = write_table(tmp_path, [row(f"{1 + i // 100:03d}-nm-01-090", i) for i in range(12_000)])
    assert path.stat().st_size > 3e6
    tracemalloc.start()
    found, _ = index_rows(path)
    load_rows(found[-1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 120
    assert peak < 1e6


def test_rows_that_damage_made_short_cost_no_memory(tmp_path):
    path = write_table(tmp_path, ["x"] * 9_000 + [""] * 500_000 + walk_rows("001-nm-01-090"))
    tracemalloc.start()
    (rows,), problems = index_rows(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert len(problems) == 9_000
    assert rows.runs[0].line == 2 + 509_000


@pytest.mark.parametrize(
    ("text", "end"), [("\r\n", "\r\n"), ("\n", ""), ("\n", "\n\n \n")], ids=["windows", "no end", "blank end"]
)
def test_line_ends_do_not_matter(tmp_path, text, end):
    path = tmp_path / "poses.csv"
    path.write_bytes((text.join([HEADER, *walk_rows("001-nm-01-090", 3)]) + end).encode())
    (rows,), problems = index_rows(path)
    poses, found = load_rows(rows)
    assert len(poses) == 3
    assert problems == found == []


def test_quoted_cells_do_not_matter(tmp_path):
    rows = [",".join(f'"{cell}"' for cell in line.split(",")) for line in walk_rows("001-nm-01-090", 3)]
    (found,), problems = index_rows(write_table(tmp_path, rows))
    poses, more = load_rows(found)
    assert poses[0].ravel().tolist() == [1 + 0.25 * place for place in range(51)]
    assert len(poses) == 3
    assert problems == more == []


def test_a_file_that_changes_after_its_rows_were_found_is_not_read(tmp_path):
    path = write_table(tmp_path, [*walk_rows("001-nm-01-090", 2), *walk_rows("002-nm-01-090", 2)])
    found, _ = index_rows(path)
    write_table(tmp_path, [*walk_rows("002-nm-01-090", 2), *walk_rows("001-nm-01-090", 2)])
    os.utime(path, ns=(0, found[0].changed + 1))
    with pytest.raises(GaitError, match="has changed while it was read: delete what was made from it"):
        load_rows(found[0])


def test_a_byte_order_mark_and_capitals_in_the_header_do_not_matter(tmp_path):
    path = write_table(tmp_path, walk_rows("001-nm-01-090"), "\ufeff" + HEADER.title())
    assert index_rows(path)[1] == []


@pytest.mark.parametrize(
    ("damaged", "what"),
    [
        (row("001-nm-01-090", 3, numbers=50), "51 columns, expected 52"),
        (row("001-nm-01-090", 3, numbers=52), "53 columns, expected 52"),
        (row("001-nm-01-090", 3).replace(",3.5,", ",abc,"), "a value that is no finite number"),
        (row("001-nm-01-090", 3).replace(",3.5,", ",,"), "a value that is no finite number"),
        (row("001-nm-01-090", 3).replace(",3.5,", ",nan,"), "a value that is no finite number"),
        (row("001-nm-01-090", 3).replace(",3.5,", ",-inf,"), "a value that is no finite number"),
        (row("001-nm-01-090", 3).replace(",3.5,", ",1e39,"), "a value that is no finite number"),
        (
            row("001-nm-01-090/a", 3),
            "no image name such as ./001-nm-01-090/000001.jpg",
        ),
        (
            row("001-nm-01-090", 3).replace(",3.5,", ",\xe9,"),
            "a value that is no finite number",
        ),
    ],
)
def test_a_damaged_row_costs_only_itself_and_is_told_with_its_line(tmp_path, damaged, what):
    rows = walk_rows("001-nm-01-090", 5)
    rows[2] = damaged
    (found,), problems = index_rows(path := write_table(tmp_path, rows))
    poses, more = load_rows(found)
    assert len(poses) == 4
    assert np.isfinite(poses).all()
    assert told(problems + more, path) == [("line 4", what)]
    assert all(problem.mendable for problem in more)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("\0" * 120 + "./001-nm-01-090/000001.jpg", "no image name such as ./001-nm-01-090/000001.jpg"),
        ("\0\0./001-nm-01-090/000001.jpg", "no image name such as ./001-nm-01-090/000001.jpg"),
        ("./001-nm-01-090", "no image name such as ./001-nm-01-090/000001.jpg"),
        ("000001.jpg", "no image name such as ./001-nm-01-090/000001.jpg"),
        ("./001-nm-090/000001.jpg", "no image name such as ./001-nm-01-090/000001.jpg"),
        ("./one-nm-01-090/000001.jpg", "no image name such as ./001-nm-01-090/000001.jpg"),
        ("./" + "9" * 200 + "-nm-01-090/000001.jpg", "no image name such as ./001-nm-01-090/000001.jpg"),
        ("./001-xx-01-090/000001.jpg", "unknown walking status (known: nm, bg, cl)"),
        ("./001-NM-01-090/000001.jpg", "unknown walking status (known: nm, bg, cl)"),
        ("./001-\xe9-01-090/000001.jpg", "unknown walking status (known: nm, bg, cl)"),
    ],
)
def test_rows_of_no_walk_are_told_with_their_line(tmp_path, name, what):
    strange = name + row("", 1).removeprefix(".//000001.jpg")
    good = walk_rows("001-nm-01-090", 2)
    (rows,), problems = index_rows(path := write_table(tmp_path, [good[0], strange, strange, good[1]]))
    assert told(problems, path) == [("line 3", what), ("line 4", what)]
    assert len(load_rows(rows)[0]) == 2


def test_a_file_that_ends_in_the_middle_of_a_row(tmp_path):
    rows = walk_rows("001-nm-01-090", 3)
    (found,), _ = index_rows(path := write_table(tmp_path, [*rows[:2], rows[2][:90]], end=""))
    poses, problems = load_rows(found)
    assert len(poses) == 2
    assert told(problems, path) == [("line 4", "the file ends in the middle of a row")]


def test_without_a_header_the_first_row_counts_and_is_told(tmp_path):
    (rows,), problems = index_rows(path := write_table(tmp_path, walk_rows("001-nm-01-090"), header=""))
    assert told(problems, path) == [("line 1", "no header: this line is a row, and is used")]
    assert len(load_rows(rows)[0]) == 6
    assert rows.runs[0].line == 1


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            HEADER.replace("left_eye", "LEFT").replace("right_eye", "left_eye"),
            "column 5 is 'LEFT_x', not 'left_eye_x'",
        ),
        (",".join(COLUMNS[:40]), "the header has 40 columns"),
        (HEADER.replace("nose_conf", "nose_z"), "column 4 is 'nose_z', not 'nose_conf'"),
        ("", "is empty"),
    ],
)
def test_a_header_of_other_joints_is_refused_with_what_is_expected(tmp_path, header, words):
    path = tmp_path / "poses.csv"
    path.write_text("" if not header else f"{header}\n{row('001-nm-01-090', 1)}\n")
    with pytest.raises(GaitError) as error:
        index_rows(path)
    assert words in str(error.value)
    if header:
        assert "expected 52: image_name, then x, y, conf of nose, left_eye, right_eye, left_ear" in str(
            error.value
        )


def test_a_file_that_is_no_table_at_all_is_given_up_early(tmp_path):
    path = write_table(tmp_path, ["x,y"] * 30_000)
    with pytest.raises(
        GaitError, match=r"more than 10000 rows are of no CASIA-B sequence, such as line \d+ "
    ):
        index_rows(path)
    path.write_bytes(f"{HEADER}\n".encode() + bytes(100_000))
    with pytest.raises(GaitError, match="a row of more than 65536 bytes"):
        index_rows(path)


def test_subjects_up_to_74_train_up_to_124_test_and_no_others(tmp_path):
    rows = [row(f"{subject:03d}-nm-01-090", 1) for subject in (125, 74, 1, 75, 0, 124)]
    path = write_table(tmp_path, rows)
    splits, problems = casiab_splits(index_rows(path)[0])
    assert {split: (n, [s[:4] for s in found]) for split, (n, found) in splits.items()} == {
        "train": (74, [("074", "nm", "090", "01"), ("001", "nm", "090", "01")]),
        "test": (50, [("075", "nm", "090", "01"), ("124", "nm", "090", "01")]),
    }
    assert told(problems, path) == [
        ("line 2", "a subject that is not 1 to 124; own people need --train_subjects"),
        ("line 6", "a subject that is not 1 to 124; own people need --train_subjects"),
    ]


def test_people_of_ones_own_may_be_as_many_as_there_are(tmp_path):
    rows = [row(f"{subject:03d}-nm-01-090", 1) for subject in (125, 74, 1, 75, 0, 999)]
    splits, problems = casiab_splits(index_rows(write_table(tmp_path, rows))[0], train_subjects=1)
    assert [(n, len(found)) for n, found in splits.values()] == [(1, 2), (4, 4)]
    assert problems == []
