"""Write data sets (see `keras_gait.data.dataset` for the format): parallel, resumable, shareable.

The sequences are dealt out to shards in order; a job makes one shard and then its part of the index
(``parts/00003.json``), each under a temporary name first. So a part that exists stands for a finished
shard: a run that goes on after a kill, or another machine with ``--shard``, makes only what is
missing, and whichever run finds all parts there merges them and writes ``dataset.json`` last.
``plan.json`` says what the shards are made from; shards of another plan are never mixed in.
"""

import contextlib
import csv
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gait.data import tfrecord
from keras_gait.data.dataset import COLUMNS, FORMAT_VERSION, encode_png
from keras_gait.data.problems import SHORT, Problem, few_frames, read_json
from keras_gait.errors import GaitError
from keras_gait.files import UNFINISHED, write_whole, written_whole
from keras_gait.jobs import run_jobs, share

SEQUENCES_PER_SHARD = 64  # some 60 MB of CASIA-B flow; more where they are known to be short
SHARD_BYTES = 4_000_000  # of frames, that short sequences fill
FEWEST_SHARDS = 8  # so that small sets, too, can be made by several workers


class Sequence(NamedTuple):
    """One sequence to write: the index fields, and the folder or file that it is made from.

    ``source`` may be a path-like object that tells more, such as where in the file; it is told as its str.
    """

    subject: str
    condition: str
    view: str
    video: str
    source: str


