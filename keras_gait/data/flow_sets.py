"""From trees of flow images to data sets: what the ``generate_of_dataset_*`` commands share."""

from pathlib import Path

import cv2
import numpy as np

from keras_gait.commands import CommandParser, add_job_flags, report_problems
from keras_gait.data import layouts
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import read_source
from keras_gait.data.writer import add_writer_flags, write_dataset
from keras_gait.vision.flow import SIZE
from keras_gait.vision.images import read_image


def flow_set_parser(prog, doc, layout, ofdir=None, outdir=None):
    """The parser of such a command; a flag without a default (``ofdir``, ``outdir``) is required."""
    parser = CommandParser(prog=prog, description=doc.splitlines()[0])
    for flag, default, text in (
        ("--ofdir", ofdir, f"flow images, {layout}"),
        ("--outdir", outdir, "the data set becomes a folder in here"),
    ):
        parser.add_argument(flag, default=default, required=default is None, help=text)
    add_writer_flags(parser)
    add_job_flags(parser)
    return parser


def add_split_flag(parser):
    """Add ``--train_subjects``, where CASIA-B is divided."""
    parser.add_argument(
        "--train_subjects",
        type=int,
        default=layouts.CASIA_TRAIN,
        help="ids up to this train, the others test",
    )


def write_casiab_set(args, split):
    """Write the "train", "ft" or "test" sequences of a CASIA-B tree of flow images."""
    everything = layouts.casiab(layouts.check_folder(args.ofdir, "--ofdir"))
    stem = layouts.casiab_stem(split, everything, args.train_subjects)
    sequences = layouts.casiab_split(everything, split, args.train_subjects)
    write_flow_set(args, stem, sequences, read_source(args.ofdir, "CASIA-B"), split)


def write_flow_set(args, stem, sequences, source, split, resize=False):
    """Write ``sequences`` to the data set ``<args.outdir>/<stem>`` and print the problems."""
    problems = write_dataset(
        Path(args.outdir, stem),
        sequences,
        load_and_resize_flow_folder if resize else load_flow_folder,
        modality="flow",
        source=source,
        split=split,
        frame_shape=(SIZE, SIZE, 3),
        encoding=args.encoding,
        workers=args.worker_num,
        shard=args.shard,
    )
    report_problems(problems)


def load_flow_folder(folder, resize=False):
    """All 64x64 images of a folder -> ``(uint8 (frames, 64, 64, 3), problems)``, channels R, G, B.

    (The pretreatment writes R, G, B arrays by OpenCV, so that reading by OpenCV gives them back.)
    Images that are damaged, or of another size where ``resize`` (bilinear) is not asked for, are left
    out and reported as `Problem`.
    """
    frames, problems = [], []
    for path in layouts.frame_files(folder):
        image = read_image(path)
        if image is None:
            problems.append(Problem(path, "damaged image", mendable=True))
        elif image.shape[:2] == (SIZE, SIZE):
            frames.append(image)
        elif resize:
            frames.append(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))
        else:
            size = f"{image.shape[1]}x{image.shape[0]}"
            problems.append(Problem(path, f"image of {size}, expected {SIZE}x{SIZE}"))
    return np.array(frames, np.uint8).reshape(-1, SIZE, SIZE, 3), problems


def load_and_resize_flow_folder(folder):
    """`load_flow_folder` for OU-MVLP, whose images come in their own size."""
    return load_flow_folder(folder, resize=True)
