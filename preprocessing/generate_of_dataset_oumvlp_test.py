"""OU-MVLP flow images -> the gallery (ft: seq 01) or probe set (test: the others) of AttenGait.

    python preprocessing/generate_of_dataset_oumvlp_test.py --ofdir OUMVLP_pre --outdir sets --mode ft

Takes the even ids and 10307, brings images to 64x64, and writes
<outdir>/tfimdb_oumvlp_N5154_<mode>_of30_64x64/.
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, print_problems, run
from keras_gait.data import layouts
from keras_gait.data.frames import load_and_resize_flow_folder
from keras_gait.data.writer import add_writer_flags, write_dataset


def parse(argv):
    parser = CommandParser(prog="generate_of_dataset_oumvlp_test.py", description=__doc__.splitlines()[0])
    parser.add_argument("--ofdir", required=True, help="flow images, <id>/<view>_<seq>/")
    parser.add_argument("--outdir", required=True, help="the data set becomes a folder in here")
    parser.add_argument("--mode", required=True, choices=("ft", "test"), help="gallery or probe set")
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.oumvlp(layouts.check_folder(args.ofdir, "--ofdir"))
    problems = write_dataset(
        Path(args.outdir, f"tfimdb_oumvlp_N5154_{args.mode}_of30_64x64"),
        layouts.oumvlp_split(everything, args.mode),
        load_and_resize_flow_folder,
        modality="flow",
        source="OU-MVLP",
        split=args.mode,
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    print_problems(problems)


if __name__ == "__main__":
    run(main)
