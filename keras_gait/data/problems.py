"""What goes wrong with single files and sequences: it is noted and told at the end, the rest goes on."""

import json
from typing import NamedTuple

from keras_gait.errors import GaitError

SHORT = 5  # frames; shorter sequences are reported, and kept


class Problem(NamedTuple):
    """One of them. JSON keeps it as a list, `Problem(*list)` is the way back.

    Attributes:
        place: file or sequence.
        what: the reason, a few words; equal reasons are counted together.
        mendable: whether a file is missing or damaged that the user can get again: only then does the
            command end with exit code 2.
    """

    place: str
    what: str
    mendable: bool = False


def few_frames(place, count, fewest=SHORT):
    """The problem of a sequence of ``count`` frames if these are few or none, as a list of one or none."""
    if count >= fewest:
        return []
    return [Problem(str(place), f"fewer than {fewest} frames" if count else "no frames")]


def read_json(path):
    """A JSON file that one of the commands wrote; a damaged one is a `GaitError` that says how to go on."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise GaitError(
            f"{path} is damaged ({error}): delete the folder {path.parent} and run this again."
        ) from error
