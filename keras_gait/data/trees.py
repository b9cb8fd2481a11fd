"""Raw trees to trees of what is made from them, a folder a sequence: parallel, resumable, shareable.

What a sequence gives goes to a hidden folder that gets its name when all is written: a folder that is
there is finished, and a run that was killed goes on with the others. What was wrong with a finished
sequence is kept and told again; one that gave nothing gets no folder and is tried again.
"""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import cv2
from tqdm import tqdm

from keras_gait.data.problems import Problem, read_json
from keras_gait.errors import GaitError
from keras_gait.files import write_whole
from keras_gait.jobs import run_jobs, share

NOTE = ".problems.json"  # in the folder of a sequence that had any
NOTES_ASIDE = ".problems"  # or all of them in a hidden tree of their own


def check_tree_settings(output, settings, note=".settings.json", flag="--output_path"):
    """Note the dict ``settings`` in the file ``note`` of ``output``, or refuse a tree made with others.

    ``flag`` is where the user gave ``output``.
    """
    note, settings = Path(output, note), json.loads(json.dumps(settings))  # a tuple comes back as a list
    try:
        if not note.exists():
            _note_settings(note, settings, flag)
        found = json.loads(note.read_text(encoding="utf-8"))
    except OSError as error:
        raise GaitError(f"cannot write to {flag} {output}: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise GaitError(f"{note} is not JSON ({error}); name another {flag}") from None
    if found != settings:
        raise GaitError(
            f"{output} was made with {found}, not with {settings}: use the same settings to go on, "
            f"or another {flag}"
        )


def _note_settings(note, settings, flag):
    """Write the file ``note`` into a new or empty folder, in one step: other shards may do so just now."""
    note.parent.mkdir(parents=True, exist_ok=True)
    strangers = [path for path in note.parent.iterdir() if not path.name.startswith(".")]
    if strangers and not note.exists():
        raise GaitError(f"{note.parent} holds files but no {note.name}: name a new or empty {flag}")
    write_whole(note, json.dumps(settings, indent=1) + "\n")


def write_tree(function, inputs, output, workers, shard, title, notes_aside=False):
    """Run ``function`` for the relative paths of ``inputs`` that ``output`` does not hold yet.

    ``function(relative, target)`` makes the folder ``target``, if there is anything to write, and returns
    a list of `Problem`. Yields those problems as they come, first the ones of the sequences that are there
    already. ``notes_aside`` keeps them out of the sequences' folders, for readers that take each file in
    there for data.
    """
    output, mine = Path(output), share(sorted(inputs), shard)
    there = [relative for relative in mine if (output / relative).is_dir()]
    jobs = sorted(set(mine) - set(there))
    if there:
        print(f"{output}: {len(there)} sequences are there already, {len(jobs)} to go")
    problem = None
    try:
        for relative in there:
            yield from _noted_problems(_note(output, relative, notes_aside))
        job = partial(_finish_sequence, function, output, notes_aside)
        for problems in run_jobs(job, jobs, workers, title=title):
            for problem in problems:
                yield problem
    except OSError as error:  # disk full, no permission
        raise GaitError(f"{output}: {error}. What is finished is kept; run it again.") from error
    if problem and not any((output / relative).is_dir() for relative in mine):
        raise GaitError(
            f"{output}: nothing came out of {len(mine)} sequences ({problem.place}: {problem.what}). "
            "Check the input folders."
        )


def _finish_sequence(function, output, notes_aside, relative):
    """Job: one sequence, written under a hidden name and then renamed; no folder where nothing came out."""
    target = output / relative
    hidden = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(hidden, ignore_errors=True)
    problems = function(relative, hidden)
    if hidden.is_dir():
        note = _note(output, relative, True) if notes_aside else hidden / NOTE
        if problems:
            write_whole(note, json.dumps(problems))
        else:
            note.unlink(missing_ok=True)
        os.replace(hidden, target)
    return problems


def _note(output, relative, aside):
    return Path(output, NOTES_ASIDE, f"{relative}.json") if aside else Path(output, relative, NOTE)


def _noted_problems(note):
    """The problems of the finished sequence that ``note`` is about."""
    return [Problem(*problem) for problem in read_json(note)] if note.is_file() else []


def write_image(path, image):
    """``cv2.imwrite`` that makes its folder and does not fail silently.

    R, G, B arrays keep their order in the cv2 round trip.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image):
        raise GaitError(f"{path} cannot be written: check the free space and the permissions.")


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
