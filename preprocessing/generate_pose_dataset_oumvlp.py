"""OU-MVLP-Pose -> the training and the test set of this package (GaitGraph2).

    python preprocessing/generate_pose_dataset_oumvlp.py --dataset_path OUMVLP-Pose \\
        --keypoints alphapose --output_path sets

reads OUMVLP-Pose/ID_list.csv and OUMVLP-Pose/alphapose/<subject>/<view>_<sequence>/*.json and writes
<output_path>/tfimdb_oumvlp_N5153_train_pose_alphapose/ and, gallery (sequence 00) and probes (01) in one,
<output_path>/tfimdb_oumvlp_N5154_test_pose_alphapose/.
"""

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.layouts import check_folder
from keras_gait.data.poses.oumvlp import ID_LIST, KEYPOINTS, write_oumvlp_sets


def parse(argv):
    parser = CommandParser(prog="generate_pose_dataset_oumvlp.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--dataset_path", required=True, help=f"folder of {ID_LIST} and of the folders {', '.join(KEYPOINTS)}"
    )
    parser.add_argument(
        "--keypoints", default=KEYPOINTS[0], choices=KEYPOINTS, help="by which estimator the poses are"
    )
    parser.add_argument("--output_path", required=True, help="the data sets become folders in here")
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    root = check_folder(args.dataset_path, "--dataset_path")
    report_problems(write_oumvlp_sets(root, args.output_path, args.keypoints, args.worker_num, args.shard))


if __name__ == "__main__":
    run(main)
