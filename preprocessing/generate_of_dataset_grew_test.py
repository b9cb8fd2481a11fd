"""GREW flow images -> the gallery (ft) or probe set (test) of AttenGait.

    python preprocessing/generate_of_dataset_grew_test.py --ofdir GREW_pre/flow/test/probe --mode test

Reads <id>/<seq>/ (gallery) and <folder>/ (probe, whose subjects are not published).
Writes <outdir>/tfimdb_grew_N06000_<mode>_of25_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data import layouts
from keras_gait.data.flow_sets import flow_set_parser, write_flow_set


def parse(argv):
    parser = flow_set_parser(
        "generate_of_dataset_grew_test.py",
        __doc__,
        "<id>/<seq>/ or <folder>/",
        ofdir="GREW_pre/flow/test/gallery/",
        outdir="GREW_tf_pre",
    )
    parser.add_argument("--mode", default="ft", choices=("ft", "test"), help="gallery or probe set")
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.grew(layouts.check_folder(args.ofdir, "--ofdir"))
    write_flow_set(args, f"tfimdb_grew_N06000_{args.mode}_of25_64x64", everything, "GREW", args.mode)


if __name__ == "__main__":
    run(main)
