"""The baselines: the nearest raw gait energy image and the nearest raw poses, by the protocol."""

import cv2
import numpy as np

from keras_gait.evaluation.baseline import energy_image_accuracy, raw_pose_accuracy

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


class Poses:
    """A data set of walks whose joints stand where the subject's do, the coats' where the other's do."""

    def __init__(self):
        walks = [
            (subject, *walk.split("-"), view)
            for subject in ("001", "002")
            for walk in ("nm-01", "nm-05", "bg-01", "cl-01")
            for view in ("000", "090")
        ]
        self.subject, self.condition, video, self.view = np.array(walks).T
        self.types = np.char.add(np.char.add(self.condition, "-"), video)

    def __len__(self):
        return len(self.subject)

    def read(self, i):
        place = int(self.subject[i]) ^ 3 if self.condition[i] == "cl" else int(self.subject[i])
        frames = np.arange(3 + i, dtype=np.float32)  # of any length
        return np.broadcast_to(100.0 * place + frames[:, None, None] * 0.01, (3 + i, 17, 3))


def test_the_nearest_poses_of_another_view_decide():
    table = raw_pose_accuracy(Poses(), frames=4)
    assert table.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]  # nm, bg, cl by view, mean
