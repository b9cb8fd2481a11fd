"""P x K batches a second: our ``tf.data`` pipeline against one that opens an HDF5 file for each sample.

    python benchmarks/input_pipeline.py

The baseline is the original's way: a ``tf.py_function`` for each sample opens that sequence's file, as its
packing scripts write it (gzip level 9 with shuffling), and cuts a clip out. Both run in one process, on the
same frames, with the same parallelism. Prints one JSON line per figure.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf
from timing import report

from keras_gait.data.opening import open_dataset
from keras_gait.data.pipeline import ClipBatches
from keras_gait.data.sampling import ClipSampling, PKSampler
from keras_gait.data.writer import Sequence, write_dataset

SUBJECTS, TAKES, LENGTH, SHAPE = 16, 12, 60, (64, 64, 3)


def load_clip(seed):
    """Frames of one made-up sequence, as smooth as flow images are; the writer's ``load``."""
    coarse = np.random.default_rng(int(Path(seed).name)).integers(0, 256, (LENGTH, 8, 8, 3), np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2), []


def write_both(folder):
    """Our data set and the HDF5 files -> (data set, list of files in its order)."""
    sequences = []
    for i in range(SUBJECTS * TAKES):
        source = folder / "seeds" / str(i)
        source.mkdir(parents=True)
        place = (f"{i // TAKES:03d}", "nm", "090", f"{i % TAKES:02d}")
        sequences.append(Sequence(*place, str(source)))
    write_dataset(
        folder / "set",
        sequences,
        load_clip,
        modality="flow",
        source="random",
        split="train",
        frame_shape=SHAPE,
    )
    dataset = open_dataset(folder / "set")
    files = []
    for i in range(len(dataset)):
        files.append(str(folder / f"{i}.h5"))
        with h5py.File(files[-1], "w") as file:
            file.create_dataset("data", data=dataset.read(i), shuffle=True, compression=9)
    return dataset, files


def hdf5_pipeline(files, batches, frames, parallel):
    """The same batches, each sample by ``tf.py_function``."""

    def read(name, start):
        with h5py.File(name.numpy().decode(), "r") as file:
            return file["data"][()][int(start) : int(start) + frames]

    def samples():
        for number in range(10**9):
            rng = batches.sampler.rng(number)
            for i in batches.sampler.sequences(number, rng):
                yield files[i], rng.integers(LENGTH - frames + 1)

    clips = tf.data.Dataset.from_generator(samples, output_types=(tf.string, tf.int64))
    clips = clips.map(lambda n, s: tf.py_function(read, [n, s], tf.uint8), num_parallel_calls=parallel)
    return clips.batch(batches.sampler.p * batches.sampler.k).prefetch(2)


def rate(dataset, steps):
    """Batches a second, after a few that fill the queues."""
    iterator = iter(dataset)
    for _ in range(3):
        next(iterator)
    start = time.perf_counter()
    for _ in range(steps):
        next(iterator)
    return steps / (time.perf_counter() - start)


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--p", type=int, default=8)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--steps", type=int, default=30, help="batches to time")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        dataset, files = write_both(Path(folder))
        sampler = PKSampler(dataset.labels, args.p, args.k, seed=0)
        batches = ClipBatches(dataset, dataset.labels, SUBJECTS, sampler, ClipSampling(args.frames))
        ours = rate(batches.to_tf_data(), args.steps)
        baseline = rate(hdf5_pipeline(files, batches, args.frames, 2), max(3, args.steps // 6))
    for figure, value in (("batches a second", ours), ("baseline", baseline), ("ratio", ours / baseline)):
        report("input pipeline", figure, value, p=args.p, k=args.k, frames=args.frames)


if __name__ == "__main__":
    main(sys.argv[1:])
