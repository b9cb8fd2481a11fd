"""Simulate a gait data set in the layout of CASIA-B: RGB frames, silhouettes, poses and skeletons.

    python preprocessing/simulate_walkers.py --output_path walkers --subjects 24 --worker_num 2

writes walkers/rgb/001/nm-01/090/001-nm-01-090-001.png, the same names under walkers/silhouettes, and
walkers/poses/001/nm-01/090.npz with ``poses`` (F, 17, 3) and ``skeletons`` (F, 20, 3). Run it again
to go on where it stopped, or to add subjects, sequences and views.
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, run
from keras_gait.data.provenance import SIMULATED, note_source
from keras_gait.data.simulate import (
    SEQUENCES,
    VIEWS,
    check_request,
    check_settings,
    remove_drafts,
    write_sequence,
)
from keras_gait.errors import GaitError
from keras_gait.jobs import run_jobs, share


def parse(argv):
    parser = CommandParser(
        prog="simulate_walkers.py",
        description="Simulate walking people as a data set in the layout of CASIA-B. Nobody in it exists.",
    )
    parser.add_argument("--output_path", required=True, help="folder to make or to go on with")
    parser.add_argument(
        "--subjects", type=int, default=24, help="how many people: folders 001 to this number"
    )
    parser.add_argument("--sequences", nargs="+", default=list(SEQUENCES), help="such as: nm-01 nm-02 bg-01")
    parser.add_argument("--views", nargs="+", default=list(VIEWS), help="cameras, such as: 000 054 090")
    parser.add_argument("--frames", type=int, default=30, help="frames of each sequence, at 25 a second")
    parser.add_argument(
        "--size", type=int, default=96, help="height of a frame in pixels; the width is 4/3 of it"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the whole population")
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    check_request(args.subjects, args.sequences, args.views, args.frames, args.size, args.seed)
    if args.worker_num < 1:
        raise GaitError(f"--worker_num must be at least 1. Received: {args.worker_num}")
    check_settings(args.output_path, {"frames": args.frames, "size": args.size, "seed": args.seed})
    for tree in ("rgb", "silhouettes"):
        note_source(Path(args.output_path, tree), SIMULATED)
    jobs = [
        (args.output_path, subject, sequence, view, args.frames, args.size, args.seed)
        for subject in range(1, args.subjects + 1)
        for sequence in args.sequences
        for view in args.views
    ]
    results = list(run_jobs(write_sequence, share(jobs, args.shard), args.worker_num, "simulating"))
    if args.shard[1] == 1:
        remove_drafts(args.output_path)
    written = results.count(True)
    print(f"{written} sequence(s) simulated, {results.count(False)} already there: {args.output_path}")


if __name__ == "__main__":
    run(main)
