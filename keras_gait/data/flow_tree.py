"""From raw trees to trees of 64x64 flow images, AttenGait's first step, sequence by sequence.

A sequence's images go to a hidden folder that gets its name when all are written: a folder that is
there is finished, and a run that was killed goes on with the others. What was wrong with a finished
sequence is kept in its folder and told again; one without any image gets no folder and is tried again.
"""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import cv2
from tqdm import tqdm

from keras_gait.data.problems import Problem, few_frames, read_json
from keras_gait.errors import GaitError
from keras_gait.jobs import run_jobs, share
from keras_gait.vision.flow import NO_FRAME, NO_SILHOUETTE, SIZE, flow_frames
from keras_gait.vision.images import image_names, read_image

NOTE = ".problems.json"  # in the folder of a sequence that had any


def write_tree(function, inputs, output, workers, shard, title):
    """Run ``function`` for the relative paths of ``inputs`` that ``output`` does not hold yet.

    ``function(relative, target)`` writes to the folder ``target`` by `write_image` and returns a list of
    `Problem`. Yields those problems as they come, first the ones of the sequences that are there already.
    """
    output, mine = Path(output), share(sorted(inputs), shard)
    there = [relative for relative in mine if (output / relative).is_dir()]
    jobs = sorted(set(mine) - set(there))
    if there:
        print(f"{output}: {len(there)} sequences are there already, {len(jobs)} to go")
    problem = None
    try:
        for relative in there:
            yield from _noted_problems(output / relative)
        for problems in run_jobs(partial(_finish_sequence, function, output), jobs, workers, title=title):
            for problem in problems:
                yield problem
    except OSError as error:  # disk full, no permission
        raise GaitError(f"{output}: {error}. What is finished is kept; run it again.") from error
    if problem and not any((output / relative).is_dir() for relative in mine):
        raise GaitError(
            f"{output}: not one image came out of {len(mine)} sequences ({problem.place}: {problem.what}). "
            "Check the input folders."
        )


def _finish_sequence(function, output, relative):
    """Job: one sequence, written under a hidden name and then renamed; no folder where no image came out."""
    target = output / relative
    hidden = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(hidden, ignore_errors=True)
    problems = function(relative, hidden)
    if hidden.is_dir():
        if problems:
            (hidden / NOTE).write_text(json.dumps(problems), encoding="utf-8")
        os.replace(hidden, target)
    return problems


def _noted_problems(folder):
    """The problems that the finished sequence ``folder`` had."""
    note = folder / NOTE
    return [Problem(*problem) for problem in read_json(note)] if note.is_file() else []


def casiab_flow(silhouettes, frames, relative, target):
    """Flow images of one sequence, from its silhouettes and RGB frames of the same names.

    The walker may come later and leave earlier than the RGB frames; in between each needs a silhouette.
    """
    cv2.setNumThreads(1)  # the processes share the cores already
    for tree, what in ((silhouettes, "missing silhouettes"), (frames, "missing RGB frames")):
        if not Path(tree, relative).is_dir():
            return [Problem(relative, what, mendable=True)]
    names = _names_between(image_names(Path(silhouettes, relative)), image_names(Path(frames, relative)))
    grey = (read_image(Path(frames, relative, name), cv2.IMREAD_GRAYSCALE) for name in names)
    masks = (read_image(Path(silhouettes, relative, name), cv2.IMREAD_GRAYSCALE) for name in names)
    problems, written = [], 0
    for index, image, reason in flow_frames(grey, masks):
        if image is None:
            unreadable = reason in (NO_FRAME, NO_SILHOUETTE)
            problems.append(Problem(f"{relative}/{names[index]}", reason, mendable=unreadable))
            continue
        write_image(target / f"{names[index].split('.')[0]}.png", image)
        written += 1
    return problems + few_frames(relative, written)


def _names_between(silhouettes, frames):
    """The names of the silhouettes, and of the frames between the first and the last of them, in order."""
    between = (name for name in frames if silhouettes and silhouettes[0] < name < silhouettes[-1])
    return sorted({*silhouettes, *between})


def grew_flow(flow, relative, target):
    """The delivered flow images of one GREW sequence, brought to 64x64."""
    cv2.setNumThreads(1)
    problems, written = [], 0
    for name in image_names(Path(flow, relative)):
        image = read_image(Path(flow, relative, name))
        if image is None:
            problems.append(Problem(f"{relative}/{name}", NO_FRAME, mendable=True))
            continue
        if image.shape[:2] != (SIZE, SIZE):
            image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        write_image(target / f"{name.split('.')[0]}.png", image)
        written += 1
    return problems + few_frames(relative, written)


def write_image(path, image):
    """``cv2.imwrite`` that makes its folder and does not fail silently.

    R, G, B arrays keep their order in the cv2 round trip.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image):
        raise GaitError(f"{path} cannot be written: check the free space and the permissions.")


def add_tree_flags(parser, layout):
    """The flags that both pretreatment commands share."""
    parser.add_argument("--input_path", default="", help=layout)
    parser.add_argument("--output_path", default="", help="folder of the flow images, same layout")
    parser.add_argument("--log_file", default="./pretreatment.log", help="problems are added to this file")
    parser.add_argument(
        "--log", default="false", type=str.lower, choices=("true", "false"), help="print each problem at once"
    )


def log_problems(problems, log_file, echo):
    """Add problems to the log file as they come; ``echo`` prints them, too. Returns them as a list."""
    kept = []
    try:
        with open(log_file, "a", encoding="utf-8", buffering=1) as log:  # a kill loses no line
            for problem in problems:
                kept.append(problem)
                log.write(f"{problem.place}: {problem.what}\n")
                if echo:
                    tqdm.write(f"{problem.place}: {problem.what}")
    except OSError as error:
        raise GaitError(f"--log_file {log_file} cannot be written: {error.strerror}.") from error
    return kept
