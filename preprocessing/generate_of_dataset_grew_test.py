"""GREW flow images -> the gallery (ft) or probe set (test) of AttenGait.

    python preprocessing/generate_of_dataset_grew_test.py --ofdir GREW_pre/flow/test/probe --mode test

The gallery is laid out <id>/<seq>/; the probe is <folder>/, as its subjects are not published, or likewise.
Writes <outdir>/tfimdb_grew_N06000_<mode>_of25_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data import layouts
from keras_gait.data.flow_sets import flow_set_parser, write_flow_set

FOLDERS = {"ft": "GREW_pre/flow/test/gallery/", "test": "GREW_pre/flow/test/probe/"}
LEVELS = {"ft": (2,), "test": (1, 2)}


def parse(argv):
    parser = flow_set_parser(
        "generate_of_dataset_grew_test.py",
        __doc__,
        f"<id>/<seq>/ or <folder>/; without it {FOLDERS['ft']} or {FOLDERS['test']}, by --mode",
        ofdir="",
        outdir="GREW_tf_pre",
    )
    parser.add_argument("--mode", default="ft", choices=("ft", "test"), help="gallery or probe set")
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    folder = layouts.check_folder(args.ofdir or FOLDERS[args.mode], "--ofdir")
    everything = layouts.grew(folder, LEVELS[args.mode])
    write_flow_set(args, f"tfimdb_grew_N06000_{args.mode}_of25_64x64", everything, "GREW", args.mode)


if __name__ == "__main__":
    run(main)
