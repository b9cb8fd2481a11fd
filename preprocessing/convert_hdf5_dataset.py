"""An original HDF5 data set (deepdish) -> a data set of this package.

    python preprocessing/convert_hdf5_dataset.py --output_path sets \\
        --input_path CASIAB_tf_pre/tfimdb_casiab_N074_train_of30_64x64.h5

Writes <output_path>/<name of the set>/.
"""

import os
from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.hdf5 import hdf5_sequences, load_hdf5_sequence
from keras_gait.data.opening import is_hdf5_set, open_dataset
from keras_gait.data.problems import Problem
from keras_gait.data.writer import add_writer_flags, write_dataset
from keras_gait.errors import GaitError


def parse(argv):
    parser = CommandParser(prog="convert_hdf5_dataset.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--input_path", required=True, help="the folder of .h5 files, or the info file beside it"
    )
    parser.add_argument("--output_path", required=True, help="the data set becomes a folder in here")
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    path = Path(args.input_path)
    if not is_hdf5_set(path):
        raise GaitError(f"--input_path {path}: expected a folder of .h5 files with its info file beside it.")
    ds = open_dataset(path)
    present, missing = [], []
    for sequence in hdf5_sequences(ds):
        (present if os.path.isfile(sequence.source) else missing).append(sequence)
    problems = write_dataset(
        Path(args.output_path, ds.name),
        present,
        load_hdf5_sequence,
        modality=ds.info["modality"],
        source=ds.info["source"],
        split=ds.info["split"],
        frame_shape=ds.frame_shape,
        dtype=ds.dtype,
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    gone = [Problem(sequence.source, "missing file", mendable=True) for sequence in missing]
    report_problems(gone + problems)


if __name__ == "__main__":
    run(main)
