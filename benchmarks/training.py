"""What a training step costs, and whether it waits for its input, on the backend of ``KERAS_BACKEND``.

    python benchmarks/training.py
    KERAS_BACKEND=jax python benchmarks/training.py --config configs/skeletongait/ccpg.yaml --p 2 --k 2

The step against the forward pass (the published grouped convolutions of AttenGait took 300 times the forward
pass on a CPU), steps and embedded clips a second, and the share of time that ``fit``'s batches are waited
for: model, losses, optimizer, clips and augmentation are those of a recipe. Prints one JSON line per figure.
"""

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
from timing import shortest

from keras_gait.data.opening import open_dataset
from keras_gait.data.writer import Sequence, write_dataset
from keras_gait.training.recipes import load_recipe
from keras_gait.training.settings import METHODS
from keras_gait.training.supervised import make_model, way_of
from keras_gait.vision.joint_graphs import GRAPHS

SUBJECTS, TAKES, LENGTH, SIZE = 16, 4, 60, 64
COLOURS = ("red", "green", "blue")


def load_clip(channels, seed):
    """Frames of one made-up sequence, in large patches; the writer's ``load``."""
    rng = np.random.default_rng(int(Path(seed).name))
    return rng.integers(0, 256, (LENGTH, 8, 8, channels), np.uint8).repeat(8, axis=1).repeat(8, axis=2), []


def load_poses(joints, seed):
    """Joints of one made-up sequence, each near its own place; the writer's ``load``."""
    rng = np.random.default_rng(int(Path(seed).name))
    poses = rng.uniform(0, 240, (joints, 3)) + rng.normal(0, 5, (LENGTH, joints, 3))
    return np.clip(poses, [0, 0, 0], [320, 240, 1]).astype(np.float32), []


def write_set(folder, load, shape, dtype, channels):
    """A data set of `SUBJECTS` with sequences of such frames."""
    sequences = []
    for i in range(SUBJECTS * TAKES):
        source = folder / "seeds" / str(i)
        source.mkdir(parents=True)
        sequences.append(Sequence(f"{i // TAKES:03d}", "nm", "090", f"{i % TAKES:02d}", str(source)))
    write_dataset(
        folder / "set",
        sequences,
        load,
        modality="pose" if len(shape) == 2 else "random",
        source="random",
        split="train",
        frame_shape=shape,
        dtype=dtype,
        channels=channels,
    )
    return open_dataset(folder / "set")


def made_up_set(recipe, folder):
    """A data set of what the recipe's model takes."""
    if METHODS[recipe["method"]].way == "gaitgraph":
        joints = len(GRAPHS[recipe["model"]["joints"]].joints)
        shape, channels = (joints, 3), ("x", "y", "confidence")
        return write_set(folder, partial(load_poses, joints), shape, "float32", channels)
    channels = tuple(recipe["data"].get("channels") or COLOURS)
    shape = (SIZE, SIZE, len(channels))
    return write_set(folder, partial(load_clip, len(channels)), shape, "uint8", channels)


def benchmarked(args):
    """The recipe with batches of p x k sequences of so many frames."""
    recipe = load_recipe(args.config)
    recipe["sampler"] |= {"p": args.p, "k": args.k} | ({"pk": True} if "pk" in recipe["sampler"] else {})
    recipe["model" if "frames" in recipe["model"] else "sampler"]["frames"] = args.frames
    return recipe


def waiting_share(model, batches, steps):
    """The part of the time of ``steps`` training steps that is spent waiting for the next batch."""
    iterator = iter(batches.to_tf_data())
    model.train_on_batch(*_arrays(next(iterator)))
    waited, start = 0.0, time.perf_counter()
    for _ in range(steps):
        asked = time.perf_counter()
        batch = next(iterator)
        waited += time.perf_counter() - asked
        model.train_on_batch(*_arrays(batch))
    return waited / (time.perf_counter() - start)


def _arrays(batch):
    clips, wanted = batch
    return clips.numpy(), {name: value.numpy() for name, value in wanted.items()}


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="configs/attengait/casiab.yaml", help="recipe")
    parser.add_argument("--p", type=int, default=2)
    parser.add_argument("--k", type=int, default=2)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args(argv)
    recipe = benchmarked(args)
    way = way_of(recipe)
    with tempfile.TemporaryDirectory() as folder:
        batches = way.make_batches(recipe, made_up_set(recipe, Path(folder)))
        model = make_model(recipe, batches.dataset, SUBJECTS)
        batches.label_outputs = tuple(name for name in model.output if name != "logits")
        steps = way.steps_per_epoch(recipe, batches)
        way.make_compiler(recipe, model, batches.sampler, steps)(recipe["losses"].get("cross_weight"))
        clips, wanted = _arrays(next(iter(batches.to_tf_data())))
        calls = args.repeats + 1  # the first compiles
        forward = shortest(lambda: model.encoder.predict_on_batch(clips), calls)
        step = shortest(lambda: model.train_on_batch(clips, wanted), calls)
        share = waiting_share(model, batches, 2 * args.repeats)
    figures = {
        "step to forward pass": step / forward,
        "steps a second": 1 / step,
        "clips embedded a second": len(clips) / forward,
        "share of time waiting for input": share,
    }
    setting = {"backend": keras.backend.backend(), "clips": len(clips), "frames": args.frames}
    for figure, value in figures.items():
        line = {"benchmark": "training", "figure": figure, "value": round(value, 4)}
        print(json.dumps(line | setting | {"config": args.config}))


if __name__ == "__main__":
    main(sys.argv[1:])
