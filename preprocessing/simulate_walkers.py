"""Simulate a gait data set: RGB frames, silhouettes, poses and skeletons in the layout of CASIA-B.

    python preprocessing/simulate_walkers.py --output_path walkers --subjects 24 --worker_num 2

writes walkers/rgb/001/nm-01/090/001-nm-01-090-001.png, the same names under walkers/silhouettes, and
walkers/poses/001/nm-01/090.npz with ``poses`` (F, 17, 3) and ``skeletons`` (F, 20, 3). Run it again
to go on where it stopped, or to add subjects, sequences and views.

    python preprocessing/simulate_walkers.py --output_path walkers --layout gait3d

writes instead what OpenGait's commands start from, walkers/silhouettes/0001/camid1_videoid1/seq0/0001.png,
walkers/poses/0001/camid1_videoid1/seq0/seq0.pkl and the partition walkers/Gait3D.json; likewise for the
other data sets (see keras_gait.data.opengait.simulated).

    python preprocessing/simulate_walkers.py --output_path walkers --layout casia-b-pose

writes poses only, as they are published, and renders nothing: walkers/casia-b_pose_coco.csv, or with
--layout oumvlp-pose walkers/openpose/00001/090_00/0001_keypoints.json and walkers/ID_list.csv.

    python preprocessing/simulate_walkers.py --output_path walkers --layout kinect

writes the recordings of a depth sensor only, walkers/skeletons/001/nm-01-090.npy (F, 20, 3), and renders
nothing; preprocessing/pretreatment_skeleton.py goes on from there. --layout biwi (or ias, kgbd, ks20) writes
windows of them as published, walkers/Datasets/BIWI/6/BIWI_train_npy_data/source_x_BIWI_6.npy.
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
from keras_gait.data.poses.simulated import (
    SIZES,
    check_pose_request,
    join_casiab_parts,
    known_poses,
    write_casiab_part,
    write_id_list,
    write_oumvlp_sequence,
)
from keras_gait.data.provenance import SIMULATED, note_source
from keras_gait.data.simulate import (
    SIZE,
    VIEWS,
    check_request,
    check_settings,
    remove_drafts,
    write_sequence,
)
from keras_gait.data.skeletons.simulated import (
    FRAMES,
    LENGTH,
    SKELETON_LAYOUTS,
    check_skeleton_request,
    join_recordings,
    simulation_places,
    write_recordings,
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
    parser.add_argument(
        "--views", nargs="+", help="cameras, such as: 000 054 090; left out: all that the layout has"
    )
    parser.add_argument(
        "--frames",
        type=int,
        help=f"frames of each sequence, at 25 a second; left out: 30, of skeletons {FRAMES}",
    )
    parser.add_argument(
        "--size",
        type=int,
        help="height of a frame in pixels, the width is 4/3 of it; left out: 96, of poses "
        + " and ".join(f"{size} ({layout})" for layout, size in SIZES.items()),
    )
    parser.add_argument("--seed", type=int, default=0, help="of the whole population")
    parser.add_argument(
        "--layout",
        choices=[*LAYOUTS, *SIZES, *SKELETON_LAYOUTS],
        help="silhouettes, poses and partition as OpenGait has them; or only poses as they are published; "
        "or only skeletons",
    )
    parser.add_argument(
        "--train_subjects",
        type=int,
        help="with --layout: so many train, the rest tests; left out: half",
    )
    parser.add_argument(
        "--length", type=int, help=f"frames of a window, of windows of skeletons; left out: {LENGTH}"
    )
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    if args.layout in SIZES:
        known_takes, known_views = known_poses(args.layout)
    elif args.layout in SKELETON_LAYOUTS:
        check_skeleton_request(args)
        known_takes = SKELETON_LAYOUTS[args.layout].takes
        known_views = SKELETON_LAYOUTS[args.layout].views
    else:
        known_takes, known_views = known_sequences(args.layout), VIEWS
    args.sequences = args.sequences or list(known_takes)
    args.views = args.views or list(known_views)
    if args.frames is None:
        args.frames = FRAMES if args.layout in SKELETON_LAYOUTS else 30
    args.size = SIZES.get(args.layout, SIZE) if args.size is None else args.size
    check_request(args.subjects, args.sequences, args.views, args.frames, args.size, args.seed, known_views)
    if args.worker_num < 1:
        raise GaitError(f"--worker_num must be at least 1. Received: {args.worker_num}")
    if args.train_subjects is not None and not args.layout:
        raise GaitError("--train_subjects goes with --layout: without it nothing is divided")
    if args.length is not None and args.layout not in SKELETON_LAYOUTS:
        raise GaitError("--length goes with the layouts of windows of skeletons, such as biwi.")
    settings = {"frames": args.frames, "size": args.size, "seed": args.seed}
    if args.layout in SIZES:
        function, jobs = pose_jobs(args, settings)
    elif args.layout in SKELETON_LAYOUTS:
        function, jobs = skeleton_jobs(args)
    else:
        write = layout_jobs if args.layout else casiab_jobs
        function, jobs = write(args, settings, places_of(args))
    results = list(run_jobs(function, share(jobs, args.shard), args.worker_num, "simulating"))
    what = "sequence(s)"
    if args.layout == "casia-b-pose":
        what = "subject(s)"
        join_casiab_parts(args.output_path, args.subjects)
    elif args.layout in SKELETON_LAYOUTS:
        what = "take(s)"
        finish_skeletons(args)
    if args.shard[1] == 1:
        remove_drafts(args.output_path)
    written = results.count(True)
    print(f"{written} {what} simulated, {results.count(False)} already there: {args.output_path}")


def places_of(args):
    """(subject, sequence, view) of all that is asked for."""
    subjects = range(1, args.subjects + 1)
    return [(subject, take, view) for subject in subjects for take in args.sequences for view in args.views]


def casiab_jobs(args, settings, places):
    """Begin the three trees in CASIA-B's layout -> the function that writes a sequence, and its jobs."""
    check_settings(args.output_path, settings)
    for tree in ("rgb", "silhouettes", "poses"):
        note_source(Path(args.output_path, tree), SIMULATED)
    return write_sequence, [(args.output_path, *place, *settings.values()) for place in places]


