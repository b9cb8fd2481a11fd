"""GREW flow images -> the training data set (AttenGait).

    python preprocessing/generate_of_dataset_grew.py --ofdir GREW_pre/flow/train --outdir GREW_tf_pre

Writes <outdir>/tfimdb_grew_N20000_train_of25_64x64/.
"""

from keras_gait.commands import run
from keras_gait.data import layouts
from keras_gait.data.flow_sets import flow_set_parser, write_flow_set


def parse(argv):
    parser = flow_set_parser(
        "generate_of_dataset_grew.py",
        __doc__,
        "<id>/<seq>/",
        ofdir="GREW_pre/flow/train",
        outdir="GREW_tf_pre",
    )
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    everything = layouts.grew(layouts.check_folder(args.ofdir, "--ofdir"), levels=(2,))
    write_flow_set(args, "tfimdb_grew_N20000_train_of25_64x64", everything, "GREW", "train")


if __name__ == "__main__":
    run(main)
