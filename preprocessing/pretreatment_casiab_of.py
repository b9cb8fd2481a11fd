"""CASIA-B silhouettes and RGB frames -> a tree of 64x64 colour-coded flow images (AttenGait).

    python preprocessing/pretreatment_casiab_of.py --input_path DatasetB-silhouettes \\
        --input_path_rgb DatasetB-rgb --output_path CASIAB_pre --worker_num 4

Both inputs hold <id>/<type>-<number>/<view>/<frame>.png with the same file names.
"""

import os
from functools import partial

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.flow_tree import add_tree_flags, casiab_flow
from keras_gait.data.layouts import casiab, check_folder
from keras_gait.data.provenance import note_source, read_source
from keras_gait.data.trees import log_problems, write_tree
from keras_gait.errors import GaitError


def parse(argv):
    parser = CommandParser(prog="pretreatment_casiab_of.py", description=__doc__.splitlines()[0])
    add_tree_flags(parser, "silhouettes: <id>/<type>-<number>/<view>/")
    parser.add_argument("--input_path_rgb", default="", help="RGB frames, same folders and file names")
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    silhouettes = check_folder(args.input_path, "--input_path")
    frames = check_folder(args.input_path_rgb, "--input_path_rgb")
    if not args.output_path:
        raise GaitError("--output_path is needed: the folder to write the flow images to.")
    inputs = {
        os.path.relpath(sequence.source, tree) for tree in (silhouettes, frames) for sequence in casiab(tree)
    }
    source = read_source(silhouettes)
    if source:
        note_source(args.output_path, source)
    problems = write_tree(
        partial(casiab_flow, silhouettes, frames),
        inputs,
        args.output_path,
        args.worker_num,
        args.shard,
        "flow",
    )
    report_problems(sorted(log_problems(problems, args.log_file, args.log == "true")))


if __name__ == "__main__":
    run(main)
