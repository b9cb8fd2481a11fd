"""What tests of commands ask of their results."""

import os
from types import SimpleNamespace


class Attack:
    """Pickled, it has whoever loads it run a command that makes the file ``path``."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def refused(result, name):
    """The one line on stderr of the command ``name`` that refused, without the name."""
    assert result.code == 2, result.out + result.err
    assert result.err.startswith(f"{name}: "), result.err
    assert result.err.count("\n") == 1, result.err
    return result.err.removeprefix(f"{name}: ").strip()


def failed(result, name):
    """The same of a command that did its work, with progress bars on stderr, and then told what was wrong."""
    *_, last = result.err.splitlines()
    return refused(SimpleNamespace(code=result.code, out=result.out, err=f"{last}\n"), name)
