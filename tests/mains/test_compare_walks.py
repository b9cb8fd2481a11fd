"""mains/compare_walks.py: halves of one walk are nearest to each other."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from checks import refused

PUBLISHED = Path(__file__).parents[1] / "fixtures" / "attengait" / "model-state-0100_weights.hdf5"


def frames_of(source):
    """A pattern with noise: each walker has a pattern of his own; "short" is too short."""
    rng = np.random.default_rng(int(source[-1]))
    pattern = rng.integers(0, 200, (8, 8, 3)).repeat(8, axis=0).repeat(8, axis=1)
    noise = rng.integers(0, 4, (20 if source.endswith("short9") else 33, 64, 64, 3))
    return (pattern + noise).astype(np.uint8), []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    from keras_gait.data.writer import Sequence, write_dataset
    from keras_gait.models import AttenGait

    place = tmp_path_factory.mktemp("walks")
    sources = [place / name for name in ("walk1", "walk2", "walk3", "short9")]
    for source in sources:
        source.touch()
    sequences = [Sequence(f"{i:03d}", "nm", "090", "01", str(source)) for i, source in enumerate(sources)]
    settings = {"modality": "flow", "source": "video", "split": "test"}
    write_dataset(place / "walks", sequences, frames_of, **settings)
    write_dataset(place / "one", sequences[:1], frames_of, **settings)
    AttenGait(n_filters=(4, 4, 6, 8), combined_output_length=2).save(place / "model-final.keras")
    return place


@pytest.fixture
def compare(place, command, monkeypatch):
    monkeypatch.chdir(place)
    return lambda *arguments: command("mains/compare_walks.py", "--model", "model-final.keras", *arguments)


def test_own_halves_are_nearest(compare, place):
    result = compare("--datadir", "walks", "--output", "out/matrix.png", "--report", "out/page.html")
    assert result.code == 0, result.err
    assert (
        "1 of 4 walk sequences have fewer than 32 frames and are left out: 003/nm/090/01 (20)" in result.out
    )
    assert "rank-1: 3 of 3 walks" in result.out
    assert (place / "out" / "matrix.png").read_bytes().startswith(b"\x89PNG")
    assert "data:image/png;base64," in (place / "out" / "page.html").read_text()


def test_one_walk_cannot_be_compared(compare):
    message = refused(compare("--datadir", "one"), "compare_walks.py")
    assert "one has 1 walk that is long enough; comparing needs 2 or more" in message


def test_a_model_trained_with_cut_frames_sees_cut_frames(compare, place, tmp_path):
    shutil.copy(place / "model-final.keras", tmp_path)
    (tmp_path / "recipe.yaml").write_text("data: {cut: true}\n")
    whole, cut = compare("--datadir", "walks"), compare("--datadir", "walks", "--cut")
    by_recipe = compare("--datadir", "walks", "--model", tmp_path / "model-final.keras")
    assert by_recipe.out == cut.out != whole.out


def test_published_weights_take_the_attention_from_the_flag(compare):
    flags = ("--datadir", "walks", "--model", PUBLISHED)
    assert "does not tell whether it was trained with --softmax_attention" in compare(*flags).out
    told = compare(*flags, "--softmax_attention")
    assert told.code == 0, told.err
    assert "softmax_attention" not in told.out


def test_a_file_that_cannot_be_written_is_refused_before_the_work(compare, tmp_path):
    for flag in ("--output", "--report"):
        message = refused(compare("--datadir", "walks", flag, tmp_path), "compare_walks.py")
        assert message == f"{flag} {tmp_path} is a folder. Expected: the name of a file to write"
