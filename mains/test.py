"""Evaluate a trained model: who is recognised, from which views, wearing what.

python mains/test.py --knn 1 --allcameras                                the newest run below ./runs
python mains/test.py --datadir DATA --model runs/a/model-final.keras --allcameras --report report.html
"""

import datetime
from pathlib import Path

from keras_gait.commands import CommandParser, run
from keras_gait.errors import GaitError
from keras_gait.evaluation.distances import METRICS
from keras_gait.evaluation.inputs import (
    add_architecture_flags,
    add_set_flags,
    check_outputs,
    check_positive,
    fill_from_recipe,
    find_run,
    find_sets,
    is_simulated,
    least_frames,
    open_model,
    usable,
)
from keras_gait.evaluation.protocols import PROTOCOLS, protocol_for, sorted_views


def parse(argv):
    parser = CommandParser(prog="test.py", description=__doc__.splitlines()[0])
    add_set_flags(parser)
    parser.add_argument("--protocol", choices=sorted(PROTOCOLS), help="default: what fits the data")
    parser.add_argument("--knn", type=int, help="neighbours that vote; default: the recipe's, or 1")
    parser.add_argument(
        "--metrics", choices=METRICS, help="distance; default: the recipe's, or L1 as published"
    )
    views = parser.add_mutually_exclusive_group()
    views.add_argument("--allcameras", action="store_true", help="evaluate the probes of all views")
    views.add_argument("--camera", default="90", help="evaluate the probes of this view only")
    parser.add_argument("--nframes", type=int, help="leave out shorter ones; default: the recipe's, or 30")
    parser.add_argument("--report", metavar="FILE.html", help="write a page with tables and pictures")
    parser.add_argument("--verbose", action="store_true", help="more tables; name all sequences left out")
    add_architecture_flags(parser)
    return parser.parse_args(argv)


def select_sets(args, datadir, model):
    """The gallery and probe sequences and the protocol -> ``(gallery, probe, protocol)``."""
    from keras_gait.data.opening import open_dataset

    paths = find_sets(datadir, args.gallery, args.probe, args.nclasses)
    gallery, probe = map(open_dataset, paths)
    protocol = PROTOCOLS[args.protocol] if args.protocol else protocol_for(probe)
    if gallery.path.resolve() == probe.path.resolve():
        mask = protocol.is_gallery(gallery)
        gallery, probe = gallery.select(mask), probe.select(~mask)
    if protocol.cross_view and not args.allcameras:
        probe = of_camera(probe, args.camera)
    least = least_frames(model, args.nframes)
    return (
        usable(gallery, least, "gallery", args.verbose),
        usable(probe, least, "probe", args.verbose),
        protocol,
    )


def of_camera(probe, camera):
    """The probes of one view; ``90`` and ``090`` are the same."""
    views = [view for view in sorted_views(probe.view) if view.lstrip("0") == camera.lstrip("0")]
    if not views:
        raise GaitError(
            f"--camera {camera}: {probe.name} has no such view. It has "
            f"{', '.join(sorted_views(probe.view))}; "
            "--allcameras evaluates all of them"
        )
    return probe.select(probe.view == views[0])


def main(argv):
    args = parse(argv)
    check_outputs(report=args.report)
    model_path, datadir = find_run(args.model, args.datadir)
    fill_from_recipe(args, model_path.parent)
    check_positive(knn=args.knn, bs=args.bs, nframes=args.nframes)
    model = open_model(model_path, vars(args))
    gallery, probe, protocol = select_sets(args, datadir, model)

    from keras_gait.evaluation.embedding import cached_embeddings
    from keras_gait.evaluation.results import check_sets, evaluate, print_results, write_csv

    conditions = check_sets(protocol, gallery, probe, args.knn, named=args.protocol is not None)
    gallery_embeddings, probe_embeddings = (
        cached_embeddings(
            model,
            model_path,
            dataset,
            model_path.parent / "results",
            role,
            cut=args.cut,
            batch_size=args.bs,
            title=f"{role} embeddings",
        )
        for role, dataset in (("gallery", gallery), ("probe", probe))
    )
    result = evaluate(
        protocol,
        conditions,
        gallery_embeddings,
        gallery,
        probe_embeddings,
        probe,
        args.metrics,
        args.knn,
        title="compare",
    )
    simulated = is_simulated(gallery) or is_simulated(probe)
    print_results(result, simulated, args.verbose)
    write_csv(result, model_path.parent / "results" / "rank1.csv")
    if args.report:
        from keras_gait.evaluation.evaluation_report import write_evaluation_report

        facts = {
            "model": f"{model_path} ({type(model).__name__})",
            "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
            "protocol": f"{protocol.name}, {args.knn} nearest neighbour(s), metric {args.metrics}",
            "gallery": describe(gallery),
            "probe": describe(probe),
            "least frames": least_frames(model, args.nframes),
            "cut": "columns 10..53" if args.cut else "no",
        }
        write_evaluation_report(args.report, result, facts, model, probe, simulated)
        print(f"\nreport: {Path(args.report)}")


def describe(dataset):
    return f"{dataset.path}: {len(dataset)} sequences of {len(dataset.subjects)} subjects"


if __name__ == "__main__":
    run(main)
