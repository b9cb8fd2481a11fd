"""Does a model tell the walkers of one video apart? First halves of their walks against second halves.

    python mains/compare_walks.py --datadir SET --model runs/a/model-final.keras --output matrix.png

For a set without repeated takes, such as one made from a video: every sequence is divided in the
middle, and the nearest second half of every first half should be its own.
"""

import numpy as np

from keras_gait.commands import CommandParser, run
from keras_gait.errors import GaitError
from keras_gait.evaluation.distances import METRICS
from keras_gait.evaluation.inputs import (
    add_architecture_flags,
    add_recipe_flags,
    add_tta_flag,
    check_keypoints,
    check_outputs,
    check_positive,
    fill_from_recipe,
    find_run,
    is_simulated,
    least_frames,
    open_model,
    refuse_windows,
    usable,
)
from keras_gait.training.recipes import load_recipe, method_recipe


def parse(argv):
    parser = CommandParser(prog="compare_walks.py", description=__doc__.splitlines()[0])
    parser.add_argument("--datadir", required=True, help="data set of the walks")
    parser.add_argument("--model", help="model file; default: the newest run below ./runs")
    parser.add_argument(
        "--metrics", choices=METRICS, help="distance; default: the recipe's, or L1 as published"
    )
    parser.add_argument("--nframes", type=int, default=16, help="frames that each half must have")
    parser.add_argument("--bs", type=int, default=128, help="sequences in a batch, at most")
    add_tta_flag(parser)
    add_recipe_flags(parser)
    parser.add_argument("--output", metavar="FILE.png", help="draw the matrix of distances")
    parser.add_argument("--report", metavar="FILE.html", help="write a page with the matrix")
    add_architecture_flags(parser)
    return parser.parse_args(argv)


class Half:
    """The first (0) or second (1) halves of a data set's sequences, as a data set to embed."""

    def __init__(self, dataset, which):
        self.dataset, self.which = dataset, which
        self.path, self.info = dataset.path, dataset.info
        self.frame_shape, self.channels = dataset.frame_shape, dataset.channels
        self.frames = dataset.frames // 2 if which == 0 else dataset.frames - dataset.frames // 2
        self.subject, self.condition = dataset.subject, dataset.condition
        self.view, self.video = dataset.view, dataset.video

    def __len__(self):
        return len(self.frames)

    def read(self, i):
        start = 0 if self.which == 0 else int(self.dataset.frames[i]) // 2
        return self.dataset.read(i, start, int(self.frames[i]))


def walk_names(dataset):
    """A name for each sequence: its subject, and the rest where a subject has several."""
    from keras_gait.evaluation.embedding import sequence_name

    if len(dataset.subjects) == len(dataset):
        return [str(subject) for subject in dataset.subject]
    return [sequence_name(dataset, i) for i in range(len(dataset))]


def print_matrix(names, values):
    """The distances, divided by their mean; the nearest of every row is marked."""
    width = max(7, *(len(name) + 2 for name in names))
    print(" " * width + "".join(name.rjust(width) for name in names))
    for name, row in zip(names, values / values.mean(), strict=True):
        cells = (f"{value:.3f}{'*' if value == row.min() else ' '}".rjust(width) for value in row)
        print(name.rjust(width) + "".join(cells))


def main(argv):
    args = parse(argv)
    check_positive(bs=args.bs, nframes=args.nframes)
    check_outputs(output=args.output, report=args.report)
    recipe = load_recipe(args.config) if args.config else None
    model_path, _, recipe = find_run(args.model, args.datadir, recipe)
    model = open_model(model_path, vars(args), recipe)
    refuse_windows(model, model_path, "compares the halves of whole walks")
    fill_from_recipe(args, recipe or method_recipe(model))

    from keras_gait.data.opening import find_dataset, open_dataset
    from keras_gait.evaluation.distances import as_vectors, distances
    from keras_gait.evaluation.embedding import embed

    everything = open_dataset(find_dataset(args.datadir, "train", keypoints=args.keypoints))
    check_keypoints(everything, args.keypoints)
    everything = everything.take_channels(args.channels) if args.channels else everything
    walks = usable(everything, 2 * least_frames(model, args.nframes), "walk")
    if len(walks) < 2:
        raise GaitError(
            f"{everything.path} has {len(walks)} walk that is long enough; comparing needs 2 or more"
        )
    first, second = (
        embed(model, Half(walks, which), args.bs, cut=args.cut, tta=args.tta, title=f"half {which + 1}")
        for which in (0, 1)
    )
    values = distances(as_vectors(first, args.metrics), as_vectors(second, args.metrics), args.metrics)
    names = walk_names(walks)
    right = walks.subject[values.argmin(axis=1)] == walks.subject
    note = " (simulated walkers)" if is_simulated(walks) else ""
    print(f"first halves (rows) against second halves (columns), distances / mean, * nearest{note}")
    print_matrix(names, values)
    verdict = f"rank-1: {right.sum()} of {len(right)} walks are nearest to the same person{note}"
    print(verdict)
    write_pictures(args, names, values, verdict, model_path)


def write_pictures(args, names, values, verdict, model_path):
    from keras_gait.evaluation import report
    from keras_gait.evaluation.figures import distance_matrix
    from keras_gait.files import write_whole

    if not (args.output or args.report):
        return
    png = distance_matrix(values / np.mean(values), names, names, "first half of the walk", "second half")
    if args.output:
        write_whole(args.output, png)
        print(f"matrix: {args.output}")
    if args.report:
        facts = {"model": model_path, "data set": args.datadir, "metric": args.metrics}
        sections = [
            (
                "Distances of half walks, divided by their mean",
                report.picture(png, "The nearest second half of each walk is framed."),
            ),
            ("Settings", report.settings(facts)),
        ]
        report.write_report(args.report, "Gait recognition: walkers of one video", verdict, sections)
        print(f"report: {args.report}")


if __name__ == "__main__":
    run(main)
