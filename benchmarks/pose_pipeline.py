"""Pose sequences a second through all training transforms: ours against one sample after the other.

    python benchmarks/pose_pipeline.py

The baseline is the specification written down plainly in NumPy, as one ports it: for each sequence one
transform after the other, the branches joint by joint and frame by frame. Ours are `PoseBatches` with
`PoseAugmentation`, streamed as training takes them, and then the layer `PoseBranches`, which is part of the
model, on the backend of ``KERAS_BACKEND``. Figures, of sequences in memory and then on disk:

- "sequences a second", "ratio": all transforms of both;
- "input", "input ratio": what our stream alone delivers, since the model makes the branches, against all of
  the baseline, which delivers them;
- "ratio before the branches": the same transforms of both, in one thread;
- "largest difference": between the two without chance.

Prints one JSON line per figure.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from timing import report, shortest

from keras_gait.data.opening import open_dataset
from keras_gait.data.pose_augmentation import PoseAugmentation
from keras_gait.data.pose_batches import PoseBatches
from keras_gait.data.sampling import PoseSampling, ShuffledSampler
from keras_gait.data.writer import Sequence, write_dataset
from keras_gait.layers import PoseBranches
from keras_gait.vision.joint_graphs import GRAPHS

GRAPH = GRAPHS["coco"]
LENGTHS = 20, 140  # frames of the sequences
CHANCE = {
    "flip_sequence": 0.5,
    "flip_lr": 0.5,
    "joint_noise": 0.1,
    "point_noise": 0.05,
    "random_move": (3, 1),
}
NO_CHANCE = dict.fromkeys(CHANCE, 0)


def load_poses(seed):
    """One made-up sequence; the writer's ``load``."""
    rng = np.random.default_rng(int(Path(seed).name))
    poses = rng.uniform(0, 240, (17, 3)) + rng.normal(0, 5, (rng.integers(*LENGTHS), 17, 3))
    return np.clip(poses, [0, 0, 0], [320, 240, 1]).astype(np.float32), []


def write_set(folder, count):
    sequences = []
    for i in range(count):
        source = folder / "seeds" / str(i)
        source.mkdir(parents=True)
        sequences.append(Sequence(f"{i:04d}", "nm", "01", "090", str(source)))
    write_dataset(
        folder / "set",
        sequences,
        load_poses,
        modality="pose",
        source="random",
        split="train",
        frame_shape=(17, 3),
        dtype="float32",
        channels=("x", "y", "confidence"),
    )
    return open_dataset(folder / "set")


class InMemory:
    """A data set's sequences, read beforehand."""

    def __init__(self, dataset):
        self.frames, self.frame_shape, self.dtype = dataset.frames, dataset.frame_shape, dataset.dtype
        self.sequences = [dataset.read(i) for i in range(len(dataset))]

    def read(self, i, start=0, count=None):
        return self.sequences[i][start : None if count is None else start + count]


