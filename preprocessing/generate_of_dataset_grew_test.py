"""GREW flow images -> the gallery (ft) or probe set (test) of AttenGait.

    python preprocessing/generate_of_dataset_grew_test.py --ofdir GREW_pre/flow/test/probe --mode test

Reads <id>/<seq>/ (gallery) and <folder>/ (probe, whose subjects are not published).
Writes <outdir>/tfimdb_grew_N06000_<mode>_of25_64x64/.
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, print_problems, run
from keras_gait.data import layouts
from keras_gait.data.frames import load_flow_folder
from keras_gait.data.writer import add_writer_flags, write_dataset


def parse(argv):
    parser = CommandParser(prog="generate_of_dataset_grew_test.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--ofdir", default="GREW_pre/flow/test/gallery/", help="flow images, <id>/<seq>/ or <folder>/"
    )
    parser.add_argument("--outdir", default="GREW_tf_pre", help="the data set becomes a folder in here")
    parser.add_argument("--mode", default="ft", choices=("ft", "test"), help="gallery or probe set")
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.grew(layouts.check_folder(args.ofdir, "--ofdir"))
    problems = write_dataset(
        Path(args.outdir, f"tfimdb_grew_N06000_{args.mode}_of25_64x64"),
        everything,
        load_flow_folder,
        modality="flow",
        source="GREW",
        split=args.mode,
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    print_problems(problems)


if __name__ == "__main__":
    run(main)
