"""Jobs over processes: shares that are whole, and workers that do not outlive a killed command."""

import os
import signal
import subprocess
import sys
import time

import pytest

from keras_gait.jobs import run_jobs, share

SLEEPERS = """
import os, time
from keras_gait.jobs import run_jobs
from test_jobs import tell_and_sleep

if __name__ == "__main__":
    list(run_jobs(tell_and_sleep, [{folder!r}] * 4, workers=2))
"""


def tell_and_sleep(folder):
    open(os.path.join(folder, str(os.getpid())), "w").close()
    time.sleep(60)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers):
    assert sorted(run_jobs(abs, range(-3, 0), workers)) == [1, 2, 3]


def test_shares_are_all_there_is():
    parts = [share("abcdefg", (index, 3)) for index in range(3)]
    assert sorted("".join(map("".join, parts))) == list("abcdefg")


def wait_until(holds):
    for _ in range(300):
        if holds():
            return True
        time.sleep(0.1)
    return False


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
def test_workers_end_when_the_command_is_killed(tmp_path):
    (tmp_path / "told").mkdir()
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS.format(folder=str(tmp_path / "told")))
    paths = os.pathsep.join([os.path.dirname(__file__), os.getcwd()])
    parent = subprocess.Popen(
        [sys.executable, script], env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.DEVNULL
    )
    assert wait_until(lambda: len(os.listdir(tmp_path / "told")) == 2)
    workers = [int(name) for name in os.listdir(tmp_path / "told")]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_until(lambda: not any(map(alive, workers)))
