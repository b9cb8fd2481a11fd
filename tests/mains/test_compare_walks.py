"""mains/compare_walks.py: halves of one walk are nearest to each other."""

import numpy as np
import pytest


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
    result = compare("--datadir", "one")
    assert result.code == 2
    assert "one has 1 walk that is long enough; comparing needs 2 or more" in result.err
