"""The baseline: the nearest raw gait energy image, by the protocol."""

import cv2
import numpy as np

from keras_gait.evaluation.baseline import energy_image_accuracy

BODIES = {  # 60 high, and of different outlines
    "column": [(25, 35)] * 60,
    "hat": [(10, 50)] * 20 + [(25, 35)] * 40,
    "skirt": [(25, 35)] * 40 + [(10, 50)] * 20,
}


def silhouette(body):
    image = np.zeros((80, 60), np.uint8)
    for row, (left, right) in enumerate(BODIES[body], 10):
        image[row, left:right] = 255
    return image


def write_walk(root, place, body):
    folder = root / place
    folder.mkdir(parents=True)
    for number in (1, 2):
        cv2.imwrite(str(folder / f"{number:03d}.png"), silhouette(body))


def test_the_nearest_image_of_another_view_decides(tmp_path):
    shape = {"001": "hat", "002": "hat", "003": "skirt"}  # the first is in training, or would be mistaken
    for subject, body in shape.items():
        for view in ("000", "090"):
            for sequence in ("nm-01", "nm-05", "bg-01"):
                write_walk(tmp_path, f"{subject}/{sequence}/{view}", body)
            write_walk(tmp_path, f"{subject}/cl-01/{view}", "skirt")
    table = energy_image_accuracy(tmp_path, first_subject=2)
    assert table.tolist() == [[1, 1, 1], [1, 1, 1], [0.5, 0.5, 0.5]]  # nm, bg, cl by view, mean
    assert energy_image_accuracy(tmp_path, first_subject=1)[0].tolist() == [2 / 3] * 3
