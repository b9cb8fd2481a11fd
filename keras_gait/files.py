"""Files that are there whole or not at all, whichever process or machine writes them."""

import contextlib
import os
from pathlib import Path

RECIPE_FILE, FINAL_MODEL = "recipe.yaml", "model-final.keras"  # in the folder of a training run
TF1_MODEL = "trained_model.ckpt"  # in that of a published one: how the names of its files begin
UNFINISHED = ".tmp-"  # how the name of a file begins that is still being written


def unfinished(path):
    """A hidden name beside ``path`` that no other process or machine uses; the suffix stays."""
    path = Path(path)
    return path.with_name(f"{UNFINISHED}{os.uname().nodename}-{os.getpid()}-{path.name}")


@contextlib.contextmanager
def written_whole(path):
    """A temporary path beside ``path`` that takes its place when the block ends without an error.

    Missing folders are made; after an error nothing is left.
    """
    path, temporary = Path(path), unfinished(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path, data):
    """Write a str (UTF-8) or bytes by `written_whole`."""
    with written_whole(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def is_tf1_checkpoint(path):
    """Whether files of a TensorFlow 1 checkpoint begin with this path; there is none of the name itself."""
    return Path(f"{path}.index").is_file() and not Path(path).is_dir()
