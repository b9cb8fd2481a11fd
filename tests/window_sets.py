"""Sets of skeleton windows in memory, and recordings cut into them as the published ones are."""

import numpy as np

from keras_gait.data.dataset import GaitDataset


class Windows:
    """A store of windows ``(n, f, J, 3)`` that notes which were asked for."""

    def __init__(self, windows):
        self.windows, self.asked = windows, []

    def read(self, row, start, count):
        return self.read_many(np.array([row]), count)[0]

    def read_many(self, rows, count):
        self.asked.append(rows.tolist())
        return self.windows[rows]


def window_set(windows, subjects=None, videos=None, **labels):
    """A data set of these windows in file order; ``subjects``, ``videos``, ``view`` and so on: of each."""
    count = len(windows)
    index = {"condition": [""] * count, "view": [""] * count} | labels
    index["subject"] = ["0"] * count if subjects is None else [str(subject) for subject in subjects]
    index["video"] = [f"{row:07d}" for row in (range(count) if videos is None else videos)]
    index["frames"] = [windows.shape[1]] * count
    info = {"modality": "skeleton", "frame_shape": windows.shape[2:], "dtype": "float32"}
    info["channels"] = ("x", "y", "z")
    return GaitDataset("set", info, index, Windows(np.float32(windows)), "digest")


def cut(recordings, length, joints=4):
    """Recordings ``[(subject, frames)]`` cut with stride ``length / 2``, once for each start offset, all
    recordings at offset 0 first -> a data set of windows. x of joint 0 is the number of the frame
    in its recording, the other numbers of every frame are its own.
    """
    rng = np.random.default_rng(0)
    recorded = [(subject, rng.normal(size=(count, joints, 3))) for subject, count in recordings]
    for _, frames in recorded:
        frames[:, 0, 0] = np.arange(len(frames))
    windows, subjects = [], []
    for offset in range(length):
        for subject, frames in recorded:
            for start in range(offset, len(frames) - length + 1, length // 2):
                windows.append(frames[start : start + length])
                subjects.append(subject)
    return window_set(np.stack(windows), subjects)
