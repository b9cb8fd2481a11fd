"""Published trees of 3-D skeleton sequences (.npy) -> the training and the test set of this package (SGE).

    python preprocessing/generate_skeleton_dataset.py --input_path Datasets --dataset BIWI --length 6 \\
        --output_path sets

reads Datasets/BIWI/6/BIWI_{train,test}_npy_data/ and writes
<output_path>/tfimdb_biwi_N028_train_skeleton_f6/ and <output_path>/tfimdb_biwi_N028_test_skeleton_f6/.
"""

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.skeletons.trees import TREES, write_published_sets


def parse(argv):
    parser = CommandParser(prog="generate_skeleton_dataset.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--input_path", required=True, help="folder of Datasets, or that folder, or one in it"
    )
    parser.add_argument("--dataset", default="BIWI", help=f"{', '.join(TREES)}, or the name of an own tree")
    parser.add_argument("--length", type=int, default=6, help="frames of a sequence: 4, 6, 8, 10, ...")
    parser.add_argument("--view", help="number of the view, where the data set has a folder for each")
    parser.add_argument("--output_path", required=True, help="the data sets become folders in here")
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    report_problems(
        write_published_sets(
            args.input_path,
            args.dataset,
            args.length,
            args.output_path,
            args.view,
            args.worker_num,
            args.shard,
        )
    )


if __name__ == "__main__":
    run(main)
