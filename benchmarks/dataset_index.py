"""How long a data set of 130,000 sequences takes to open, and its first P x K batch to read.

    python benchmarks/dataset_index.py

The index has the size of GREW's; its rows share a few records, so that little disk is needed.
``open`` is held against ``csv.DictReader`` on the same index, ``batch`` against reading the clips as
the originals lie: a gzip-compressed HDF5 file a sequence. Prints one JSON line a figure.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
from timing import report, shortest

from keras_gait.data import tfrecord
from keras_gait.data.dataset import COLUMNS, FORMAT_VERSION
from keras_gait.data.opening import open_dataset

FRAMES, SHAPE = 100, (64, 64, 3)
SHARD = "sequences-00000-of-00001.tfrecord"


def build(folder, sequences, records=64, per_subject=6):
    """A data set of many rows on few records. Returns the records' frames."""
    rng = np.random.default_rng(0)
    clips, rows = [], []
    with open(folder / SHARD, "wb") as shard:
        for _ in range(records):
            coarse = rng.integers(0, 256, (FRAMES, 8, 8, 3), np.uint8)
            clips.append(coarse.repeat(8, axis=1).repeat(8, axis=2))
            payload = tfrecord.encode_example({"shape": [FRAMES, *SHAPE], "frames": [clips[-1].tobytes()]})
            rows.append((SHARD, shard.tell(), len(payload)))
            shard.write(tfrecord.frame_record(payload))
    with open(folder / "sequences.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for i in range(sequences):
            subject = f"{i // per_subject:05d}"
            writer.writerow((*rows[i % records], subject, "", "", f"{i % per_subject:02d}", FRAMES))
    info = {"version": FORMAT_VERSION, "encoding": "raw", "frame_shape": SHAPE, "dtype": "uint8"}
    info["counts"] = {"sequences": sequences}
    (folder / "dataset.json").write_text(json.dumps(info))
    return clips


def open_with_labels(folder):
    ds = open_dataset(folder)
    return ds, ds.labels


def naive_open(folder):
    with open(folder / "sequences.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    place = {subject: i for i, subject in enumerate(sorted({row["subject"] for row in rows}))}
    return rows, [place[row["subject"]] for row in rows]


def write_hdf5(folder, clips):
    """The same clips as deepdish stores them."""
    for i, clip in enumerate(clips):
        with h5py.File(folder / f"{i}.h5", "w") as file:
            file.create_dataset("data", data=clip, shuffle=True, compression=9)


def naive_batch(folder, picks, frames):
    for i, start in picks:
        with h5py.File(folder / f"{i}.h5", "r") as file:
            file["data"][()][start : start + frames]


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=130_000)
    parser.add_argument("--batch", type=int, default=64, help="sequences a batch (P x K)")
    parser.add_argument("--frames", type=int, default=30, help="frames of each")
    args = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        clips = build(folder, args.sequences)
        opening, naive = shortest(lambda: open_with_labels(folder)), shortest(lambda: naive_open(folder))
        report("dataset_index", "open", opening, unit="s", sequences=args.sequences, cores=os.cpu_count())
        report("dataset_index", "open_ratio", naive / opening, against="csv.DictReader")

        ds = open_dataset(folder)
        rng = np.random.default_rng(1)
        rows = rng.choice(len(ds), args.batch, replace=False)
        picks = [(int(row), int(rng.integers(FRAMES - args.frames + 1))) for row in rows]
        batch = shortest(lambda: np.stack([ds.read(i, start, args.frames) for i, start in picks]))
        megabytes = args.batch * args.frames * np.prod(SHAPE) / 1e6
        report(
            "dataset_index",
            "batch",
            batch,
            unit="s",
            batch=args.batch,
            frames=args.frames,
            megabytes_a_second=megabytes / batch,
        )
        write_hdf5(folder, clips)
        stored = [(i % len(clips), start) for i, start in picks]
        naive = shortest(lambda: naive_batch(folder, stored, args.frames), repeats=1)
        report("dataset_index", "batch_ratio", naive / batch, against="one gzip HDF5 file a sequence")


if __name__ == "__main__":
    main(sys.argv[1:])
