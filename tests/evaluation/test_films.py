"""Moving pictures come out as GIF and MP4, whole or not at all."""

import cv2
import numpy as np
import pytest
from PIL import Image

from keras_gait.evaluation.films import write_film


def brightening(count, size=(33, 49)):
    return (np.full((*size, 3), 20 * number, np.uint8) for number in range(count))


def test_a_gif_has_all_frames_for_ever(tmp_path):
    write_film(tmp_path / "new" / "walk.gif", brightening(10))
    with Image.open(tmp_path / "new" / "walk.gif") as film:
        assert (film.n_frames, film.size, film.info["duration"], film.info["loop"]) == (10, (49, 33), 150, 0)
        for number in range(10):
            film.seek(number)
            assert abs(np.asarray(film.convert("RGB"), int) - 20 * number).max() <= 4


def test_an_mp4_has_all_frames_and_even_sizes(tmp_path):
    write_film(tmp_path / "walk.mp4", brightening(5))
    film = cv2.VideoCapture(str(tmp_path / "walk.mp4"))
    frames = [frame for read, frame in iter(film.read, (False, None)) if read]
    assert [frame.shape for frame in frames] == [(32, 48, 3)] * 5
    assert abs(frames[3].astype(int) - 60).max() < 8


@pytest.mark.parametrize("kind", ["gif", "mp4"])
def test_a_film_that_fails_leaves_nothing(tmp_path, kind):
    def failing():
        yield from brightening(2)
        raise RuntimeError("the frames ended")

    with pytest.raises(RuntimeError):
        write_film(tmp_path / f"walk.{kind}", failing())
    assert not list(tmp_path.iterdir())
