"""Embeddings of whole sequences, on disk: computed in batches of few lengths, and kept for the next time."""

import hashlib
import json
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from keras_gait.errors import GaitError
from keras_gait.files import write_whole, written_whole
from keras_gait.vision.clips import check_cut, cut_columns

BATCH_FRAMES = 512  # at most in one batch of several sequences: bounds the memory of feature maps of pictures
POSE = ("x", "y", "confidence")  # what a model of poses takes of each joint
SKELETON = ("x", "y", "z")  # what a model of skeletons takes
LENGTHS_AN_OCTAVE = 4  # that sequences are filled up to
READERS = 4
WINDOWS = 256  # short sequences of one length that a thread reads at once
BATCHES_AHEAD = 3


def embed(
    model,
    dataset,
    batch_size=128,
    min_frames=1,
    cut=False,
    tta=False,
    output=None,
    title=None,
    encoder="encoder",
):
    """Embeddings ``(n, parts, dim)`` float32 of the sequences of ``dataset``, in its order.

    Every sequence is taken whole, at its own length. A batch holds sequences of exactly one length, so
    nothing is padded and no embedding depends on what else is in its batch. Only for a model that says
    ``masks_padding``, where frames of negative pixels count nowhere, sequences are filled up with them to
    one of a few lengths, since every length is compiled anew. Sequences shorter than ``min_frames`` are
    repeated up to it; `long_enough` finds them. A model of poses brings each to its own length instead, by
    ``prepare``.

    Args:
        model: with ``encoder``: frames ``(batch, frames, height, width, channels)`` or poses ``(batch,
            frames, joints, 3)`` -> embeddings.
        batch_size: sequences in a batch, at most; long ones come in smaller batches, of ``batch_frames`` of
            the model, where it has its own.
        cut: look at columns 10..53 of each frame only, widened to the frame.
        tta: embed the test-time views of each sequence, by ``tta_encoder``.
        output: a ``.npy`` file to write block by block; the result is then a memory map of it.
        title: of the progress bar, which only a terminal shows; None shows none.
        encoder: name of the network among the model's attributes that is run, such as "scorer".
    """
    check_frames(model, dataset)
    check_tta(model, tta)
    if cut:
        check_cut(dataset)
    if not len(dataset) or not dataset.frames.all():
        what = "an empty sequence" if len(dataset) else "no sequence"
        raise GaitError(
            f"{dataset.path} holds {what}: nothing to embed. Check the selection, or make the set anew."
        )
    lengths, at_once, read = _reader(model, dataset, min_frames, cut)
    batches = _batches(lengths, batch_size, getattr(model, "batch_frames", BATCH_FRAMES))
    network = model.tta_encoder if tta else getattr(model, encoder)
    embeddings = None
    with tqdm(total=len(dataset), desc=title, unit="seq", disable=title is None or None) as bar:
        for members, frames in _read_ahead(read, at_once, batches):
            values = np.asarray(network.predict_on_batch(frames), np.float32)
            finite = np.isfinite(values[: len(members)]).reshape(len(members), -1).all(axis=1)
            if not finite.all():
                name = sequence_name(dataset, members[finite.argmin()])
                raise GaitError(f"the model gives embeddings that are not finite for {name}")
            if embeddings is None:
                embeddings = _array((len(dataset), *values.shape[1:]), output)
            embeddings[members] = values[: len(members)]
            bar.update(len(members))
    if output is not None:
        embeddings.flush()
    return embeddings


def check_frames(model, dataset):
    """Refuse a data set whose frames are not what the model takes."""
    if not hasattr(model, "encoder"):
        raise GaitError(f"a model with an encoder is needed, but {type(model).__name__} has none")
    wanted = tuple(model.encoder.input_shape[2:])
    if hasattr(model, "graph"):
        return check_joints(model.graph, dataset)
    if len(wanted) == 2:
        return check_skeletons(model, dataset)
    if len(dataset.frame_shape) != len(wanted):
        raise GaitError(
            f"{dataset.path} holds {_holds(dataset)}, but the model takes frames of {_shape(wanted)}: choose "
            "the data set of the model's modality"
        )
    if any(
        size is not None and size != found for size, found in zip(wanted, dataset.frame_shape, strict=False)
    ):
        raise GaitError(
            f"{dataset.path} holds frames of {_shape(dataset.frame_shape)}, but the model takes "
            f"{_shape(wanted)}: "
            "choose the data set of the model's modality, or by --channels what it sees"
        )
    least = getattr(model, "frame_shape", dataset.frame_shape)[1]
    if dataset.frame_shape[1] < least:
        raise GaitError(
            f"{dataset.path} holds frames {dataset.frame_shape[1]} wide, but the model works on the middle "
            f"{least} columns of wider ones: make the data set anew, at that width or wider"
        )


