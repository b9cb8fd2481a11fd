"""The writer: what it writes comes back, and a run that was killed goes on where it stopped."""

import json
from pathlib import Path

import numpy as np
import pytest

from keras_gait.data.opening import open_dataset
from keras_gait.data.writer import Sequence, write_dataset
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
        (sequences[3].source, "no frames"),
        (sequences[5].source, "fewer than 5 frames"),
    ]
    ds = open_dataset(tmp_path / "set")
    assert ds.frames.tolist() == [5, 6, 7, 9, 4, 11, 12, 13, 14, 15, 16]
    assert json.loads((tmp_path / "set" / "dataset.json").read_text())["counts"]["sequences"] == 11


def test_a_set_without_any_sequence_is_refused(tmp_path, sequences):
    with pytest.raises(GaitError, match="no sequences for the train split"):
        write_dataset(tmp_path / "set", [], frames_of, **SETTINGS)
    for sequence in sequences:
        Path(sequence.source).write_text("0")
    with pytest.raises(GaitError, match="not one of 12 sequences"):
        write_dataset(tmp_path / "set", sequences, frames_of, **SETTINGS)
    assert not (tmp_path / "set").exists()
