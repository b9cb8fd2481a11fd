"""The writer: what it writes comes back, and a run that was killed goes on where it stopped."""

import json
from pathlib import Path

import numpy as np
import pytest

from keras_gait.data import writer
from keras_gait.data.opening import open_dataset
from keras_gait.data.problems import Problem
from keras_gait.data.writer import Sequence, sequences_per_shard, shard_name, write_dataset
from keras_gait.errors import GaitError

SETTINGS = {"modality": "flow", "source": "CASIA-B", "split": "train", "frame_shape": (4, 6, 3)}


def frames_of(source):
    """The frames of a source file: their number is in it, their values follow from its name."""
    count = int(Path(source).read_text())
    seed = sum(map(ord, source[-12:]))
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 6, 3), np.uint8), []


@pytest.fixture
def sequences(tmp_path):
    """Twelve sequences of two subjects, 5 to 16 frames."""
    made = []
    for number in range(12):
        source = tmp_path / f"source{number:02d}.txt"
        source.write_text(str(5 + number))
        made.append(Sequence(f"{1 + number // 6:03d}", "nm", f"{18 * (number % 6):03d}", "01", str(source)))
    return made


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_every_sequence_comes_back_with_its_labels_and_frames(tmp_path, sequences, encoding):
    problems = write_dataset(tmp_path / "set", sequences[::-1], frames_of, encoding=encoding, **SETTINGS)
    ds = open_dataset(tmp_path / "set")
    assert problems == []
    assert ds.frame_shape == (4, 6, 3)
    assert ds.frames.tolist() == list(range(5, 17))
    for i, sequence in enumerate(sequences):
        assert (ds.subject[i], ds.condition[i], ds.view[i], ds.video[i]) == sequence[:4]
        np.testing.assert_array_equal(ds.read(i), frames_of(sequence.source)[0])
        np.testing.assert_array_equal(ds.read(i, 2, 3), frames_of(sequence.source)[0][2:5])


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_tensorflow_reads_the_shards(tmp_path, sequences, encoding):
    tf = pytest.importorskip("tensorflow")
    write_dataset(tmp_path / "set", sequences, frames_of, encoding=encoding, **SETTINGS)
    shards = sorted(map(str, (tmp_path / "set").glob("*.tfrecord")))
    for record, sequence in zip(tf.data.TFRecordDataset(shards), sequences, strict=True):
        feature = tf.train.Example.FromString(record.numpy()).features.feature
        assert feature["subject"].bytes_list.value[0].decode() == sequence.subject
        expected = frames_of(sequence.source)[0]
        assert list(feature["shape"].int64_list.value) == list(expected.shape)
        values = feature["frames"].bytes_list.value
        if encoding == "raw":
            assert values[0] == expected.tobytes()
        else:
            np.testing.assert_array_equal([tf.io.decode_png(value).numpy() for value in values], expected)


def test_two_workers_write_the_same_files_as_one(tmp_path, sequences):
    write_dataset(tmp_path / "one", sequences, frames_of, workers=1, **SETTINGS)
    write_dataset(tmp_path / "two", sequences, frames_of, workers=2, **SETTINGS)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_machine_that_finishes_last_merges_whatever_the_order(tmp_path, sequences):
    write_dataset(tmp_path / "whole", sequences, frames_of, **SETTINGS)
    for part in (2, 0, 1):
        assert not (tmp_path / "set" / "dataset.json").exists()
        write_dataset(tmp_path / "set", sequences, frames_of, shard=(part, 3), **SETTINGS)
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "set" / path.name).read_bytes()


def test_after_a_kill_only_the_missing_shards_are_made(tmp_path, sequences):
    output = tmp_path / "set"
    write_dataset(output, sequences, frames_of, shard=(0, 2), **SETTINGS)
    finished = {path.name: path.stat().st_mtime_ns for path in output.glob("*.tfrecord")}
    # What a kill leaves: a temporary shard, a shard without its part, and a part whose shard is cut short.
    (output / ".tmp-host-1-sequences-00003-of-00008.tfrecord").write_bytes(b"half")
    (output / "sequences-00001-of-00008.tfrecord").write_bytes(b"no part of the index")
    cut = output / "sequences-00002-of-00008.tfrecord"
    cut.write_bytes(cut.read_bytes()[:-7])
    write_dataset(output, sequences, frames_of, **SETTINGS)
    write_dataset(tmp_path / "whole", sequences, frames_of, **SETTINGS)
    assert sorted(path.name for path in output.iterdir()) == sorted(
        path.name for path in (tmp_path / "whole").iterdir()
    )
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (output / path.name).read_bytes()
    for name in finished.keys() - {cut.name}:
        assert (output / name).stat().st_mtime_ns == finished[name]


