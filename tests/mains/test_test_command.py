"""mains/test.py as a user runs it: on a small CASIA-B like set, with a tiny AttenGait."""

import json
import re
import shutil
import zlib

import numpy as np
import pytest
from checks import refused
from conftest import load_script

from keras_gait.data.opening import open_dataset

SEQUENCES = (("nm", "01"), ("nm", "04"), ("nm", "05"), ("bg", "01"), ("cl", "01"))
VIEWS = ("000", "090")
SUBJECTS = ("075", "076")


def frames_of(source):
    """Noise that follows from the source's name; one short sequence."""
    seed = zlib.crc32(source[-13:].encode())
    length = 10 if source.endswith("076-cl-01-090") else 16 + seed % 2
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (length, 64, 64, 3), np.uint8), []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run (``runs/a``) and a data set (``casiab_of``) that holds gallery and probes."""
    from keras_gait.data.writer import Sequence, write_dataset
    from keras_gait.models import AttenGait

    place = tmp_path_factory.mktemp("place")
    (place / "raw").mkdir()
    sequences = []
    for subject in SUBJECTS:
        for condition, video in SEQUENCES:
            for view in VIEWS:
                source = place / "raw" / f"{subject}-{condition}-{video}-{view}"
                source.touch()
                sequences.append(Sequence(subject, condition, view, video, str(source)))
    write_dataset(
        place / "casiab_of", sequences, frames_of, modality="flow", source="CASIA-B, simulated", split="test"
    )
    model = AttenGait(
        nclasses=3, n_filters=(2, 2, 3, 4), combined_output_length=2, split_crossentropy=True, name="tiny"
    )
    (place / "runs" / "a").mkdir(parents=True)
    model.save(place / "runs" / "a" / "model-final.keras")
    (place / "runs" / "a" / "recipe.yaml").write_text("method: attengait\ndata:\n  datadir: casiab_of\n")
    return place


@pytest.fixture
def own_place(test_py, place, tmp_path, monkeypatch):
    """A copy of the place that no other test has put anything in; the command runs there."""
    copy = shutil.copytree(place, tmp_path / "place", ignore=shutil.ignore_patterns("results"))
    monkeypatch.chdir(copy)
    return copy


def test_the_newest_run_is_evaluated_and_the_second_time_from_its_embeddings(test_py, own_place):
    first = test_py("--knn", 1, "--allcameras", "--nframes", 16, "--report", "page/report.html", "--verbose")
    assert first.code == 0, first.err
    rows = dict(re.findall(r"^(nm|bg|cl): (.*)$", first.out, re.MULTILINE))
    assert {name: len(row.split()) for name, row in rows.items()} == {"nm": 3, "bg": 3, "cl": 3}
    assert first.out.index("acc:") < first.out.index("nm:")
    assert (
        "1 of 12 probe sequences have fewer than 16 frames and are left out: 076/cl/090/01 (10)" in first.out
    )
    assert all("simulated walkers" in line for line in first.out.splitlines() if "in %" in line)
    assert re.search(r"rank-1 +rank-5 +mAP +mINP", first.out)

    page = (own_place / "page" / "report.html").read_text()
    assert "simulated" in page
    assert page.count("data:image/png;base64,") == 3  # views, CMC, attention
    assert not re.search(r'(src|href)="(?!data:)', page)

    notes = list((own_place / "runs" / "a" / "results").glob("*.json"))
    assert sorted(json.loads(note.read_text())["sequences"] for note in notes) == [8, 11]
    again = test_py("--knn", 1, "--allcameras", "--nframes", 16)
    assert "probe: embeddings taken from" in again.out
    assert dict(re.findall(r"^(nm|bg|cl): (.*)$", again.out, re.MULTILINE)) == rows


def test_a_model_trained_with_cut_frames_sees_cut_frames(test_py, own_place):
    recipe = own_place / "runs" / "a" / "recipe.yaml"
    recipe.write_text(recipe.read_text() + "  cut: true\n")
    assert test_py("--nframes", 16, "--report", "report.html").code == 0
    notes = [json.loads(note.read_text()) for note in (own_place / "runs" / "a" / "results").glob("*.json")]
    assert [note["options"]["cut"] for note in notes] == [True, True]
    assert "columns 10..53" in (own_place / "report.html").read_text()


def test_a_truncated_data_set_is_one_line(test_py, own_place):
    shards = sorted((own_place / "casiab_of").glob("*.tfrecord"))
    for shard in shards:
        shard.write_bytes(shard.read_bytes()[:-1000])
    message = refused(test_py("--allcameras", "--nframes", 16), "test.py")
    assert re.search(r"casiab_of/sequences-\S+\.tfrecord, offset \d+, sequence 07", message)
    assert "truncated or damaged" in message


def test_what_cannot_end_well_is_refused_before_the_embeddings(test_py, own_place):
    flags = ("--nframes", 16, "--allcameras")
    (own_place / "page").mkdir()
    assert "--report page is a folder" in refused(test_py(*flags, "--report", "page"), "test.py")
    recipe = own_place / "runs" / "a" / "recipe.yaml"
    recipe.write_text(recipe.read_text() + "evaluation: {metric: L3}\n")
    assert "unknown metric 'L3'; known are L1, L2" in refused(test_py(*flags), "test.py")
    assert not (own_place / "runs" / "a" / "results").exists()


def test_one_camera_is_one_column(test_py):
    result = test_py("--nframes", 16, "--camera", 90, "--metrics", "parts", "--knn", 3)
    assert re.search(r"^nm: \S+ \S+$", result.out, re.MULTILINE), result.err


def test_gallery_and_probe_can_be_named(test_py):
    sets = ("--gallery", "casiab_of", "--probe", "casiab_of")
    result = test_py("--model", "runs/a/model-final.keras", *sets, "--allcameras", "--nframes", 16)
    assert result.code == 0, result.err


def test_a_protocol_that_does_not_fit_the_data_is_refused(test_py):
    message = refused(test_py("--protocol", "oumvlp", "--allcameras", "--nframes", 16), "test.py")
    assert "casiab_of was found for both gallery and probe, but has no gallery sequence" in message
    assert "the protocol oumvlp among its types bg-01, cl-01, nm-01, nm-04, nm-05" in message


def test_flags_that_agree_with_the_file_are_accepted(test_py):
    flags = ("--split_crossentropy", "--combined_output_length", 2, "--cross_weight", 1.0)
    assert test_py("--nframes", 16, "--allcameras", *flags).code == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ("--knn", 9),
            r"--knn 9 needs at least 9 gallery .* view 000 of casiab_of has 4\. Use --knn 4 or less",
        ),
        (("--knn", 0), "--knn must be 1 or more"),
        (
            ("--nframes", 99),
            "none of the 8 gallery sequences of casiab_of has 99 frames; the longest has 17",
        ),
        (("--camera", 54), "--camera 54: casiab_of has no such view. It has 000, 090"),
        (("--metrics", "L3"), "invalid choice: 'L3'"),
        (("--combined_output_length", 32), "32 contradicts .* which has combined_output_length 2"),
        (("--softmax_attention",), "--softmax_attention contradicts .* has softmax_attention False"),
        (
            ("--model_size", "large"),
            r"--model_size large contradicts .* has model_size widths \(2, 2, 3, 4\)",
        ),
        (("--model", "none.keras"), "--model none.keras does not exist"),
        (("--model", "casiab_of/dataset.json"), "is not a model"),
        (("--datadir", ".", "--nclasses", 50), "holds no data set whose name has _ft_ and _N050_"),
        (("--datadir", "nowhere"), "nowhere does not exist"),
        (("--protocol", "grew"), "--gallery and --probe"),
    ],
)
def test_wrong_use_ends_with_one_line(test_py, flags, message):
    assert re.search(message, refused(test_py("--nframes", 16, *flags), "test.py"))


def test_without_a_run_the_line_says_what_to_do(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "train a model first" in refused(command("mains/test.py", "--knn", 1, "--allcameras"), "test.py")


def test_without_data_the_line_says_what_to_give(test_py, place, tmp_path):
    model = tmp_path / "model-final.keras"
    model.write_bytes((place / "runs" / "a" / "model-final.keras").read_bytes())
    assert "Give --datadir, or --gallery and --probe" in refused(test_py("--model", model), "test.py")


def test_a_condition_without_probes_is_named(test_py, place):
    from keras_gait.data.writer import Sequence, write_dataset

    sequences = []
    for video in ("01", "05"):
        source = place / "raw" / f"only-nm-{video}"
        source.touch()
        sequences.append(Sequence("075", "nm", "000", video, str(source)))
    write_dataset(
        place / "only_nm", sequences, frames_of, modality="flow", source="CASIA-B, simulated", split="test"
    )
    flags = ("--datadir", "only_nm", "--protocol", "casia-b", "--allcameras", "--nframes", 16)
    assert "but only_nm has none of bg, cl" in refused(test_py(*flags), "test.py")


def test_a_subject_of_both_sets_is_named(own_place, capfd):
    file = own_place / "casiab_of" / "dataset.json"
    info = json.loads(file.read_text())
    command = load_script("mains/test.py")
    for both in ([], ["075"]):
        file.write_text(json.dumps(info | {"partition": {"rate": 0.8, "by": "sequences", "in_both": both}}))
        command.print_division(open_dataset("casiab_of"))
    assert capfd.readouterr().out == ("casiab_of was divided by sequences: 075 is in the training set, too\n")