def check_joints(graph, dataset):
    """Refuse a data set that does not hold poses of the joints of ``graph``, whole."""
    takes = f"the model takes poses of {len(graph)} joints ({graph.name})"
    if len(dataset.frame_shape) != 2 or dataset.frame_shape[0] != len(graph):
        raise GaitError(
            f"{dataset.path} holds {_holds(dataset)}, but {takes}: choose the data set of the model's joints"
        )
    if dataset.frame_shape[1] != 3 or getattr(dataset, "channels", POSE) not in ((), POSE):
        raise GaitError(
            f"{takes} with all of {', '.join(POSE)}, in this order; asked for {', '.join(dataset.channels)}: "
            "leave --channels out"
        )


def check_skeletons(model, dataset):
    """Refuse a data set that does not hold skeletons of the model's joints, in windows of its length."""
    takes = f"the model takes skeletons of {model.joints} joints in windows of {model.frames} frames"
    if len(dataset.frame_shape) != 2 or dataset.frame_shape[0] != model.joints:
        raise GaitError(
            f"{dataset.path} holds {_holds(dataset)}, but {takes}: choose the data set of the model's joints"
        )
    if dataset.channels not in ((), SKELETON):
        raise GaitError(
            f"{dataset.path} holds {_holds(dataset)} with {', '.join(dataset.channels)}, but {takes}, with "
            f"{', '.join(SKELETON)}: choose a data set of 3-D skeletons, and leave --channels out"
        )
    others = sorted(set(dataset.frames.tolist()) - {model.frames})
    if others:
        raise GaitError(
            f"{dataset.path} holds windows of {others[0]} frames, but {takes}: make the data set of this "
            f"length (--length {model.frames}), or choose another model"
        )


def _holds(dataset):
    """What a data set holds, in words."""
    if len(dataset.frame_shape) != 2:
        return f"frames of {_shape(dataset.frame_shape)}"
    if getattr(dataset, "channels", ()) == SKELETON:
        return f"skeletons of {dataset.frame_shape[0]} joints"
    kind = getattr(dataset, "info", {}).get("joints")
    return f"poses of {dataset.frame_shape[0]} joints" + (f" ({kind})" if kind else "")


def check_tta(model, tta):
    """Refuse test-time views of a model that has none."""
    if tta and not hasattr(type(model), "tta_encoder"):
        raise GaitError(f"{type(model).__name__} has no test-time views: leave --tta out, or give --no-tta")