@dataclass(frozen=True)
class Plan:
    """What a data set is made of. ``load(source) -> (frames (n, *frame_shape), problems)``, importable."""

    sequences: list
    load: object
    modality: str
    frame_shape: tuple
    dtype: str
    source: str
    split: str
    encoding: str
    channels: tuple
    about: dict
    fewest: int = SHORT
    per_shard: int = SEQUENCES_PER_SHARD

    @property
    def shards(self):
        return max(-(-len(self.sequences) // self.per_shard), min(FEWEST_SHARDS, len(self.sequences)))

    def shard_sequences(self, shard):
        count = len(self.sequences)
        return self.sequences[shard * count // self.shards : (shard + 1) * count // self.shards]

    def fingerprint(self):
        """Hex digest of the settings and of every source with its time of change, wherever they lie."""
        digest = hashlib.sha256(
            repr(
                (FORMAT_VERSION, self.modality, self.frame_shape, self.dtype, self.source, self.split)
            ).encode()
        )
        digest.update(self.encoding.encode())
        digest.update(json.dumps([self.channels, self.about], sort_keys=True).encode())
        paths = [os.fspath(sequence.source) for sequence in self.sequences]
        root = os.path.commonpath(set(paths))
        states = {path: (os.path.relpath(path, root), os.stat(path).st_mtime_ns) for path in set(paths)}
        for (*fields, _), path in zip(self.sequences, paths, strict=True):
            digest.update(repr((*fields, *states[path])).encode())
        return digest.hexdigest()


def write_dataset(
    output,
    sequences,
    load,
    *,
    modality,
    source,
    split,
    frame_shape=(64, 64, 3),
    dtype="uint8",
    encoding="raw",
    channels=(),
    about=None,
    fewest=SHORT,
    length=None,
    workers=1,
    shard=(0, 1),
):
    """Make the data set ``output``, or go on with it.

    Args:
        output: folder of the data set.
        sequences: list of `Sequence`.
        load: importable function ``load(source) -> (frames, problems)``; ``frames`` is an array
            ``(n, *frame_shape)``, ``problems`` a list of `keras_gait.data.problems.Problem`.
        modality: "flow", "silhouette", ...; ``source``: the data set's name, "CASIA-B";
            ``split``: "train", "ft" or "test". All three are kept in ``dataset.json``.
        encoding: "raw" or "png" (uint8 frames).
        channels: names of the frames' channels. about: dict of whatever else ``dataset.json`` is to tell.
        fewest: frames; shorter sequences are reported, and kept.
        length: frames of every sequence, where they are equally long; short ones make fewer shards.
        workers: parallel processes. ``shard``: ``(I, N)``, make every N-th shard from the I-th.

    Returns the list of `Problem` of the whole set, or of what is made so far.
    """
    output = Path(output)
    if not sequences:
        raise GaitError(
            f"{output}: there are no sequences for the {split} split. Check the input folder and, where the "
            "subjects are fewer than published, --train_subjects."
        )
    plan = Plan(
        sorted(sequences),
        load,
        modality,
        tuple(frame_shape),
        str(dtype),
        str(source),
        str(split),
        encoding,
        tuple(channels),
        about or {},
        fewest,
        sequences_per_shard(frame_shape, dtype, length),
    )
    try:
        return _write(output, plan, workers, shard)
    except OSError as error:  # disk full, no permission, a source taken away meanwhile
        raise GaitError(
            f"{output} cannot be made: {error}. What is finished is kept; run it again."
        ) from error


def sequences_per_shard(frame_shape, dtype, length=None):
    """How many sequences of ``length`` frames (None: any number) a shard holds."""
    frame_bytes = int(np.prod(frame_shape)) * np.dtype(dtype).itemsize
    return max(SEQUENCES_PER_SHARD, SHARD_BYTES // (length * frame_bytes) if length else 0)


def _write(output, plan, workers, shard):
    digest = plan.fingerprint()
    per_shard = _claim(output, digest, plan.per_shard)
    if not per_shard:
        print(f"{output} is complete already")
        return _stored_problems(output)
    plan = replace(plan, per_shard=per_shard)
    jobs = [i for i in share(range(plan.shards), shard) if not _shard_done(output, plan.shards, i)]
    problems = []
    # A job carries its own sequences only: the whole list once a shard would be gigabytes for OU-MVLP.
    settings = replace(plan, sequences=())
    parts = [(i, shard_name(i, plan.shards), plan.shard_sequences(i)) for i in jobs]
    for found in run_jobs(partial(_write_shard, output, settings), parts, workers, title=output.name):
        problems += found
    whole = all(_shard_done(output, plan.shards, i) for i in range(plan.shards))
    # Asked after that: another machine that had the last shard writes dataset.json, then removes the parts.
    if _is_complete(output, digest):
        return _stored_problems(output)
    if whole:
        return _merge(output, plan, digest)
    print(f"{output}: this part is done; the other shards are still to be made")
    return problems


def shard_name(shard, count):
    return f"sequences-{shard:05d}-of-{count:05d}.tfrecord"


def _part_path(output, shard):
    return output / "parts" / f"{shard:05d}.json"


def _is_complete(output, digest):
    if not (output / "dataset.json").is_file():
        return False
    _check_plan(output, read_json(output / "dataset.json").get("plan"), digest)
    return True


def _check_plan(output, found, digest):
    if found != digest:
        raise GaitError(
            f"{output} holds a data set that was made from other sources or settings (or its sources have "
            "changed since). Delete that folder to make it anew, or choose another output folder."
        )


def _claim(output, digest, per_shard):
    """Mark the folder as ours, or check that it was begun with the same plan.

    Returns how many sequences a shard holds, which is as it was begun; 0: it is complete.
    """
    plan_file = output / "plan.json"
    begun = {}
    with contextlib.suppress(FileNotFoundError):
        begun = read_json(plan_file)
    # Asked after that: a machine that ends just now writes dataset.json, then removes plan.json.
    if _is_complete(output, digest):
        return 0
    if begun:
        _check_plan(output, begun.get("plan"), digest)
        per_shard = begun.get("per_shard", SEQUENCES_PER_SHARD)  # plans did not tell it once
    elif output.exists() and any(not path.name.startswith(".") for path in output.iterdir()):
        raise GaitError(f"{output} exists and holds no data set: choose another output folder, or empty it.")
    output.mkdir(parents=True, exist_ok=True)
    write_whole(plan_file, json.dumps({"plan": digest, "per_shard": per_shard}))
    (output / "parts").mkdir(exist_ok=True)
    return per_shard


def _shard_done(output, count, shard):
    """Whether shard and part are there and whole, with the length that the part states."""
    try:
        part = json.loads(_part_path(output, shard).read_text(encoding="utf-8"))
        return (output / shard_name(shard, count)).stat().st_size == part["bytes"]
    except (FileNotFoundError, ValueError):  # not made yet, or the part is no JSON
        return False


def _write_shard(output, settings, part):
    """Job: make one shard and its part of the index; ``part`` is ``(shard, its file name, its sequences)``.

    ``settings`` is the plan without its sequences. Returns the problems.
    """
    shard, name, sequences = part
    rows, problems = [], []
    with written_whole(output / name) as temporary, open(temporary, "wb") as file:
        for sequence in sequences:
            frames, found = settings.load(sequence.source)
            problems += found
            if len(frames) or not found:  # what was found says already why there are none
                problems += few_frames(sequence.source, len(frames), settings.fewest)
            if not len(frames):
                continue
            payload = _example(sequence, frames, settings)
            rows.append((name, file.tell(), len(payload), *sequence[:4], len(frames)))
            file.write(tfrecord.frame_record(payload))
        size = file.tell()
    write_whole(_part_path(output, shard), json.dumps({"bytes": size, "rows": rows, "problems": problems}))
    return problems


def _example(sequence, frames, settings):
    """The serialised Example of one sequence; the frames come last."""
    frames = np.ascontiguousarray(frames, settings.dtype)
    if frames.shape[1:] != settings.frame_shape:
        raise GaitError(
            f"{sequence.source}: frames of shape {frames.shape[1:]}, expected {settings.frame_shape}: "
            "make the frames again with the pretreatment command."
        )
    values = [frames.tobytes()] if settings.encoding == "raw" else [encode_png(frame) for frame in frames]
    return tfrecord.encode_example(
        {
            "subject": [sequence.subject.encode()],
            "condition": [sequence.condition.encode()],
            "view": [sequence.view.encode()],
            "video": [sequence.video.encode()],
            "shape": list(frames.shape),
            "frames": values,
        }
    )


def _merge(output, plan, digest):
    """Join the parts into the index, write ``dataset.json`` and tidy up. Returns all problems."""
    try:
        parts = [json.loads(_part_path(output, i).read_text(encoding="utf-8")) for i in range(plan.shards)]
    except FileNotFoundError:
        if _is_complete(output, digest):  # another machine was quicker
            return _stored_problems(output)
        raise
    rows = [row for part in parts for row in part["rows"]]
    problems = [Problem(*problem) for part in parts for problem in part["problems"]]
    if not rows:
        shutil.rmtree(output)
        raise GaitError(
            f"{output}: not one of {len(plan.sequences)} sequences could be used "
            f"({problems[0].place}: {problems[0].what})."
        )
    with (
        written_whole(output / "sequences.csv") as index,
        open(index, "w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    info = {
        "format": "keras_gait",
        "version": FORMAT_VERSION,
        "modality": plan.modality,
        "channels": plan.channels,
        "frame_shape": plan.frame_shape,
        "dtype": plan.dtype,
        "encoding": plan.encoding,
        "source": plan.source,
        "split": plan.split,
        "counts": {
            "shards": plan.shards,
            "sequences": len(rows),
            "subjects": len({row[3] for row in rows}),
            "frames": sum(row[7] for row in rows),
        },
        "problems": problems,
        "plan": digest,
        **plan.about,
    }
    write_whole(output / "dataset.json", json.dumps(info, indent=1) + "\n")
    shutil.rmtree(output / "parts", ignore_errors=True)
    for leftover in [output / "plan.json", *output.glob(f"{UNFINISHED}*.tfrecord")]:
        leftover.unlink(missing_ok=True)
    print(f"{output}: " + ", ".join(f"{count} {what}" for what, count in info["counts"].items()))
    return problems


def _stored_problems(output):
    return [Problem(*problem) for problem in read_json(output / "dataset.json")["problems"]]


def add_writer_flags(parser):
    """The flag that every command which writes a data set has: ``--encoding``."""
    parser.add_argument(
        "--encoding", default="raw", choices=("raw", "png"), help="frames as plain bytes, or one PNG a frame"
    )
