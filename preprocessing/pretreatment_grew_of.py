"""GREW's delivered flow images -> the same tree with images of 64x64 (AttenGait).

    python preprocessing/pretreatment_grew_of.py --input_path flow/train --output_path GREW_pre/flow/train

--mode train reads <id>/<seq>/; --mode test also reads folders of images right under --input_path (probe).
"""

import os
from functools import partial

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.flow_tree import add_tree_flags, grew_flow
from keras_gait.data.layouts import check_folder, grew
from keras_gait.data.trees import log_problems, write_tree
from keras_gait.errors import GaitError

LEVELS = {"train": (2,), "test": (1, 2)}


def parse(argv):
    parser = CommandParser(prog="pretreatment_grew_of.py", description=__doc__.splitlines()[0])
    add_tree_flags(parser, "flow images: <id>/<seq>/, or <folder>/ with --mode test")
    parser.add_argument("--mode", default="train", choices=tuple(LEVELS), help="which layout to expect")
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    source = check_folder(args.input_path, "--input_path")
    if not args.output_path:
        raise GaitError("--output_path is needed: the folder to write the flow images to.")
    inputs = [os.path.relpath(sequence.source, source) for sequence in grew(source, LEVELS[args.mode])]
    problems = write_tree(
        partial(grew_flow, source), inputs, args.output_path, args.worker_num, args.shard, "flow"
    )
    report_problems(sorted(log_problems(problems, args.log_file, args.log == "true")))


if __name__ == "__main__":
    run(main)
