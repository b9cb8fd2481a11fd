"""GREW flow images -> the training data set (AttenGait).

    python preprocessing/generate_of_dataset_grew.py --ofdir GREW_pre/flow/train --outdir GREW_tf_pre

Writes <outdir>/tfimdb_grew_N20000_train_of25_64x64/.
"""

from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, print_problems, run
from keras_gait.data import layouts
from keras_gait.data.frames import load_flow_folder
from keras_gait.data.writer import add_writer_flags, write_dataset


def parse(argv):
    parser = CommandParser(prog="generate_of_dataset_grew.py", description=__doc__.splitlines()[0])
    parser.add_argument("--ofdir", default="GREW_pre/flow/train", help="flow images, <id>/<seq>/")
    parser.add_argument("--outdir", default="GREW_tf_pre", help="the data set becomes a folder in here")
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.grew(layouts.check_folder(args.ofdir, "--ofdir"), levels=(2,))
    problems = write_dataset(
        Path(args.outdir, "tfimdb_grew_N20000_train_of25_64x64"),
        everything,
        load_flow_folder,
        modality="flow",
        source="GREW",
        split="train",
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    print_problems(problems)


if __name__ == "__main__":
    run(main)
