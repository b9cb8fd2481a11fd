"""Batches a second of consecutive skeleton windows for each pretext task: ours against a loop over windows.

    python benchmarks/skeleton_pipeline.py

Ours are `SkeletonBatches`, streamed as training takes them. The baseline makes the same batches plainly: it
reads one window after the other, takes its axis and makes its input and target. Both read the same data set
on disk. Figures of each task:

- "batches a second", "baseline", "ratio": of the stream and of the loop, which has no queue;
- "ratio without queue": ours in one thread, too, against the loop;
- "largest difference": between the two, of targets, and of inputs where no chance is in them.

Prints one JSON line per figure.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import report, shortest

from keras_gait.data.opening import open_dataset
from keras_gait.data.sampling import ConsecutiveSampler
from keras_gait.data.skeleton_batches import SkeletonBatches
from keras_gait.data.skeletons.pretext import TASKS
from keras_gait.data.skeletons.recordings import recording_of
from keras_gait.data.skeletons.sets import in_file_order
from keras_gait.data.writer import Sequence, write_dataset

PERSONS = 20
AXIS = 1


def load_window(seed):
    """One made-up window ``(f, J, 3)``; the writer's ``load``."""
    _, frames, joints, number = Path(seed).name.split("-")
    rng = np.random.default_rng(int(number))
    return rng.normal(size=(int(frames), int(joints), 3)).astype(np.float32), []


def write_set(folder, count, frames, joints):
    """A data set of ``count`` windows, opened, in file order."""
    (folder / "seeds").mkdir()
    sequences = []
    for i in range(count):
        seed = folder / "seeds" / f"window-{frames}-{joints}-{i}"
        seed.touch()
        sequences.append(Sequence(str(i * PERSONS // count), "", "", f"{i:07d}", str(seed)))
    settings = {"modality": "skeleton", "source": "random", "split": "train", "dtype": "float32"}
    settings |= {"frame_shape": (joints, 3), "channels": ("x", "y", "z")}
    write_dataset(folder / "set", sequences, load_window, length=frames, **settings)
    return in_file_order(open_dataset(folder / "set"))


def plain_batch(dataset, task, rows, rng):
    """``(inputs, targets)`` of one batch, one window after the other."""
    inputs, targets = [], []
    for i in rows:
        window = dataset.read(int(i))[..., AXIS]
        if task == "prediction":
            inputs.append(window)
            targets.append(dataset.read(min(int(i) + 1, len(dataset) - 1))[..., AXIS])
        else:
            inputs.append(window[rng.permutation(len(window))] if task == "sorting" else window)
            targets.append(window)
    return np.stack(inputs), np.stack(targets)


def stream_rate(batches, steps):
    """Batches a second out of the stream, once its queues are full."""
    stream = iter(batches.to_tf_data())
    for _ in range(5):
        next(stream)
    start = time.perf_counter()
    for _ in range(steps):
        next(stream)
    return steps / (time.perf_counter() - start)


def compare(dataset, task, args):
    """The figures of one task, by name."""
    sampler = ConsecutiveSampler(len(dataset), args.batch)
    batches = SkeletonBatches(dataset, AXIS, task, sampler, recording_of(dataset))
    rows, rng = sampler.sequences(0), np.random.default_rng(0)
    (inputs, targets), _, _ = batches[0]
    plain_inputs, plain_targets = plain_batch(dataset, task, rows, rng)
    difference = np.abs(targets - plain_targets).max()
    if task != "sorting":
        difference = max(difference, np.abs(inputs - plain_inputs).max())
    ours = stream_rate(batches, args.steps)
    alone = 1 / shortest(lambda: batches[0], args.repeats)
    plain = 1 / shortest(lambda: plain_batch(dataset, task, rows, rng), args.repeats)
    return {
        "batches a second": ours,
        "baseline": plain,
        "ratio": ours / plain,
        "ratio without queue": alone / plain,
        "largest difference": float(difference),
    }


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=6840)
    parser.add_argument("--batch", type=int, default=128, help="windows")
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--joints", type=int, default=20)
    parser.add_argument("--steps", type=int, default=300, help="batches of the stream that are timed")
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args(argv)
    setting = {name: getattr(args, name) for name in ("windows", "batch", "frames", "joints")}
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_set(Path(folder), args.windows, args.frames, args.joints)
        for task in TASKS:
            for figure, value in compare(dataset, task, args).items():
                report("skeleton pipeline", figure, value, task=task, **setting)


if __name__ == "__main__":
    main(sys.argv[1:])
