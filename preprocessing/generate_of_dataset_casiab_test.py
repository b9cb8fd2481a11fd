"""CASIA-B flow images -> the gallery (ft: nm-01 to nm-04) or probe set (test: the rest) of AttenGait.

    python preprocessing/generate_of_dataset_casiab_test.py --ofdir CASIAB_pre --outdir sets --mode ft

Takes the subjects after 074 and writes <outdir>/tfimdb_casiab_N050_<mode>_of30_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data import layouts
from keras_gait.data.flow_sets import flow_set_parser, write_flow_set
from keras_gait.data.provenance import read_source


def parse(argv):
    parser = flow_set_parser("generate_of_dataset_casiab_test.py", __doc__, "<id>/<type>-<number>/<view>/")
    parser.add_argument("--mode", required=True, choices=("ft", "test"), help="gallery or probe set")
    parser.add_argument(
        "--train_subjects",
        type=int,
        default=layouts.CASIA_TRAIN,
        help="ids up to this train, the others test",
    )
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.casiab(layouts.check_folder(args.ofdir, "--ofdir"))
    stem = layouts.casiab_stem(args.mode, everything, args.train_subjects)
    sequences = layouts.casiab_split(everything, args.mode, args.train_subjects)
    write_flow_set(args, stem, sequences, read_source(args.ofdir, "CASIA-B"), args.mode)


if __name__ == "__main__":
    run(main)
