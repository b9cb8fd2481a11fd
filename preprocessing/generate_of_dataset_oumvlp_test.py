"""OU-MVLP flow images -> the gallery (ft: seq 01) or probe set (test: the others) of AttenGait.

    python preprocessing/generate_of_dataset_oumvlp_test.py --ofdir OUMVLP_pre --outdir sets --mode ft

Takes the even ids and 10307, brings images to 64x64, and writes
<outdir>/tfimdb_oumvlp_N5154_<mode>_of30_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data import layouts
from keras_gait.data.flow_sets import flow_set_parser, write_flow_set


def parse(argv):
    parser = flow_set_parser("generate_of_dataset_oumvlp_test.py", __doc__, "<id>/<view>_<seq>/")
    parser.add_argument("--mode", required=True, choices=("ft", "test"), help="gallery or probe set")
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.oumvlp(layouts.check_folder(args.ofdir, "--ofdir"))
    stem = f"tfimdb_oumvlp_N5154_{args.mode}_of30_64x64"
    sequences = layouts.oumvlp_split(everything, args.mode)
    write_flow_set(args, stem, sequences, "OU-MVLP", args.mode, resize=True)


if __name__ == "__main__":
    run(main)
