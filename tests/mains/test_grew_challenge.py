"""mains/test_grew_challenge.py: one row a probe video, twenty gallery subjects each."""

import csv
import json
import re
import shutil
import zlib

import numpy as np
import pytest
from checks import refused


def frames_of(source):
    """Noise that follows from the folder's number; equal numbers have equal frames."""
    number = source.rpartition("-")[2]
    rng = np.random.default_rng(zlib.crc32(number.encode()))
    return rng.integers(0, 256, (9 if source.endswith("short-07") else 16, 64, 64, 3), np.uint8), []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    from keras_gait.data.writer import Sequence, write_dataset
    from keras_gait.models import AttenGait

    place = tmp_path_factory.mktemp("grew")
    (place / "raw").mkdir()

    def write(name, split, entries):
        sequences = []
        for subject, video, raw in entries:
            (place / "raw" / raw).touch()
            sequences.append(Sequence(subject, "", "", video, str(place / "raw" / raw)))
        settings = {"modality": "flow", "source": "GREW", "split": split}
        write_dataset(place / name, sequences, frames_of, **settings)

    gallery = [(f"{1000 + i // 2}", f"s{i:02d}", f"gallery-{i:02d}") for i in range(22)]
    probes = [("", "1f3c", "probe-07"), ("", "00aa", "probe-20"), ("", "77be", "short-07")]
    write("data/tfimdb_grew_N06000_ft_of25_64x64", "ft", gallery)
    write("data/tfimdb_grew_N06000_test_of25_64x64", "test", probes)
    write("few", "ft", gallery[:3])
    write("named", "ft", [("bob", f"s{i}", f"gallery-{i:02d}") for i in range(20)])
    model = AttenGait(nclasses=0, n_filters=(2, 2, 3, 4), combined_output_length=2)
    model.save(place / "model-final.keras")
    return place


@pytest.fixture
def challenge(place, command, monkeypatch):
    monkeypatch.chdir(place)
    model = ("--model", "model-final.keras", "--nframes", 16)
    return lambda *arguments: command("mains/test_grew_challenge.py", *model, *arguments)


def test_every_probe_has_a_row_of_twenty_subjects(challenge, place):
    result = challenge("--datadir", "data")
    assert result.code == 0, result.err
    assert (
        "1 of 3 probe sequences have fewer than 16 frames and are repeated up to 16: 77be (9)" in result.out
    )
    (path,) = (place / "results").glob("*.csv")
    assert re.fullmatch(r"\d{4}-\d{4}-\d{6}\.csv", path.name)
    header, *rows = csv.reader(path.open(newline=""))
    assert header == ["videoId", *(f"rank{rank}" for rank in range(1, 21))]
    labels = {name: [int(label) for label in row] for name, *row in rows}
    assert set(labels) == {"1f3c", "00aa", "77be"}
    assert all(len(row) == 20 and set(row) <= set(range(1000, 1011)) for row in labels.values())
    assert labels["1f3c"][0] == 1003  # the same frames as gallery sequence 7
    assert labels["00aa"][0] == 1010


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--gallery", "few"), "asks for 20 neighbours, but few has 3 gallery sequences"),
        (("--gallery", "named"), "gallery subjects must be numbers for the challenge. Found: 'bob'"),
        (("--datadir", "few"), "found for both gallery and probe"),
        (("--knn", 5), "invalid choice: 5"),
        (("--model", "none.hdf5"), "--model none.hdf5 does not exist"),
    ],
)
def test_wrong_use_ends_with_one_line(challenge, flags, message):
    assert message in refused(challenge("--datadir", "data", *flags), "test_grew_challenge.py")


def test_the_runs_recipe_is_followed(challenge, place, tmp_path):
    shutil.copy(place / "model-final.keras", tmp_path)
    (tmp_path / "recipe.yaml").write_text("data: {cut: true}\nevaluation: {metric: L3}\n")
    flags = ("--datadir", "data", "--model", tmp_path / "model-final.keras")
    assert "unknown metric 'L3'" in refused(challenge(*flags), "test_grew_challenge.py")
    assert challenge(*flags, "--metrics", "L2").code == 0
    notes = [json.loads(note.read_text()) for note in (tmp_path / "results").glob("*.json")]
    assert [note["options"]["cut"] for note in notes] == [True, True]