def few_lengths(lengths):
    """Lengths ``(n,)`` rounded up to 8, 10, 12, 14, 16, 20, 24, ...: four an octave, a quarter more at most.

    Where there are no more different ones than an octave has, they stay.
    """
    if len(np.unique(lengths)) <= LENGTHS_AN_OCTAVE:
        return lengths
    octave = 2 ** np.floor(np.log2(np.maximum(lengths, 2 * LENGTHS_AN_OCTAVE))).astype(int)
    step = octave // LENGTHS_AN_OCTAVE
    return np.maximum(-(-lengths // step) * step, 2 * LENGTHS_AN_OCTAVE)


def long_enough(dataset, min_frames):
    """The sequences of at least ``min_frames`` frames, and names of the others -> ``(data set, [str])``."""
    short = np.flatnonzero(dataset.frames < min_frames)
    names = [f"{sequence_name(dataset, i)} ({dataset.frames[i]})" for i in short]
    return (dataset.select(dataset.frames >= min_frames) if names else dataset), names


def cached_embeddings(model, model_path, dataset, folder, role, **settings):
    """`embed` as a memory map in ``folder``, taken from there when nothing has changed.

    The file's name and the note beside it come from the bytes of the model's file (the weights, where it lies
    in several), the model's configuration (files of weights alone do not hold it), the data set's index and
    the settings. A file gets its name when it is complete, so an interrupted run leaves nothing that could be
    taken for a result.
    """
    model_digest = _digest(model, model_path)
    options = {name: value for name, value in settings.items() if name not in ("batch_size", "title")}
    config = {name: value for name, value in model.get_config().items() if name != "name"}
    config = json.loads(json.dumps(config, default=str))  # as it comes back from the note
    key = {"model": model_digest, "config": config, "dataset": dataset.fingerprint, "options": options}
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    path = Path(folder) / f"{role}-{digest}.npy"
    note = path.with_suffix(".json")
    known = _open_complete(path, note, key, len(dataset))
    if known is not None:
        print(f"{role}: embeddings taken from {path}")
        return known
    with written_whole(path) as temporary:
        embed(model, dataset, output=temporary, **settings)
    about = key | {
        "dataset_path": str(dataset.path),
        "model_path": str(model_path),
        "sequences": len(dataset),
    }
    write_whole(note, json.dumps(about, indent=1) + "\n")
    return np.load(path, mmap_mode="r")


def _digest(model, path):
    """What tells a model's weights from all others, as hex."""
    if Path(path).is_file():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _open_complete(path, note, key, count):
    """The cached memory map, or None where it is missing, damaged or not of this ``key``."""
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        embeddings = np.load(path, mmap_mode="r")
    except (OSError, ValueError):
        return None
    same = isinstance(found, dict) and all(found.get(name) == value for name, value in key.items())
    return embeddings if same and embeddings.ndim == 3 and len(embeddings) == count else None


def _reader(model, dataset, min_frames, cut):
    """How long each sequence is for the model, ``(n,)``; how many are read at once; and a function that reads
    so many, or fewer, as the model takes them.

    Where sequences are filled up, it is with frames of -1, for which bytes become int16.
    """
    if hasattr(model, "prepare"):
        lengths = np.full(len(dataset), model.frames)
        if len(np.unique(dataset.frames)) == 1:  # windows, of some kilobytes each
            return lengths, WINDOWS, lambda some: [model.prepare(each) for each in dataset.read_many(some)]
        return lengths, 1, lambda some: [model.prepare(dataset.read(int(i))) for i in some]
    lengths = np.maximum(dataset.frames, min_frames)
    filled = getattr(model, "masks_padding", False)
    if filled:
        lengths = few_lengths(lengths)

    def read(i):
        frames = dataset.read(i)
        frames = frames[np.arange(max(len(frames), min_frames)) % len(frames)]
        frames = cut_columns(frames) if cut else frames
        return _filled(frames, int(lengths[i])) if filled else frames

    return lengths, 1, lambda some: [read(int(i)) for i in some]


def _batches(lengths, batch_size, batch_frames):
    """``(members, size)``: sequences of one length, and the size of the batch to make of them.

    All batches of one length have one size, since every shape is compiled anew. The longest come first:
    what does not fit in memory fails at once.
    """
    for length in np.unique(lengths)[::-1]:
        members = np.flatnonzero(lengths == length)
        most = max(1, min(batch_size, batch_frames // int(length)))
        size = -(-len(members) // -(-len(members) // most))  # evenly divided: few rows have to be filled
        yield from ((members[start : start + size], size) for start in range(0, len(members), size))


def _read_ahead(read, at_once, batches):
    """``(members, frames)`` of every batch, in order; threads ``read`` the next while the model works,
    ``at_once`` sequences each.

    Where members are fewer than the batch's size, the last one's frames are repeated.
    """
    waiting = deque()
    with ThreadPoolExecutor(READERS) as pool:
        for members, size in batches:
            parts = (members[first : first + at_once] for first in range(0, len(members), at_once))
            waiting.append((members, size, [pool.submit(read, part) for part in parts]))
            if len(waiting) > BATCHES_AHEAD:
                yield _gather(*waiting.popleft())
        while waiting:
            yield _gather(*waiting.popleft())


def _filled(frames, length):
    out = np.full((length, *frames.shape[1:]), -1, np.result_type(frames.dtype, np.int16))
    out[: len(frames)] = frames
    return out


def _gather(members, size, futures):
    frames = np.stack([sequence for future in futures for sequence in future.result()])
    return members, frames[np.minimum(np.arange(size), len(frames) - 1)]


def _array(shape, output):
    if output is None:
        return np.empty(shape, np.float32)
    return np.lib.format.open_memmap(output, mode="w+", dtype=np.float32, shape=shape)


def sequence_name(dataset, i):
    """How a sequence is called in messages and pictures: "075/nm/090/05"."""
    fields = (column[i] for column in (dataset.subject, dataset.condition, dataset.view, dataset.video))
    return "/".join(field for field in fields if field)


def _shape(shape):
    return "x".join("any" if size is None else str(size) for size in shape)
