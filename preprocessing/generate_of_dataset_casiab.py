"""CASIA-B flow images -> the training data set (AttenGait): subjects up to 074.

    python preprocessing/generate_of_dataset_casiab.py --ofdir CASIAB_pre --outdir CASIAB_tf_pre

Writes <outdir>/tfimdb_casiab_N074_train_of30_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data import layouts
from keras_gait.data.flow_sets import flow_set_parser, write_flow_set
from keras_gait.data.provenance import read_source


def parse(argv):
    parser = flow_set_parser(
        "generate_of_dataset_casiab.py",
        __doc__,
        "<id>/<type>-<number>/<view>/",
        ofdir="CASIAB_pre/",
        outdir="CASIAB_tf_pre/",
    )
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
    stem = layouts.casiab_stem("train", everything, args.train_subjects)
    sequences = layouts.casiab_split(everything, "train", args.train_subjects)
    write_flow_set(args, stem, sequences, read_source(args.ofdir, "CASIA-B"), "train")


if __name__ == "__main__":
    run(main)
