"""CASIA-B's published poses -> the training and the test set of this package (GaitGraph).

    python preprocessing/generate_pose_dataset_casiab.py --data_path data --output_path sets

reads data/casia-b_pose_coco.csv and writes <output_path>/tfimdb_casiab_N074_train_pose_hrnet/ and
<output_path>/tfimdb_casiab_N050_test_pose_hrnet/, gallery and probes in one.
"""

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.flow_sets import add_split_flag
from keras_gait.data.poses.casiab import FILE, find_file, write_casiab_sets


def parse(argv):
    parser = CommandParser(prog="generate_pose_dataset_casiab.py", description=__doc__.splitlines()[0])
    parser.add_argument("--data_path", required=True, help=f"folder of {FILE}, or that file")
    parser.add_argument("--output_path", required=True, help="the data sets become folders in here")
    add_split_flag(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    report_problems(
        write_casiab_sets(
            find_file(args.data_path),
            args.output_path,
            args.train_subjects,
            workers=args.worker_num,
            shard=args.shard,
        )
    )


if __name__ == "__main__":
    run(main)
