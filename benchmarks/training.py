"""What a training step costs, and whether it waits for its input, on the backend of ``KERAS_BACKEND``.

    python benchmarks/training.py
    KERAS_BACKEND=jax python benchmarks/training.py --config configs/skeletongait/ccpg.yaml --p 2 --k 2
    python benchmarks/training.py --config configs/sge/biwi.yaml

The step against the forward pass (the published grouped convolutions of AttenGait took 300 times the forward
pass on a CPU), steps, trained and embedded clips a second, and the share of time that ``fit``'s batches are
waited for: model, losses, optimizer, clips and augmentation are those of a recipe. Of a recipe that trains
encoders of skeletons, the encoder of one axis. Prints one JSON line per figure.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
from timing import report, shortest

from keras_gait.data.opening import open_dataset
from keras_gait.data.writer import Sequence, write_dataset
from keras_gait.models.skeleton_axis import SGEAxis
from keras_gait.training import sge, sge_encoder
from keras_gait.training.recipes import load_recipe
from keras_gait.training.settings import METHODS
from keras_gait.training.supervised import label_outputs, make_model, way_of
from keras_gait.vision.joint_graphs import GRAPHS

SUBJECTS, TAKES, LENGTH, SIZE = 16, 4, 60, 64
KINECT = 20  # joints of its skeletons
COLOURS = ("red", "green", "blue")


def load_clip(channels, seed):
    """Frames of one made-up sequence, in large patches; the writer's ``load``."""
    rng = np.random.default_rng(int(Path(seed).name))
    return rng.integers(0, 256, (LENGTH, 8, 8, channels), np.uint8).repeat(8, axis=1).repeat(8, axis=2), []


def load_poses(joints, length, seed):
    """Joints of one made-up sequence, each near its own place; the writer's ``load``."""
    rng = np.random.default_rng(int(Path(seed).name))
    poses = rng.uniform(0, 240, (joints, 3)) + rng.normal(0, 5, (length, joints, 3))
    return np.clip(poses, [0, 0, 0], [320, 240, 1]).astype(np.float32), []


def write_set(folder, load, shape, dtype, channels, modality="random", takes=TAKES, **about):
    """A data set of `SUBJECTS` with sequences of such frames, numbered one after another."""
    sequences = []
    for i in range(SUBJECTS * takes):
        source = folder / "seeds" / str(i)
        source.mkdir(parents=True)
        sequences.append(Sequence(f"{i // takes:03d}", "nm", "090", f"{i:07d}", str(source)))
    write_dataset(
        folder / "set",
        sequences,
        load,
        modality=modality,
        source="random",
        split="train",
        frame_shape=shape,
        dtype=dtype,
        channels=channels,
        about=about,
    )
    return open_dataset(folder / "set")


def made_up_set(recipe, folder):
    """A data set of what the recipe's model takes."""
    if METHODS[recipe["method"]].way == "gaitgraph":
        joints = len(GRAPHS[recipe["model"]["joints"]].joints)
        load = partial(load_poses, joints, LENGTH)
        return write_set(folder, load, (joints, 3), "float32", ("x", "y", "confidence"), "pose")
    channels = tuple(recipe["data"].get("channels") or COLOURS)
    shape = (SIZE, SIZE, len(channels))
    return write_set(folder, partial(load_clip, len(channels)), shape, "uint8", channels)


def benchmarked(args):
    """The recipe with batches of p x k sequences of so many frames, or of its own where it says neither."""
    recipe = load_recipe(args.config)
    if METHODS[recipe["method"]].way == "sge":
        recipe["sampler"]["batch_size"] = args.batch or recipe["sampler"]["batch_size"]
        return recipe
    recipe["sampler"] |= {"p": args.p, "k": args.k} | ({"pk": True} if "pk" in recipe["sampler"] else {})
    recipe["model" if "frames" in recipe["model"] else "sampler"]["frames"] = args.frames
    return recipe


def prepared(recipe, folder):
    """What trains: the compiled model, the one that embeds, and the batches."""
    if METHODS[recipe["method"]].way == "sge":
        return prepared_axis(recipe, folder)
    way = way_of(recipe)
    dataset = made_up_set(recipe, folder)
    batches = way.make_batches(recipe, dataset)
    model = make_model(recipe, batches.dataset, SUBJECTS)
    learner = way.make_learner(recipe, model, dataset)
    batches.label_outputs = label_outputs(learner)
    steps = way.steps_per_epoch(recipe, batches)
    way.make_compiler(recipe, learner, batches.sampler, steps)(recipe["losses"].get("cross_weight"))
    return learner, model.encoder, batches


def prepared_axis(recipe, folder):
    """As `prepared`, of the encoder that SGE trains first, on twice as many windows as a batch has."""
    length, takes = recipe["data"]["length"], -(-2 * recipe["sampler"]["batch_size"] // SUBJECTS)
    load, about = partial(load_poses, KINECT, length), {"length": length, "layout": "biwi"}
    dataset = write_set(folder, load, (KINECT, 3), "float32", ("x", "y", "z"), "skeleton", takes, **about)
    whole = sge.make_model(recipe, dataset)
    task, losses = whole.tasks[0], recipe["losses"]
    batches = sge_encoder.make_batches(recipe, dataset, task, axis=0)
    model = SGEAxis(**whole.axis_options(task), l2=losses["l2"], decay=losses["decay"])
    batches.label_outputs = tuple(model.output)
    sge_encoder.compile_axis(recipe, model)
    return model, model, batches


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


def inputs_of(encoder, clips):
    """What an encoder takes of a batch: the first of two views, or all that there is."""
    parts = keras.tree.flatten(clips)
    return clips if len(encoder.inputs) == len(parts) else parts[0]


def _arrays(batch):
    return keras.tree.map_structure(lambda tensor: tensor.numpy(), batch)


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="configs/attengait/casiab.yaml", help="recipe")
    parser.add_argument("--p", type=int, default=2)
    parser.add_argument("--k", type=int, default=2)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--batch", type=int, help="sequences in a batch that is not P x K; else the recipe's")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args(argv)
    recipe = benchmarked(args)
    with tempfile.TemporaryDirectory() as folder:
        model, encoder, batches = prepared(recipe, Path(folder))
        clips, wanted = _arrays(next(iter(batches.to_tf_data())))
        calls = args.repeats + 1  # the first compiles
        embedded = inputs_of(encoder, clips)
        forward = shortest(lambda: encoder.predict_on_batch(embedded), calls)
        step = shortest(lambda: model.train_on_batch(clips, wanted), calls)
        share = waiting_share(model, batches, 2 * args.repeats)
    count = len(keras.tree.flatten(clips)[0])
    figures = {
        "step to forward pass": step / forward,
        "steps a second": 1 / step,
        "clips trained a second": count / step,
        "clips embedded a second": count / forward,
        "share of time waiting for input": share,
    }
    frames = recipe["data"].get("length") or args.frames
    setting = {"backend": keras.backend.backend(), "clips": count, "frames": frames}
    for figure, value in figures.items():
        report("training", figure, value, **setting, config=args.config)


if __name__ == "__main__":
    main(sys.argv[1:])
