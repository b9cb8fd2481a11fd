"""Write the answer to the GREW challenge: the 20 nearest gallery subjects of every probe video.

    python mains/test_grew_challenge.py --datadir DATA --model runs/grew/model-final.keras

Writes results/<year>-<month><day>-<time>.csv in the model's folder.
"""

import datetime

from keras_gait.commands import CommandParser, run
from keras_gait.errors import GaitError
from keras_gait.evaluation.challenge import RANKS, as_csv, subject_numbers, video_names
from keras_gait.evaluation.distances import METRICS
from keras_gait.evaluation.inputs import (
    add_architecture_flags,
    add_set_flags,
    check_positive,
    fill_from_recipe,
    find_run,
    is_simulated,
    least_frames,
    open_model,
    open_sets,
    print_short,
    refuse_windows,
)
from keras_gait.evaluation.protocols import GREW_CHALLENGE
from keras_gait.training.recipes import load_recipe, method_recipe


def parse(argv):
    parser = CommandParser(prog="test_grew_challenge.py", description=__doc__.splitlines()[0])
    add_set_flags(parser)
    parser.add_argument(
        "--knn", type=int, choices=(RANKS,), default=RANKS, help="always 20, as the challenge asks"
    )
    parser.add_argument(
        "--metrics", choices=METRICS, help="distance; default: the recipe's, or L1 as published"
    )
    parser.add_argument(
        "--nframes",
        type=int,
        help="repeat shorter clips up to this length; default: 25 for AttenGait, as published, else the "
        "recipe's",
    )
    parser.add_argument("--verbose", action="store_true", help="name all probes that are repeated")
    add_architecture_flags(parser)
    return parser.parse_args(argv)


def select_sets(args, datadir):
    """The gallery and the probe sequences, checked -> ``(gallery, probe)``."""
    from keras_gait.evaluation.selection import divided

    sets = open_sets(datadir, args.gallery, args.probe, args.nclasses, args.channels, args.keypoints)
    gallery, probe = divided(GREW_CHALLENGE, *sets)
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
    recipe = load_recipe(args.config) if args.config else None
    model_path, datadir, recipe = find_run(args.model, args.datadir, recipe)
    model = open_model(model_path, vars(args), recipe)
    refuse_windows(model, model_path, "ranks whole videos")
    recipe = recipe or method_recipe(model)
    if args.nframes is None and recipe.get("method", "attengait") == "attengait":
        args.nframes = 25
    fill_from_recipe(args, recipe)
    check_positive(bs=args.bs, nframes=args.nframes)

    from keras_gait.evaluation.embedding import cached_embeddings, check_tta, long_enough
    from keras_gait.evaluation.neighbours import nearest_columns, nearest_rows
    from keras_gait.evaluation.rerank import reranked
    from keras_gait.files import write_whole

    check_tta(model, args.tta)
    gallery, probe = select_sets(args, datadir)
    names, labels = video_names(probe), subject_numbers(gallery)

    least = least_frames(model, args.nframes)
    results = model_path.parent / "results"
    embeddings = []
    for role, dataset in (("gallery", gallery), ("probe", probe)):
        short = long_enough(dataset, least)[1]
        print_short(short, dataset, least, role, f"repeated up to {least}", args.verbose)
        settings = {
            "min_frames": least,
            "cut": args.cut,
            "tta": args.tta,
            "batch_size": args.bs,
            "title": f"{role} embeddings",
        }
        embeddings.append(cached_embeddings(model, model_path, dataset, results, role, **settings))
    if args.rerank:
        rows = nearest_columns(reranked(*embeddings, args.metrics, title="re-ranking"), RANKS)
    else:
        rows, _ = nearest_rows(*embeddings, args.metrics, RANKS, title="compare")
    path = results / datetime.datetime.now().strftime("%Y-%m%d-%H%M%S.csv")
    write_whole(path, as_csv(names, labels[rows]))
    note = " of simulated walkers" if is_simulated(gallery) or is_simulated(probe) else ""
    print(f"{path}: {len(names)} probe videos{note}, {RANKS} nearest gallery subjects each")


if __name__ == "__main__":
    run(main)
