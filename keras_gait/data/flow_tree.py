"""From raw trees to trees of 64x64 flow images, AttenGait's first step, sequence by sequence.

A sequence's images go to a hidden folder that gets its name when all are written: a folder that is
there is finished, and a run that was killed goes on with the others.
"""

import os
import shutil
from functools import partial
from pathlib import Path

import cv2
from tqdm import tqdm

from keras_gait.data.writer import SHORT
from keras_gait.errors import GaitError
from keras_gait.jobs import run_jobs, share
from keras_gait.vision.flow import SIZE, flow_frames
from keras_gait.vision.images import image_names, read_image


def write_tree(function, inputs, output, workers, shard, title):
    """Run ``function`` for the relative paths of ``inputs`` that ``output`` does not hold yet.

    ``function(relative, target)`` fills the folder ``target`` and returns problems ``(place, what)``.
    Yields those problems as they come.
    """
    output = Path(output)
    jobs = [relative for relative in share(sorted(inputs), shard) if not (output / relative).is_dir()]
    skipped = len(share(sorted(inputs), shard)) - len(jobs)
    if skipped:
        print(f"{output}: {skipped} sequences are there already, {len(jobs)} to go")
    try:
        for problems in run_jobs(partial(_finish_sequence, function, output), jobs, workers, title=title):
            yield from problems
    except OSError as error:  # disk full, no permission
        raise GaitError(f"{output}: {error}. What is finished is kept; run it again.") from error


def _finish_sequence(function, output, relative):
    """Job: one sequence, written under a hidden name and then renamed."""
    target = output / relative
    hidden = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    problems = function(relative, hidden)
    os.replace(hidden, target)
    return problems


def casiab_flow(silhouettes, frames, relative, target):
    """Flow images of one sequence, from its silhouettes and RGB frames of the same names."""
    cv2.setNumThreads(1)  # the processes share the cores already
    names = image_names(Path(silhouettes, relative))
    grey = (read_image(Path(frames, relative, name), cv2.IMREAD_GRAYSCALE) for name in names)
    masks = (read_image(Path(silhouettes, relative, name), cv2.IMREAD_GRAYSCALE) for name in names)
    problems, written = [], 0
    for index, image, reason in flow_frames(grey, masks):
        if image is None:
            problems.append((f"{relative}/{names[index]}", reason))
            continue
        write_image(target / f"{names[index].split('.')[0]}.png", image)
        written += 1
    if written < SHORT:
        problems.append((str(relative), f"fewer than {SHORT} frames" if written else "no frames"))
    return problems


def grew_flow(flow, relative, target):
    """The delivered flow images of one GREW sequence, brought to 64x64."""
    cv2.setNumThreads(1)
    problems = []
    for name in image_names(Path(flow, relative)):
        image = read_image(Path(flow, relative, name))
        if image is None:
            problems.append((f"{relative}/{name}", "missing or damaged frame"))
            continue
        if image.shape[:2] != (SIZE, SIZE):
            image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        write_image(target / f"{name.split('.')[0]}.png", image)
    if not any(target.iterdir()):
        problems.append((str(relative), "no frames"))
    return problems


def write_image(path, image):
    """``cv2.imwrite`` that does not fail silently. R, G, B arrays keep their order in the cv2 round trip."""
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
        with open(log_file, "a", encoding="utf-8") as log:
            for place, what in problems:
                kept.append((place, what))
                log.write(f"{place}: {what}\n")
                if echo:
                    tqdm.write(f"{place}: {what}")
    except OSError as error:
        raise GaitError(f"--log_file {log_file} cannot be written: {error.strerror}.") from error
    return kept
