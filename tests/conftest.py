"""Shared by all tests: run the project's commands in this process as a user would in a shell."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))


def load_script(path):
    """Import a command file (``mains/train.py``) as a module."""
    path = ROOT / path
    spec = importlib.util.spec_from_file_location(f"command_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def command(monkeypatch, capfd):
    """``command("mains/test.py", "--knn", 1)`` -> ``.code``, ``.out``, ``.err`` as in a shell."""
    from keras_gait.commands import run

    def call(path, *arguments):
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            run(load_script(path).main)
        except SystemExit as exit_:
            code = exit_.code or 0
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call
