"""Moving pictures of walks: a figure's frames, drawn without a display, as GIF or MP4."""

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from keras_gait.errors import GaitError
from keras_gait.files import written_whole

FRAME_SECONDS = 0.15
FORMATS = ("gif", "mp4")


def film(figure, moving, update, count):
    """Yield ``count`` pictures of a figure, uint8 ``(height, width, 3)``.

    Only the artists ``moving`` are drawn anew for each, after ``update(number)`` has changed them: that
    takes a tenth of the time of the whole figure.
    """
    canvas = FigureCanvasAgg(figure)
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    still = canvas.copy_from_bbox(figure.bbox)
    for number in range(count):
        update(number)
        canvas.restore_region(still)
        for artist in moving:
            figure.draw_artist(artist)
        yield np.array(canvas.buffer_rgba())[..., :3]


def write_film(path, pictures):
    """Write one or more ``pictures``, as `film` yields them, whole or not at all; ``.gif`` or ``.mp4``."""
    with written_whole(path) as temporary:
        (_write_gif if path.suffix == ".gif" else _write_mp4)(temporary, iter(pictures))


def _write_gif(path, pictures):
    images = (Image.fromarray(picture).quantize(method=Image.Quantize.MEDIANCUT) for picture in pictures)
    duration = round(1000 * FRAME_SECONDS)
    next(images).save(path, "GIF", save_all=True, append_images=images, duration=duration, loop=0)


def _write_mp4(path, pictures):
    first = next(pictures)
    height, width = (size // 2 * 2 for size in first.shape[:2])  # the codec takes even sizes only
    codec = cv2.VideoWriter_fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), codec, 1 / FRAME_SECONDS, (width, height))
    if not writer.isOpened():
        raise GaitError(f"{path.parent}: this OpenCV writes no MP4 there: choose --format gif")
    writer.write(_bgr(first, height, width))
    for picture in pictures:
        writer.write(_bgr(picture, height, width))
    writer.release()


def _bgr(picture, height, width):
    return np.ascontiguousarray(picture[:height, :width, ::-1])
