"""Milliseconds that two augmented views of a batch take: ours against one frame after the other.

    python benchmarks/view_augmentation.py

The baseline is a port as one writes it: for each clip the draws, and then all steps for each of its frames,
by the same OpenCV functions. Both run in one thread. Figures, for the published flips alone and for all steps
on (crop, flip and blur for half of the clips, jitter for four fifths, as published for colours):

- "ours", "baseline": milliseconds for both views of a batch;
- "ratio": how many times as long the baseline takes.

The last figure, "streamed", is what the stream of batches takes for the same with all steps on, frames in
memory, two batches at once as in training. What part of a training step waits for its input is told by
``benchmarks/training.py --config`` with a recipe of SelfGait.

Prints one JSON line per figure.
"""

import argparse
import sys
import time

import cv2
import numpy as np
from timing import report, shortest

from keras_gait.data.dataset import GaitDataset
from keras_gait.data.sampling import ClipSampling, ShuffledSampler
from keras_gait.data.view_augmentation import ViewAugmentation
from keras_gait.data.view_batches import ViewBatches

SETTINGS = {
    "flips": {"flip": 0.5},
    "all steps": {"crop": 0.5, "flip": 0.5, "jitter": 0.8, "blur": 0.5},
}


def plain_rectangle(height, width, rng):
    for _ in range(10):
        area, ratio = rng.uniform(0.08, 1.0) * height * width, np.exp(rng.uniform(*np.log((0.75, 4 / 3))))
        tall, wide = round(np.sqrt(area / ratio)), round(np.sqrt(area * ratio))
        if 0 < tall <= height and 0 < wide <= width:
            return rng.integers(height - tall + 1), rng.integers(width - wide + 1), tall, wide
    return 0, 0, height, width


def plain_view(clips, chances, rng):
    """A view of ``clips (b, t, h, w, 1)``, frame by frame."""
    view = np.empty_like(clips)
    _, _, height, width, _ = clips.shape
    for i, clip in enumerate(clips):
        chosen = {step for step, chance in chances.items() if rng.random() < chance}
        top, left, tall, wide = plain_rectangle(height, width, rng)
        brightness, contrast = rng.uniform(0.2, 1.8, 2)
        sigma = rng.uniform(0.1, 2.0)
        for j, frame in enumerate(clip[..., 0]):
            if "crop" in chosen:
                frame = cv2.resize(frame[top : top + tall, left : left + wide], (width, height))
            if "flip" in chosen:
                frame = cv2.flip(frame, 1)
            if "jitter" in chosen:
                frame = np.minimum(frame * np.float32(brightness), 255)
                mean = frame.mean()
                frame = np.clip(mean + contrast * (frame - mean), 0, 255).round().astype(np.uint8)
            if "blur" in chosen:
                frame = cv2.GaussianBlur(frame, (9, 9), sigma)
            view[i, j, ..., 0] = frame
    return view


class InMemory:
    """The store of a data set whose frames are here already."""

    def __init__(self, clips):
        self.clips = clips

    def read(self, row, start, count):
        return self.clips[row, start : start + count]


def make_batches(clips, settings):
    names = [f"{i:04d}" for i in range(len(clips))]
    index = dict.fromkeys(("subject", "condition", "view", "video"), names)
    index["frames"] = [clips.shape[1]] * len(clips)
    info = {"frame_shape": clips.shape[2:], "dtype": "uint8"}
    dataset = GaitDataset("memory", info, index, InMemory(clips), "memory")
    sampler = ShuffledSampler(dataset.labels, len(clips), seed=0)
    return ViewBatches(
        dataset, dataset.labels, sampler, ClipSampling(clips.shape[1]), ViewAugmentation(**settings)
    )


def streamed(batches, steps):
    """Seconds a batch of the stream."""
    stream = iter(batches.to_tf_data())
    for _ in range(4):  # that fill the queues
        next(stream)
    start = time.perf_counter()
    for _ in range(steps):
        next(stream)
    return (time.perf_counter() - start) / steps


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=128, help="sequences")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    clips = rng.integers(0, 2, (args.batch, args.frames, 64, 64, 1), np.uint8) * np.uint8(255)
    setting = {"unit": "ms", "batch": args.batch, "frames": args.frames}
    for name, chances in SETTINGS.items():
        augment = ViewAugmentation(**chances)
        ways = {
            "ours": lambda augment=augment: [augment(clips, rng) for _ in range(2)],
            "baseline": lambda chances=chances: [plain_view(clips, chances, rng) for _ in range(2)],
        }
        took = {way: 1000 * shortest(views, args.repeats) for way, views in ways.items()}
        for way, value in took.items():
            report("view augmentation", f"{name}, {way}", value, **setting)
        ratio = took["baseline"] / took["ours"]
        report("view augmentation", f"{name}, ratio", ratio, batch=args.batch, frames=args.frames)
    seconds = streamed(make_batches(clips, SETTINGS["all steps"]), 3 * args.repeats)
    report("view augmentation", "all steps, streamed", 1000 * seconds, **setting)


if __name__ == "__main__":
    main(sys.argv[1:])