def layout_jobs(args, settings, places):
    """The same for the trees of ``--layout``, with their partition."""
    count = args.subjects // 2 if args.train_subjects is None else args.train_subjects
    check_layout_request(args.layout, args.subjects, args.sequences, count)
    check_settings(args.output_path, settings | {"layout": args.layout, "train_subjects": count})
    for tree in ("silhouettes", "poses"):
        note_source(Path(args.output_path, tree), SIMULATED)
    partition = simulated_partition(args.layout, args.subjects, args.sequences, args.views, count)
    write_partition(args.output_path, args.layout, partition)
    return write_layout_sequence, [
        (args.output_path, args.layout, place[0] <= count, *place, *settings.values()) for place in places
    ]


def pose_jobs(args, settings):
    """The same for published poses; CASIA-B's one file is made subject by subject."""
    check_pose_request(args.layout, args.subjects, args.sequences, args.train_subjects)
    noted = settings | {"layout": args.layout}
    if args.layout == "casia-b-pose":
        noted |= {"subjects": args.subjects, "sequences": args.sequences, "views": args.views}
        check_settings(args.output_path, noted)
        note_source(args.output_path, SIMULATED)
        ids = range(1, args.subjects + 1)
        return write_casiab_part, [
            (args.output_path, subject, args.sequences, args.views, *settings.values()) for subject in ids
        ]
    count = args.subjects // 2 if args.train_subjects is None else args.train_subjects
    check_settings(args.output_path, noted | {"train_subjects": count})
    note_source(args.output_path, SIMULATED)
    write_id_list(args.output_path, args.subjects, count)
    jobs = [(args.output_path, *place, *settings.values()) for place in places_of(args)]
    return write_oumvlp_sequence, jobs


def skeleton_jobs(args):
    """The same for a depth sensor's skeletons: one job simulates a take for all its cameras."""
    layout, length = SKELETON_LAYOUTS[args.layout], args.length or LENGTH
    settings = {"frames": args.frames, "seed": args.seed, "layout": args.layout}
    if layout.name:
        settings |= {"subjects": args.subjects, "sequences": args.sequences, "views": args.views}
    check_settings(args.output_path, settings)
    folder, made = simulation_places(args.output_path, args.layout, length)
    if not layout.name:
        note_source(folder, SIMULATED)
    return write_recordings, [
        (folder, made, subject, take, args.views, layout.joints, args.frames, args.seed)
        for subject in range(1, args.subjects + 1)
        for take in args.sequences
    ]


def finish_skeletons(args):
    """Make the windows of all takes, where the layout has them and no take is missing."""
    if SKELETON_LAYOUTS[args.layout].name:
        people, alone = range(1, args.subjects + 1), args.shard[1] == 1
        which = (people, args.sequences, args.views)
        join_recordings(args.output_path, args.layout, args.length or LENGTH, *which, alone)


if __name__ == "__main__":
    run(main)
