"""Write the answer to the GREW challenge: the 20 nearest gallery subjects of every probe video.

    python mains/test_grew_challenge.py --datadir DATA --model runs/grew/model-final.keras

Writes results/<year>-<month><day>-<time>.csv in the model's folder.
"""

import csv
import datetime
import io

from keras_gait.commands import CommandParser, run
from keras_gait.errors import GaitError
from keras_gait.evaluation.distances import METRICS
from keras_gait.evaluation.inputs import (
    add_architecture_flags,
    add_set_flags,
    check_positive,
    fill_from_recipe,
    find_run,
    find_sets,
    is_simulated,
    least_frames,
    open_model,
    print_short,
)

RANKS = 20


def parse(argv):
    parser = CommandParser(prog="test_grew_challenge.py", description=__doc__.splitlines()[0])
    add_set_flags(parser)
    parser.add_argument(
        "--knn", type=int, choices=(RANKS,), default=RANKS, help="always 20, as the challenge asks"
    )
    parser.add_argument(
        "--metrics", choices=METRICS, help="distance; default: the recipe's, or L1 as published"
    )
    parser.add_argument("--nframes", type=int, default=25, help="repeat shorter clips up to this length")
    parser.add_argument("--verbose", action="store_true", help="name all probes that are repeated")
    add_architecture_flags(parser)
    return parser.parse_args(argv)


def video_names(probe):
    """What the challenge calls each probe: its folder's name."""
    names = [video or subject for video, subject in zip(probe.video, probe.subject, strict=True)]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise GaitError(
            f"{probe.path}: the probe name {double} occurs twice; the challenge needs one row a video"
        )
    return names


def subject_numbers(gallery):
    """Gallery subjects as the whole numbers that the challenge expects, int64 ``(n,)``."""
    odd = [subject for subject in gallery.subjects if not subject.isdigit()]
    if odd:
        raise GaitError(
            f"{gallery.path}: gallery subjects must be numbers for the challenge. Found: '{odd[0]}'"
        )
    return gallery.subject.astype(int)


def open_sets(args, datadir):
    """The gallery and the probe set, checked -> ``(gallery, probe)``."""
    from keras_gait.data.opening import open_dataset

    gallery, probe = map(open_dataset, find_sets(datadir, args.gallery, args.probe, args.nclasses))
    if gallery.path.resolve() == probe.path.resolve():
        raise GaitError(
            f"{gallery.path} was found for both gallery and probe: name them by --gallery and --probe"
        )
    if not len(probe):
        raise GaitError(f"{probe.path} has no probe sequence: make the set anew")
    if len(gallery) < RANKS:
        raise GaitError(
            f"the challenge asks for {RANKS} neighbours, but {gallery.name} has {len(gallery)} "
            "gallery sequences"
        )
    return gallery, probe


def main(argv):
    args = parse(argv)
    check_positive(bs=args.bs, nframes=args.nframes)
    model_path, datadir = find_run(args.model, args.datadir)
    fill_from_recipe(args, model_path.parent)
    model = open_model(model_path, vars(args))
    gallery, probe = open_sets(args, datadir)
    names, labels = video_names(probe), subject_numbers(gallery)

    from keras_gait.evaluation.embedding import cached_embeddings, long_enough
    from keras_gait.evaluation.neighbours import nearest_rows
    from keras_gait.files import write_whole

    least = least_frames(model, args.nframes)
    results = model_path.parent / "results"
    embeddings = []
    for role, dataset in (("gallery", gallery), ("probe", probe)):
        short = long_enough(dataset, least)[1]
        print_short(short, dataset, least, role, f"repeated up to {least}", args.verbose)
        settings = {
            "min_frames": least,
            "cut": args.cut,
            "batch_size": args.bs,
            "title": f"{role} embeddings",
        }
        embeddings.append(cached_embeddings(model, model_path, dataset, results, role, **settings))
    rows, _ = nearest_rows(*embeddings, args.metrics, RANKS, title="compare")
    path = results / datetime.datetime.now().strftime("%Y-%m%d-%H%M%S.csv")
    write_whole(path, as_csv(names, labels[rows]))
    note = " of simulated walkers" if is_simulated(gallery) or is_simulated(probe) else ""
    print(f"{path}: {len(names)} probe videos{note}, {RANKS} nearest gallery subjects each")


def as_csv(names, labels):
    """The challenge's table; ``labels`` ``(n, 20)``, nearest first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["videoId", *(f"rank{rank}" for rank in range(1, RANKS + 1))])
    writer.writerows([name, *row] for name, row in zip(names, labels.tolist(), strict=True))
    return text.getvalue()


if __name__ == "__main__":
    run(main)
