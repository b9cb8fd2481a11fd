"""OU-MVLP flow images -> the training data set (AttenGait): odd ids up to 10305.

    python preprocessing/generate_of_dataset_oumvlp.py --ofdir OUMVLP_pre --outdir OUMVLP_tf_pre

Images are brought to 64x64. Writes <outdir>/tfimdb_oumvlp_N5153_train_of30_64x64/.
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, print_problems, run
from keras_gait.data import layouts
from keras_gait.data.frames import load_and_resize_flow_folder
from keras_gait.data.writer import add_writer_flags, write_dataset


def parse(argv):
    parser = CommandParser(prog="generate_of_dataset_oumvlp.py", description=__doc__.splitlines()[0])
    parser.add_argument("--ofdir", default="OUMVLP_pre/", help="flow images, <id>/<view>_<seq>/")
    parser.add_argument("--outdir", default="OUMVLP_tf_pre/", help="the data set becomes a folder in here")
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.oumvlp(layouts.check_folder(args.ofdir, "--ofdir"))
    problems = write_dataset(
        Path(args.outdir, "tfimdb_oumvlp_N5153_train_of30_64x64"),
        layouts.oumvlp_split(everything, "train"),
        load_and_resize_flow_folder,
        modality="flow",
        source="OU-MVLP",
        split="train",
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    print_problems(problems)


if __name__ == "__main__":
    run(main)
