"""CASIA-B flow images -> the training data set (AttenGait): subjects up to 074.

    python preprocessing/generate_of_dataset_casiab.py --ofdir CASIAB_pre --outdir CASIAB_tf_pre

Writes <outdir>/tfimdb_casiab_N074_train_of30_64x64/.
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, print_problems, run
from keras_gait.data import layouts
from keras_gait.data.frames import load_flow_folder
from keras_gait.data.writer import add_writer_flags, write_dataset


def parse(argv):
    parser = CommandParser(prog="generate_of_dataset_casiab.py", description=__doc__.splitlines()[0])
    parser.add_argument("--ofdir", default="CASIAB_pre/", help="flow images, <id>/<type>-<number>/<view>/")
    parser.add_argument("--outdir", default="CASIAB_tf_pre/", help="the data set becomes a folder in here")
    parser.add_argument(
        "--train_subjects",
        type=int,
        default=layouts.CASIA_TRAIN,
        help="ids up to this train, the others test",
    )
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.casiab(layouts.check_folder(args.ofdir, "--ofdir"))
    problems = write_dataset(
        Path(args.outdir, layouts.casiab_stem("train", everything, args.train_subjects)),
        layouts.casiab_split(everything, "train", args.train_subjects),
        load_flow_folder,
        modality="flow",
        source="CASIA-B",
        split="train",
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    print_problems(problems)


if __name__ == "__main__":
    run(main)
