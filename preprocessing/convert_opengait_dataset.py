"""An OpenGait root of pickles with its partition -> the training and the test set of this package.

    python preprocessing/convert_opengait_dataset.py --input_path Gait3D-joined \\
        --dataset_partition Gait3D.json --output_path sets

The root is <id>/<type>/<view>/*.pkl: skeleton maps [T, 2, 64, 64], silhouettes [T, 64, 64], or one of each,
which SkeletonGait++ needs. Writes <output_path>/tfimdb_gait3d_N3000_train_joined_64x64/ and
<output_path>/tfimdb_gait3d_N1000_test_joined_64x64/, gallery and probes in one.

CASIA-B and OU-MVLP can be divided by a share instead of the published partition, as SelfGait divides them:
--partition_rate 0.8 trains on the first 80 % of the subjects. CASIA-B's 005 takes no part then. With
--partition_by sequences, the published way, it is 80 % of the sequences, and one subject is in both sets. All
sequences count, where the original counts those with the 30 frames of a clip, and drops the others.
"""

import argparse

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.label_split import WAYS
from keras_gait.data.layouts import check_folder
from keras_gait.data.opengait.layouts import find_layout
from keras_gait.data.opengait.rates import Rate
from keras_gait.data.opengait.sets import write_opengait_sets
from keras_gait.data.writer import add_writer_flags
from keras_gait.errors import GaitError


def parse(argv):
    parser = CommandParser(prog="convert_opengait_dataset.py", description=__doc__.splitlines()[0])
    parser.add_argument("--input_path", required=True, help="folder of <id>/<type>/<view>/*.pkl")
    parser.add_argument(
        "--dataset_partition",
        help="JSON with TRAIN_SET and TEST_SET, for Gait3D PROBE_SET too; "
        "CASIA-B, OU-MVLP and GREW without it: the published rule",
    )
    parser.add_argument(
        "--partition_rate", type=float, help="share that trains, 0 to 1, instead of a partition"
    )
    parser.add_argument(
        "--partition_by",
        choices=WAYS,
        help="what --partition_rate is a share of; left out: subjects. sequences (published, though there "
        "only of those with 30 frames) put one subject into both sets",
    )
    parser.add_argument("--output_path", required=True, help="the data sets become folders in here")
    parser.add_argument(
        "--dataset_name", default="", help="CASIA-B, OU-MVLP, ...; left out: told from partition or folders"
    )
    parser.add_argument(
        "--data_in_use",
        type=parse_data_in_use,
        help="which files of a sequence, in name order, such as true,false; left out: told from their names",
    )
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def parse_data_in_use(text):
    """``"true,false"`` -> ``[True, False]``."""
    words = [word.strip().lower() for word in text.strip("[]").split(",")]
    if set(words) - {"true", "false"} or "true" not in words:
        raise argparse.ArgumentTypeError(f"expected one true or false for each file. Received: {text!r}")
    return [word == "true" for word in words]


def find_rate(args):
    """The `Rate` of the flags, or None."""
    if args.partition_rate is None:
        if args.partition_by:
            raise GaitError("--partition_by needs --partition_rate, such as 0.8")
        return None
    if args.dataset_partition:
        raise GaitError("--partition_rate and --dataset_partition both divide the set: use one of them")
    return Rate(args.partition_rate, args.partition_by or "subjects")


def main(argv):
    args = parse(argv)
    rate = find_rate(args)
    root = check_folder(args.input_path, "--input_path")
    layout = find_layout(args.dataset_name, args.dataset_partition, root)
    problems = write_opengait_sets(
        root,
        args.output_path,
        layout,
        args.dataset_partition,
        args.data_in_use,
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
        rate=rate,
    )
    report_problems(problems)


if __name__ == "__main__":
    run(main)
