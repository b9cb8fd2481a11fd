"""Poses -> skeleton maps (SkeletonGait), as OpenGait's pickles or as a data set of this package.

    python preprocessing/pretreatment_heatmap.py --pose_data_path Gait3D-pose --save_root heatmaps \\
        --dataset_name Gait3D --worker_num 4

writes heatmaps/Gait3D_sigma_8.0_/pkl/<id>/<type>/<view>/<view>.pkl, uint8 [T, 2, 64, 64], limbs before
joints, and the first ten sequences as images. Poses are <id>/<type>/<view>/ with pickles, with a text file
(Gait3D, GREW) or with a JSON file (OU-MVLP) a frame; GREW and OU-MVLP are also read as they are delivered.
"""

from dataclasses import asdict
from functools import partial
from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.layouts import check_folder
from keras_gait.data.opengait.heatmaps import PICTURED, HeatmapJob, heatmap_sequence
from keras_gait.data.opengait.layouts import find_layout, find_partition
from keras_gait.data.opengait.raw_trees import DATASETS, dataset_name, raw_tree
from keras_gait.data.opengait.sets import write_opengait_sets
from keras_gait.data.provenance import note_source, read_source
from keras_gait.data.trees import check_tree_settings, write_tree
from keras_gait.data.writer import add_writer_flags
from keras_gait.errors import GaitError
from keras_gait.vision.skeleton_maps import MapSettings, settings_from_yaml

OPENPOSE = ("ccpg", "oumvlp")  # data sets whose poses have 18 joints
PATTERNS = {"sustech1k": "03*.pkl"}  # 16 files a sequence there


def parse(argv):
    parser = CommandParser(prog="pretreatment_heatmap.py", description=__doc__.splitlines()[0])
    parser.add_argument("--pose_data_path", default="", help="poses: <id>/<type>/<view>/")
    parser.add_argument("--save_root", default="", help="the maps become a folder in here")
    parser.add_argument("--dataset_name", default="", help=f"one of {', '.join(DATASETS)}, in any case")
    parser.add_argument("--ext_name", default="", help="end of that folder's name")
    parser.add_argument(
        "--heatmap_cfg_path",
        "--heatemap_cfg_path",
        default="",
        help="YAML of OpenGait's settings; left out: the published ones",
    )
    parser.add_argument(
        "--oumvlp_index_dir", default="", help="<id>/<type>/<view>/pose_selection_idx.pkl: whom to take"
    )
    parser.add_argument(
        "--silhouette_data_path", default="", help="raw silhouettes that choose among several people"
    )
    parser.add_argument(
        "--format", default="pkl", choices=("pkl", "tfrecord"), help="tfrecord makes the data sets as well"
    )
    parser.add_argument("--dataset_partition", default=None, help="JSON of the ids, for --format tfrecord")
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    if args.format == "tfrecord" and args.shard != (0, 1):
        raise GaitError("--format tfrecord needs all maps: make them with --shard, then run it without.")
    if args.format == "pkl" and args.dataset_partition:
        raise GaitError("--dataset_partition goes with --format tfrecord: pickles are made of all ids.")
    job = heatmap_job(args)
    layout = find_layout(args.dataset_name, None, None) if args.format == "tfrecord" else None
    if layout:
        find_partition(args.dataset_partition, layout, ())  # a wrong one is told before hours of drawing
    inputs = job.poses.sequences()
    job = job._replace(pictured=tuple(inputs[:PICTURED]))
    people = {"people_by_index": bool(job.selections), "people_by_silhouettes": bool(job.silhouettes)}
    check_tree_settings(job.output, asdict(job.settings) | people, flag="--ext_name")
    if source := read_source(job.poses.root):
        note_source(job.output, source)
    work = partial(heatmap_sequence, job)
    problems = list(
        write_tree(work, inputs, job.output, args.worker_num, args.shard, "maps", notes_aside=True)
    )
    if layout:
        problems += write_opengait_sets(
            job.output,
            args.save_root,
            layout,
            args.dataset_partition,
            encoding=args.encoding,
            workers=args.worker_num,
        )
    report_problems(sorted(problems))


def heatmap_job(args):
    """What the flags ask for; without a file of settings the published ones for the data set."""
    poses = raw_tree(check_folder(args.pose_data_path, "--pose_data_path"))
    if not args.save_root:
        raise GaitError("--save_root is needed: the folder to write the maps in.")
    dataset = dataset_name(args.dataset_name, "--dataset_name")
    settings = MapSettings(transfer_to_coco17=dataset in OPENPOSE)
    if args.heatmap_cfg_path:
        settings = settings_from_yaml(args.heatmap_cfg_path)
    output = Path(args.save_root, f"{args.dataset_name}_sigma_{settings.sigma}_{args.ext_name}", "pkl")
    selections, silhouettes = args.oumvlp_index_dir, args.silhouette_data_path
    if selections:
        check_folder(selections, "--oumvlp_index_dir")
    if silhouettes:
        silhouettes = raw_tree(check_folder(silhouettes, "--silhouette_data_path"))
    return HeatmapJob(poses, output, settings, PATTERNS.get(dataset, "*.pkl"), selections, silhouettes)


if __name__ == "__main__":
    run(main)