def pad(x, length):
    if len(x) > length:
        return x
    lacking = length + 1 - len(x)
    before, after = -(-lacking // 2), lacking // 2 + 1
    while before > len(x) or after > len(x):
        x = np.concatenate([x[::-1], x, x[::-1]])
    return np.concatenate([x[1:before][::-1], x, x[-1 - after : -1][::-1]])[:length]


def plain_transforms(x, length, chance, rng):
    """One sequence ``(n, V, 3)`` as it trains, before the branches: one transform after the other."""
    x = pad(x, length)
    if rng.random() < chance["flip_sequence"]:
        x = x[::-1]
    if len(x) > length:
        start = rng.integers(len(x) - length)
        x = x[start : start + length]
    x = x.copy()
    if rng.random() < chance["flip_lr"]:
        x = x[:, list(GRAPH.flip_index)]
    spread = chance["joint_noise"]
    x[..., :2] += rng.uniform(-spread, spread, (1, x.shape[1], 2))
    spread = chance["point_noise"]
    x += rng.uniform(-spread, spread, x.shape)
    x[..., 2] = np.clip(x[..., 2], 0, 1)
    x[..., :2] += rng.uniform(-1, 1, 2) * chance["random_move"]
    return x


def plain_branches(x):
    """``(T, V, 3) -> (T, V, 3, 5)``, joint by joint and frame by frame."""
    branches = np.zeros((*x.shape[:2], 3, 5), np.float32)
    branches[:, :, 0, :3] = x
    branches[:, :, 1, 3] = branches[:, :, 2, 3] = x[..., 2]
    for joint, connected in enumerate(GRAPH.connect_joint):
        branches[:, joint, 0, 3:] = x[:, joint, :2] - x[:, GRAPH.centre, :2]
        bone = x[:, joint, :2] - x[:, connected, :2]
        branches[:, joint, 2, :2] = bone
        branches[:, joint, 2, 4] = np.arccos(bone[:, 1] / (np.sqrt((bone**2).sum(axis=1)) + 1e-4))
    for frame in range(len(x) - 2):
        branches[frame, :, 1, :2] = x[frame + 1, :, :2] - x[frame, :, :2]
        branches[frame, :, 1, 4] = x[frame + 2, :, 1] - x[frame, :, 1]
    return branches


def make_batches(dataset, count, length, chance):
    options = dict(chance)
    clips = PoseSampling(length, options.pop("flip_sequence"))
    augment = PoseAugmentation(GRAPH.flip_index, **options)
    sampler = ShuffledSampler(np.zeros(len(dataset.frames)), count, seed=0)
    return PoseBatches(dataset, np.zeros(len(dataset.frames)), sampler, clips, augment)


def largest_difference(dataset, branches, length):
    """Between the two without chance, over sequences that are padded: of others chance chooses the frames."""
    short = [i for i in range(len(dataset.frames)) if dataset.frames[i] <= length]
    batches = make_batches(dataset, len(dataset.frames), length, NO_CHANCE)
    rng = np.random.default_rng(0)
    ours = branches.predict_on_batch(batches.read(np.array(short), rng))
    plain = [plain_branches(plain_transforms(dataset.read(i), length, NO_CHANCE, rng)) for i in short]
    return max((np.abs(a - b).max() for a, b in zip(ours, plain, strict=True)), default=0.0)


def stream_rate(batches, model, steps):
    """Sequences a second out of the stream and through ``model(poses)``, as training takes them."""
    stream = iter(batches.to_tf_data())
    for _ in range(3):  # that fill the queues
        model(next(stream)[0].numpy())
    start, count = time.perf_counter(), 0
    for _ in range(steps):
        poses = next(stream)[0].numpy()
        model(poses)
        count += len(poses)
    return count / (time.perf_counter() - start)


def rates(dataset, layer, args):
    """Sequences a second of ours: with the branches, the stream alone, and before the branches in one thread;
    then of the baseline: with the branches and before them.
    """
    rng = np.random.default_rng(0)
    batches = make_batches(dataset, args.batch, args.frames, CHANCE)
    sequences = batches.sampler.sequences(0, rng)

    def plain():
        return [plain_transforms(dataset.read(int(i)), args.frames, CHANCE, rng) for i in sequences]

    ways = (
        lambda: batches[0],
        lambda: np.stack([plain_branches(poses) for poses in plain()]),
        lambda: np.stack(plain()),
    )
    streams = (stream_rate(batches, model, 3 * args.repeats) for model in (layer.predict_on_batch, len))
    return *streams, *(len(sequences) / shortest(way, args.repeats) for way in ways)


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=768, help="sequences")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    inputs = keras.Input((args.frames, 17, 3))
    layer = keras.Model(inputs, PoseBranches()(inputs))
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_set(Path(folder), args.batch)
        for where, sequences in (("", InMemory(dataset)), (" from disk", dataset)):
            ours, stream, before, plain, plain_before = rates(sequences, layer, args)
            figures |= {
                f"sequences a second{where}": ours,
                f"input{where}": stream,
                f"baseline{where}": plain,
                f"ratio{where}": ours / plain,
                f"input ratio{where}": stream / plain,
                f"ratio before the branches{where}": before / plain_before,
            }
        figures["largest difference"] = float(largest_difference(dataset, layer, args.frames))
    setting = {"backend": keras.backend.backend(), "batch": args.batch, "frames": args.frames}
    for figure, value in figures.items():
        report("pose pipeline", figure, value, **setting)


if __name__ == "__main__":
    main(sys.argv[1:])
