"""What every command shares: its parser, its exit codes, its table of problems."""

import argparse
import os
import sys
from collections import Counter
from concurrent.futures.process import BrokenProcessPool

from keras_gait.errors import GaitError


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and exit code 2; flags are never abbreviated."""

    def __init__(self, **kwargs):
        kwargs.setdefault("formatter_class", argparse.ArgumentDefaultsHelpFormatter)
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")


def run(main):
    """Run ``main(argv)`` as a program: what a user can mend becomes one line on stderr and exit code 2.

    That is a `GaitError`, a file that cannot be read or written, a worker killed for want of memory.
    """
    name = os.path.basename(sys.argv[0])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only: TensorFlow greets at every start
    try:
        main(sys.argv[1:])
    except (GaitError, OSError) as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except BrokenProcessPool:
        reason = "a worker process was killed, most likely for want of memory: give a smaller --worker_num"
        print(f"{name}: {reason}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(130)


def parse_shard(text):
    """``"I/N"`` with 0 <= I < N, for dividing one job over N machines -> ``(I, N)``."""
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise argparse.ArgumentTypeError(f"expected I/N with 0 <= I < N, such as 0/4. Received: {text!r}")
    return int(index), int(count)


def add_job_flags(parser):
    """Add the flags of every preprocessing command: ``--worker_num`` and ``--shard``."""
    parser.add_argument("--worker_num", type=int, default=1, help="parallel processes on this machine")
    parser.add_argument(
        "--shard",
        type=parse_shard,
        default=(0, 1),
        metavar="I/N",
        help="do the I-th of N equal parts, from 0",
    )


def report_problems(problems, shown=20):
    """Print what went wrong, as one table, when all the rest is done.

    Args:
        problems: list of `keras_gait.data.problems.Problem`.

    Raises:
        GaitError: some of it was damaged or missing files, which the user can mend. Empty or short
            sequences and frames without a walker are only told.
    """
    if not problems:
        return
    print(f"\n{len(problems)} problem(s); everything else was processed:")
    for what, count in Counter(problem.what for problem in problems).most_common():
        print(f"  {count:6d}  {what}")
    for problem in problems[:shown]:
        print(f"  {problem.place}: {problem.what}")
    if len(problems) > shown:
        print(f"  ... and {len(problems) - shown} more")
    broken = [problem.place for problem in problems if problem.mendable]
    if broken:
        raise GaitError(
            f"{len(broken)} file(s) damaged or missing, such as {broken[0]}; everything else was processed. "
            "Get them again, delete what was made from their sequences and run this again, or go on without"
        )
