"""Where a tree of frames comes from: one line that travels with it, so that no figure loses its origin."""

from pathlib import Path

from keras_gait.files import write_whole

NOTE = "source.txt"
SIMULATED = "simulated walkers"


def note_source(root, source):
    """Write ``source`` beside the sequences of a tree; the folder is made if need be."""
    write_whole(Path(root, NOTE), f"{source}\n")


def read_source(root, default=None):
    """What `note_source` wrote, or ``default`` for a tree without a note."""
    note = Path(root, NOTE)
    return note.read_text(encoding="utf-8").strip() if note.is_file() else default
