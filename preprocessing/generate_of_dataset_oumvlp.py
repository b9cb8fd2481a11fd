"""OU-MVLP flow images -> the training data set (AttenGait): odd ids up to 10305.

    python preprocessing/generate_of_dataset_oumvlp.py --ofdir OUMVLP_pre --outdir OUMVLP_tf_pre

Images are brought to 64x64. Writes <outdir>/tfimdb_oumvlp_N5153_train_of30_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data import layouts
from keras_gait.data.flow_sets import flow_set_parser, write_flow_set


def parse(argv):
    parser = flow_set_parser(
        "generate_of_dataset_oumvlp.py",
        __doc__,
        "<id>/<view>_<seq>/",
        ofdir="OUMVLP_pre/",
        outdir="OUMVLP_tf_pre/",
    )
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.oumvlp(layouts.check_folder(args.ofdir, "--ofdir"))
    sequences = layouts.oumvlp_split(everything, "train")
    write_flow_set(args, "tfimdb_oumvlp_N5153_train_of30_64x64", sequences, "OU-MVLP", "train", resize=True)


if __name__ == "__main__":
    run(main)
