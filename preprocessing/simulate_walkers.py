"""Simulate a gait data set: RGB frames, silhouettes, poses and skeletons in the layout of CASIA-B.

    python preprocessing/simulate_walkers.py --output_path walkers --subjects 24 --worker_num 2

writes walkers/rgb/001/nm-01/090/001-nm-01-090-001.png, the same names under walkers/silhouettes, and
walkers/poses/001/nm-01/090.npz with ``poses`` (F, 17, 3) and ``skeletons`` (F, 20, 3). Run it again
to go on where it stopped, or to add subjects, sequences and views.

    python preprocessing/simulate_walkers.py --output_path walkers --layout gait3d

writes instead what OpenGait's commands start from, walkers/silhouettes/0001/camid1_videoid1/seq0/0001.png,
walkers/poses/0001/camid1_videoid1/seq0/seq0.pkl and the partition walkers/Gait3D.json; likewise for the
other data sets (see keras_gait.data.opengait.simulated).
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, run
from keras_gait.data.opengait.layouts import LAYOUTS
from keras_gait.data.opengait.simulated import (
    check_layout_request,
    known_sequences,
    simulated_partition,
    write_layout_sequence,
    write_partition,
)
from keras_gait.data.provenance import SIMULATED, note_source
from keras_gait.data.simulate import (
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
        description="Simulate walking people as a data set, by default in the layout of CASIA-B. "
        "Nobody in it exists.",
    )
    parser.add_argument("--output_path", required=True, help="folder to make or to go on with")
    parser.add_argument(
        "--subjects", type=int, default=24, help="how many people: folders 001 to this number"
    )
    parser.add_argument(
        "--sequences", nargs="+", help="such as: nm-01 nm-02 bg-01; left out: all that the layout has"
    )
    parser.add_argument("--views", nargs="+", default=list(VIEWS), help="cameras, such as: 000 054 090")
    parser.add_argument("--frames", type=int, default=30, help="frames of each sequence, at 25 a second")
    parser.add_argument(
        "--size", type=int, default=96, help="height of a frame in pixels; the width is 4/3 of it"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the whole population")
    parser.add_argument(
        "--layout",
        choices=list(LAYOUTS),
        help="silhouettes, poses and partition as OpenGait has them",
    )
    parser.add_argument(
        "--train_subjects",
        type=int,
        help="with --layout: so many train, the rest tests; left out: half",
    )
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    sequences = args.sequences or known_sequences(args.layout)
    check_request(args.subjects, sequences, args.views, args.frames, args.size, args.seed)
    if args.worker_num < 1:
        raise GaitError(f"--worker_num must be at least 1. Received: {args.worker_num}")
    if args.train_subjects is not None and not args.layout:
        raise GaitError("--train_subjects goes with --layout: without it nothing is divided")
    settings = {"frames": args.frames, "size": args.size, "seed": args.seed}
    places = [
        (subject, sequence, view)
        for subject in range(1, args.subjects + 1)
        for sequence in sequences
        for view in args.views
    ]
    write = layout_jobs if args.layout else casiab_jobs
    function, jobs = write(args, sequences, settings, places)
    results = list(run_jobs(function, share(jobs, args.shard), args.worker_num, "simulating"))
    if args.shard[1] == 1:
        remove_drafts(args.output_path)
    written = results.count(True)
    print(f"{written} sequence(s) simulated, {results.count(False)} already there: {args.output_path}")


def casiab_jobs(args, sequences, settings, places):
    """Begin the three trees in CASIA-B's layout -> the function that writes a sequence, and its jobs."""
    check_settings(args.output_path, settings)
    for tree in ("rgb", "silhouettes"):
        note_source(Path(args.output_path, tree), SIMULATED)
    return write_sequence, [(args.output_path, *place, *settings.values()) for place in places]


def layout_jobs(args, sequences, settings, places):
    """The same for the trees of ``--layout``, with their partition."""
    count = args.subjects // 2 if args.train_subjects is None else args.train_subjects
    check_layout_request(args.layout, args.subjects, sequences, count)
    check_settings(args.output_path, settings | {"layout": args.layout, "train_subjects": count})
    for tree in ("silhouettes", "poses"):
        note_source(Path(args.output_path, tree), SIMULATED)
    partition = simulated_partition(args.layout, args.subjects, sequences, args.views, count)
    write_partition(args.output_path, args.layout, partition)
    return write_layout_sequence, [
        (args.output_path, args.layout, place[0] <= count, *place, *settings.values()) for place in places
    ]


if __name__ == "__main__":
    run(main)
