"""CASIA-B flow images -> the training data set (AttenGait): subjects up to 074.

    python preprocessing/generate_of_dataset_casiab.py --ofdir CASIAB_pre --outdir CASIAB_tf_pre

Writes <outdir>/tfimdb_casiab_N074_train_of30_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data.flow_sets import add_split_flag, flow_set_parser, write_casiab_set


def parse(argv):
    parser = flow_set_parser(
        "generate_of_dataset_casiab.py",
        __doc__,
        "<id>/<type>-<number>/<view>/",
        ofdir="CASIAB_pre/",
        outdir="CASIAB_tf_pre/",
    )
    add_split_flag(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    write_casiab_set(args, "train")


if __name__ == "__main__":
    run(main)