def test_a_complete_set_is_left_alone(tmp_path, sequences, capsys):
    write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir()}
    write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    assert before == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir()}
    assert "complete already" in capsys.readouterr().out


def test_shards_of_other_settings_or_sources_are_never_mixed_in(tmp_path, sequences):
    output = tmp_path / "set"
    write_dataset(output, sequences, frames_of, shard=(0, 2), **SETTINGS)
    with pytest.raises(GaitError, match="other sources or settings"):
        write_dataset(output, sequences, frames_of, encoding="png", **SETTINGS)
    with pytest.raises(GaitError, match="other sources or settings"):
        write_dataset(output, sequences[1:], frames_of, **SETTINGS)


def test_a_folder_with_something_else_is_not_written_into(tmp_path, sequences):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("mine")
    with pytest.raises(GaitError, match="holds no data set"):
        write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["thesis.txt"]


def test_empty_and_short_sequences_are_reported(tmp_path, sequences):
    (tmp_path / "source03.txt").write_text("0")
    (tmp_path / "source05.txt").write_text("4")
    problems = write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    assert problems == [
        Problem(sequences[3].source, "no frames", mendable=False),
        Problem(sequences[5].source, "fewer than 5 frames", mendable=False),
    ]
    ds = open_dataset(tmp_path / "set")
    assert ds.frames.tolist() == [5, 6, 7, 9, 4, 11, 12, 13, 14, 15, 16]
    assert json.loads((tmp_path / "set" / "dataset.json").read_text())["counts"]["sequences"] == 11


def frames_but_one(source):
    frames, _ = frames_of(source)
    return frames[1:], [Problem(f"{source}/0", "damaged image", mendable=True)]


def test_problems_are_told_again_whoever_asks_whenever(tmp_path, sequences):
    found = []
    for part in (1, 0):
        found.append(write_dataset(tmp_path / "set", sequences, frames_but_one, shard=(part, 2), **SETTINGS))
    again = write_dataset(tmp_path / "set", sequences, frames_but_one, **SETTINGS)
    assert len(found[0]) < len(found[1]) == 12 + 1  # the first sequence is short now
    assert found[1] == again
    assert all(isinstance(problem, Problem) for problem in again)
    assert [problem.mendable for problem in again].count(True) == 12


@pytest.mark.parametrize("damage", [b"", b'{"format": "keras_g', b"\xff\xfe\x00"])
def test_a_damaged_description_or_plan_is_named(tmp_path, sequences, damage):
    write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    (tmp_path / "set" / "dataset.json").write_bytes(damage)
    with pytest.raises(GaitError, match=r"dataset\.json is damaged .*: delete the folder .*set and run"):
        write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    write_dataset(tmp_path / "begun", sequences, frames_of, shard=(0, 2), **SETTINGS)
    (tmp_path / "begun" / "plan.json").write_bytes(damage)
    with pytest.raises(GaitError, match=r"plan\.json is damaged .*: delete the folder .*begun and run"):
        write_dataset(tmp_path / "begun", sequences, frames_of, **SETTINGS)


def test_a_shard_whose_part_of_the_index_is_damaged_is_made_again(tmp_path, sequences):
    write_dataset(tmp_path / "set", sequences, frames_of, shard=(0, 2), **SETTINGS)
    (tmp_path / "set" / "parts" / "00002.json").write_bytes(b'{"bytes": 12')
    write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    assert len(open_dataset(tmp_path / "set")) == 12


@pytest.mark.parametrize("moment", ["_claim", "_shard_done", "_merge"])
def test_a_machine_that_ends_just_after_another_finds_the_set_complete(
    tmp_path, sequences, monkeypatch, capsys, moment
):
    """The other one, here the same process, makes the rest at the worst moment."""
    output, real = tmp_path / "set", getattr(writer, moment)
    write_dataset(output, sequences, frames_of, shard=(0, 2), **SETTINGS)
    calls = []

    def late(*arguments):
        calls.append(arguments)
        # Its own 4 of 8 shards are asked for before it works; the fifth question comes when it has ended.
        if len(calls) == (5 if moment == "_shard_done" else 1):
            monkeypatch.setattr(writer, moment, real)
            write_dataset(output, sequences, frames_of, **SETTINGS)
            capsys.readouterr()
        return real(*arguments)

    monkeypatch.setattr(writer, moment, late)
    shard = (0, 1) if moment == "_merge" else (0, 2)
    assert write_dataset(output, sequences, frames_of, shard=shard, **SETTINGS) == []
    assert "still to be made" not in capsys.readouterr().out
    assert len(open_dataset(output)) == 12


