"""Raw silhouettes -> pickles of aligned silhouettes, <id>/<type>/<view>/<view>.pkl, as OpenGait reads them.

    python preprocessing/pretreatment_silhouettes.py -i GaitDatasetB-silh -o CASIAB-pkl -n 4

Reads <id>/<type>/<view>/*.png, and OU-MVLP (Silhouette_<view>-<seq>/<id>/) and GREW (train/, test/) as
they are delivered. Frames without a body are dropped as OpenGait does; which ones were kept is noted in
<output_path>/.frames/, so that ln_sil_heatmap.py drops the same ones of the heat-maps.
"""

from functools import partial
from pathlib import Path

from keras_gait.commands import CommandParser, parse_shard, report_problems, run
from keras_gait.data.layouts import check_folder
from keras_gait.data.opengait.raw_trees import DATASETS, dataset_name, raw_tree
from keras_gait.data.opengait.silhouettes import silhouette_sequence
from keras_gait.data.provenance import note_source, read_source
from keras_gait.data.trees import check_tree_settings, log_problems, write_tree
from keras_gait.errors import GaitError


def parse(argv):
    parser = CommandParser(prog="pretreatment_silhouettes.py", description=__doc__.splitlines()[0])
    parser.add_argument("-i", "--input_path", default="", help="raw silhouettes: <id>/<type>/<view>/*.png")
    parser.add_argument("-o", "--output_path", default="", help="folder of the pickles")
    parser.add_argument(
        "-d",
        "--dataset",
        default="CASIAB",
        help=f"one of {', '.join(DATASETS)}: GREW's frames stay as they are, CCPG has its own rule",
    )
    parser.add_argument("-r", "--img_size", type=int, default=64, help="rows and columns of a frame")
    parser.add_argument("-n", "--n_workers", "--worker_num", type=int, default=4, help="parallel processes")
    parser.add_argument("-l", "--log_file", default="./pretreatment.log", help="problems are added to it")
    parser.add_argument(
        "--shard", type=parse_shard, default=(0, 1), metavar="I/N", help="the I-th of N parts"
    )
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    root = check_folder(args.input_path, "--input_path")
    if not args.output_path:
        raise GaitError("--output_path is needed: the folder to write the pickles to.")
    if args.img_size < 2 or args.img_size % 2:
        raise GaitError(f"--img_size must be an even number of pixels. Received: {args.img_size}")
    dataset = dataset_name(args.dataset, "--dataset")
    tree = raw_tree(root)
    inputs = tree.sequences()
    check_tree_settings(args.output_path, {"dataset": dataset, "img_size": args.img_size})
    if source := read_source(root):
        note_source(args.output_path, source)
    job = partial(silhouette_sequence, tree, Path(args.output_path), args.img_size, dataset)
    problems = write_tree(
        job, inputs, args.output_path, args.n_workers, args.shard, "silhouettes", notes_aside=True
    )
    report_problems(sorted(log_problems(problems, args.log_file, echo=False)))


if __name__ == "__main__":
    run(main)
