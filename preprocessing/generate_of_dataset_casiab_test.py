"""CASIA-B flow images -> the gallery (ft: nm-01 to nm-04) or probe set (test: the rest) of AttenGait.

    python preprocessing/generate_of_dataset_casiab_test.py --ofdir CASIAB_pre --outdir sets --mode ft

Takes the subjects after 074 and writes <outdir>/tfimdb_casiab_N050_<mode>_of30_64x64/.
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, print_problems, run
from keras_gait.data import layouts
from keras_gait.data.frames import load_flow_folder
from keras_gait.data.writer import add_writer_flags, write_dataset


def parse(argv):
    parser = CommandParser(prog="generate_of_dataset_casiab_test.py", description=__doc__.splitlines()[0])
    parser.add_argument("--ofdir", required=True, help="flow images, <id>/<type>-<number>/<view>/")
    parser.add_argument("--outdir", required=True, help="the data set becomes a folder in here")
    parser.add_argument("--mode", required=True, choices=("ft", "test"), help="gallery or probe set")
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
        Path(args.outdir, layouts.casiab_stem(args.mode, everything, args.train_subjects)),
        layouts.casiab_split(everything, args.mode, args.train_subjects),
        load_flow_folder,
        modality="flow",
        source="CASIA-B",
        split=args.mode,
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    print_problems(problems)


if __name__ == "__main__":
    run(main)