def test_another_machines_unfinished_files_are_left_to_it_but_for_shards(tmp_path, sequences):
    write_dataset(tmp_path / "set", sequences, frames_of, shard=(0, 2), **SETTINGS)
    for name in (".tmp-other-7-sequences.csv", ".tmp-other-7-sequences-00001-of-00008.tfrecord"):
        (tmp_path / "set" / name).write_text("half")
    write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    hidden = [path.name for path in (tmp_path / "set").iterdir() if path.name.startswith(".")]
    assert hidden == [".tmp-other-7-sequences.csv"]


def test_a_set_without_any_sequence_is_refused(tmp_path, sequences):
    with pytest.raises(GaitError, match="no sequences for the train split"):
        write_dataset(tmp_path / "set", [], frames_of, **SETTINGS)
    for sequence in sequences:
        Path(sequence.source).write_text("0")
    with pytest.raises(GaitError, match="not one of 12 sequences"):
        write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    assert not (tmp_path / "set").exists()


def two_planes_of(source):
    return frames_of(source)[0][..., :2], []


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_frames_of_two_named_channels_come_back_and_the_set_tells_what_it_is_about(
    tmp_path, sequences, encoding
):
    settings = SETTINGS | {"modality": "heatmap", "frame_shape": (4, 6, 2), "channels": ("limb", "joint")}
    about = {"layout": "gait3d", "probe_set": ["0001-camid0-seq0"]}
    write_dataset(tmp_path / "set", sequences, two_planes_of, encoding=encoding, about=about, **settings)
    ds = open_dataset(tmp_path / "set")
    assert ds.channels == ("limb", "joint")
    assert (ds.info["layout"], ds.info["probe_set"]) == ("gait3d", ["0001-camid0-seq0"])
    for i, sequence in enumerate(sequences):
        np.testing.assert_array_equal(ds.read(i), two_planes_of(sequence.source)[0])


def test_what_counts_as_short_is_the_callers_choice(tmp_path, sequences):
    assert [
        problem.what for problem in write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    ] == []
    problems = write_dataset(tmp_path / "longer", sequences, frames_of, fewest=7, **SETTINGS)
    assert [(Path(place).name, what) for place, what, _ in problems] == [
        ("source00.txt", "fewer than 7 frames"),
        ("source01.txt", "fewer than 7 frames"),
    ]


def test_short_sequences_share_shards_and_long_ones_have_no_more_than_before():
    assert sequences_per_shard((64, 64, 3), "uint8") == 64
    assert sequences_per_shard((64, 64, 3), "uint8", 30) == 64
    window = sequences_per_shard((20, 3), "float32", 6)
    assert 60_000 // window < 30  # files, and enough for parallel work
    assert 1e6 < window * 6 * 20 * 3 * 4 < 1e7  # bytes


@pytest.fixture
def windows(tmp_path, sequences):
    """A thousand and one sequences of the first source."""
    source = sequences[0].source
    return [Sequence("001", "", "", f"{n:07d}", source) for n in range(1001)]


def shard_names(folder):
    return sorted(path.name for path in folder.glob("*.tfrecord"))


def test_a_thousand_windows_are_few_files_in_their_order(tmp_path, windows):
    write_dataset(tmp_path / "set", windows, frames_of, length=5, **SETTINGS)
    ds = open_dataset(tmp_path / "set")
    assert shard_names(ds.path) == [shard_name(n, 8) for n in range(8)]
    assert ds.video.tolist() == [f"{n:07d}" for n in range(1001)]
    assert ds.info["counts"]["shards"] == 8


def test_a_set_goes_on_with_the_shards_that_it_was_begun_with(tmp_path, windows):
    """Of an older plan, too, which did not say how many sequences a shard has."""
    output = tmp_path / "set"
    write_dataset(output, windows, frames_of, shard=(0, 2), **SETTINGS)
    finished = {name: (output / name).stat().st_mtime_ns for name in shard_names(output)}
    assert len(finished) == 8  # of 16
    plan = json.loads((output / "plan.json").read_text())
    (output / "plan.json").write_text(json.dumps({"plan": plan["plan"]}))
    write_dataset(output, windows, frames_of, length=5, **SETTINGS)
    assert shard_names(output) == [shard_name(n, 16) for n in range(16)]
    assert all((output / name).stat().st_mtime_ns == changed for name, changed in finished.items())
    assert open_dataset(output).video.tolist() == [f"{n:07d}" for n in range(1001)]


def test_a_set_that_was_completed_with_other_shards_is_left_alone(tmp_path, windows, capsys):
    write_dataset(tmp_path / "set", windows, frames_of, **SETTINGS)
    write_dataset(tmp_path / "set", windows, frames_of, length=5, **SETTINGS)
    assert "complete already" in capsys.readouterr().out
    assert len(shard_names(tmp_path / "set")) == 16
