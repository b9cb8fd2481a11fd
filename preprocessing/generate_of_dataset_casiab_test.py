"""CASIA-B flow images -> the gallery (ft: nm-01 to nm-04) or probe set (test: the rest) of AttenGait.

    python preprocessing/generate_of_dataset_casiab_test.py --ofdir CASIAB_pre --outdir sets --mode ft

Takes the subjects after 074 and writes <outdir>/tfimdb_casiab_N050_<mode>_of30_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data.flow_sets import add_split_flag, flow_set_parser, write_casiab_set


def parse(argv):
    parser = flow_set_parser("generate_of_dataset_casiab_test.py", __doc__, "<id>/<type>-<number>/<view>/")
    parser.add_argument("--mode", required=True, choices=("ft", "test"), help="gallery or probe set")
    add_split_flag(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    write_casiab_set(args, args.mode)


if __name__ == "__main__":
    run(main)
