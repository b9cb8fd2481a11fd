"""Evaluate a trained model: who is recognised, from which views, wearing what.

python mains/test.py --knn 1 --allcameras                                the newest run below ./runs
python mains/test.py --datadir DATA --model runs/a/model-final.keras --allcameras --report report.html
python mains/test.py --datadir DATA --model SkeletonGait-60000.pt --config configs/skeletongait/gait3d.yaml
python mains/test.py --datadir DATA --model gaitgraph.ckpt --config configs/gaitgraph2/casiab.yaml --no-tta
python mains/test.py --datadir DATA --model BIWI_LA_RN_ap_6_0.1_0pre_rev_rec/trained_model.ckpt
python mains/test.py --model runs/cme --probe_type cl.nm

Writes results/rank1.csv, and all figures to results/figures.csv, in the model's folder.
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
    is_simulated,
    least_frames,
    open_model,
    open_sets,
    recipe_section,
    usable,
)
from keras_gait.evaluation.protocols import PROTOCOLS, protocol_for, with_cross_view_gallery
from keras_gait.files import is_tf1_checkpoint
from keras_gait.training.recipes import load_recipe, method_recipe

OF_SKELETONS = ("dataset", "view", "probe_type")  # flags that other models have no use for
OF_OTHERS = ("protocol", "camera", "cut", "cross_view_gallery", "channels", "keypoints", "nframes")
OF_NEIGHBOURS = ("knn", "metrics", "rerank")  # which matching has fixed


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
    views.add_argument(
        "--camera",
        help="evaluate the probes of this view only; default: 90, or all where the data tells its layout",
    )
    parser.add_argument(
        "--cross_view_gallery",
        action="store_true",
        default=None,
        help="compare each probe with the gallery of all views at once (casia-b, oumvlp)",
    )
    parser.add_argument("--dataset", help="data set of skeletons (BIWI, IAS), where several lie")
    parser.add_argument("--view", help="number of its view (KS20, CASIA_B); default: the recipe's")
    parser.add_argument(
        "--probe_type",
        metavar="P.G",
        help="skeletons: match probes of condition P with the gallery of condition G (nm.nm, cl.nm), without "
        "the recognition network; default: CASIA-B's five published pairs, where the data are those",
    )
    parser.add_argument("--nframes", type=int, help="leave out shorter ones; default: the recipe's, or 30")
    parser.add_argument("--report", metavar="FILE.html", help="write a page with tables and pictures")
    parser.add_argument("--verbose", action="store_true", help="more tables; name all sequences left out")
    add_architecture_flags(parser)
    return parser.parse_args(argv)


def select_sets(args, datadir, model):
    """The gallery and probe sequences and the protocol -> ``(gallery, probe, protocol)``."""
    from keras_gait.evaluation.embedding import check_frames
    from keras_gait.evaluation.selection import divided

    gallery, probe = open_sets(
        datadir, args.gallery, args.probe, args.nclasses, args.channels, args.keypoints
    )
    for dataset in (gallery, probe):
        check_frames(model, dataset)
    if args.protocol is not None and args.protocol not in PROTOCOLS:
        raise GaitError(f"unknown protocol {args.protocol!r} in the recipe; known are {', '.join(PROTOCOLS)}")
    protocol = PROTOCOLS[args.protocol] if args.protocol else protocol_for(probe)
    if args.cross_view_gallery:
        protocol = with_cross_view_gallery(protocol)
    gallery, probe = divided(protocol, gallery, probe)
    camera = args.camera or (None if args.allcameras or "layout" in probe.info else "90")
    if protocol.views != "none" and camera and len(probe):
        probe = of_camera(protocol, probe, camera)
    least = least_frames(model, args.nframes)
    return (
        usable(gallery, least, "gallery", args.verbose),
        usable(probe, least, "probe", args.verbose),
        protocol,
    )


def of_camera(protocol, probe, camera):
    """The probes of one view; ``90`` and ``090`` are the same."""
    from keras_gait.evaluation.cross_view import sorted_views

    names = protocol.view_names(probe)
    views = [view for view in sorted_views(names) if view.lstrip("0") == camera.lstrip("0")]
    if not views:
        raise GaitError(
            f"--camera {camera}: {probe.name} has no such view. It has {', '.join(sorted_views(names))}; "
            "--allcameras evaluates all of them"
        )
    return probe.select(names == views[0])


def main(argv):
    args = parse(argv)
    check_outputs(report=args.report)
    recipe = load_recipe(args.config) if args.config else None
    model_path, datadir, recipe = find_run(args.model, args.datadir, recipe)
    if is_tf1_checkpoint(model_path) and not (datadir or args.probe):
        return test_saved(model_path, args.report)
    given = [flag for flag, value in vars(args).items() if value not in (None, False)]
    model = open_model(model_path, vars(args), recipe)
    fill_from_recipe(args, recipe or method_recipe(model))
    check_positive(knn=args.knn, bs=args.bs, nframes=args.nframes)
    if hasattr(type(model), "scorer"):
        refuse(given, OF_OTHERS, f"{model_path}, a model of skeletons")
        return test_skeletons(args, given, model, model_path, datadir, recipe)
    refuse(given, OF_SKELETONS, f"{model_path}, a {type(model).__name__}: it is for skeletons")
    return test_walks(args, given, model, model_path, datadir)


def test_walks(args, given, model, model_path, datadir):
    """Evaluate a model of whole walks: by distances of probes to a gallery."""
    from keras_gait.evaluation.embedding import cached_embeddings, check_tta
    from keras_gait.evaluation.results import check_rerank, evaluate
    from keras_gait.evaluation.selection import rows_of_table
    from keras_gait.evaluation.tables import print_results, write_csv, write_figures

    check_tta(model, args.tta)
    gallery, probe, protocol = select_sets(args, datadir, model)
    rows = rows_of_table(protocol, gallery, probe, args.knn, "protocol" in given)
    if args.rerank:
        check_rerank(rows)
    gallery_embeddings, probe_embeddings = (
        cached_embeddings(
            model,
            model_path,
            dataset,
            model_path.parent / "results",
            role,
            cut=args.cut,
            tta=args.tta,
            batch_size=args.bs,
            title=f"{role} embeddings",
        )
        for role, dataset in (("gallery", gallery), ("probe", probe))
    )
    result = evaluate(
        protocol,
        rows,
        gallery_embeddings,
        gallery,
        probe_embeddings,
        probe,
        args.metrics,
        args.knn,
        title="compare",
        rerank=args.rerank,
    )
    simulated = is_simulated(gallery) or is_simulated(probe)
    print_division(probe)
    print_results(result, simulated, args.verbose)
    write_csv(result, model_path.parent / "results" / "rank1.csv")
    write_figures(result, model_path.parent / "results" / "figures.csv", simulated)
    if args.report:
        from keras_gait.evaluation.evaluation_report import write_evaluation_report

        facts = {
            "model": f"{model_path} ({type(model).__name__})",
            "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
            "protocol": f"{protocol.name}, {args.knn} nearest neighbour(s), metric {args.metrics}"
            + (", re-ranked" if args.rerank else ""),
            "gallery": describe(gallery),
            "probe": describe(probe),
            "least frames": least_frames(model, args.nframes),
            "cut": "columns 10..53" if args.cut else "no",
            "channels": ", ".join(probe.channels) or "all",
            "test-time views": "3" if args.tta else "no",
        }
        write_evaluation_report(args.report, result, facts, model, probe, rows, simulated)
        print(f"\nreport: {Path(args.report)}")


def refuse(given, flags, what):
    """Refuse those of the ``flags`` that were ``given``: they do not apply to ``what``."""
    for flag in flags:
        if flag in given:
            raise GaitError(f"--{flag} does not apply to {what}; leave it out")


def test_skeletons(args, given, model, model_path, datadir, recipe):
    """Evaluate a model of skeletons: name people, or match conditions."""
    from keras_gait.evaluation.embedding import check_tta
    from keras_gait.evaluation.skeleton_results import (
        print_evaluated,
        write_evaluated,
        write_skeleton_report,
    )
    from keras_gait.evaluation.skeletons import asked_pairs, match_conditions, name_people, open_people

    check_tta(model, args.tta)
    wanted = {"dataset": args.dataset, "view": args.view}
    gallery, probe = open_people(model, datadir, args.gallery, args.probe, args.nclasses, **wanted)
    pairs = asked_pairs(args.probe_type, probe)
    print_view(probe)
    if pairs:
        refuse(given, OF_NEIGHBOURS, "matching, which takes the one nearest by Euclidean distance")
        result = match_conditions(model, model_path, probe, pairs, args.bs)
    else:
        settings = args.metrics, args.knn, args.rerank, args.bs
        result = name_people(model, model_path, gallery, probe, *settings)
    simulated, selection = is_simulated(probe), recipe_section(recipe, "train").get("selection")
    if selection == "published" and result.recognised:
        print("the recognition network's epoch was chosen on the test set, as published (train.selection)")
    print_evaluated(result, simulated)
    write_evaluated(result, model_path.parent / "results", simulated)
    if args.report:
        facts = {
            "model": f"{model_path} ({type(model).__name__})",
            "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
            "pretext": ", ".join(model.tasks),
            "manner": model.manner,
            "selection": selection or "unknown",
            "neighbours": f"{args.knn}, metric {args.metrics}" if not pairs else "1, Euclidean",
            "gallery": describe(result.gallery) if result.gallery is not None else "none",
            "test set": describe(result.probe),
        }
        write_skeleton_report(args.report, result, facts, model, simulated)
        print(f"\nreport: {Path(args.report)}")


def test_saved(model_path, report):
    """Evaluate a published recognition network on the features that its training saved beside it."""
    from keras_gait.evaluation.identification_tables import print_identified
    from keras_gait.evaluation.saved_features import has_saved_features, identify_saved

    if not has_saved_features(model_path):
        raise GaitError(
            f"where is the data? Give --datadir, or --gallery and --probe; no saved features (val_X.npy) lie "
            f"beside {model_path}"
        )
    if report:
        raise GaitError("--report needs the data, which saved features do not tell: give --datadir")
    print_identified(identify_saved(model_path))


def print_view(dataset):
    """Tell the view of CASIA-B's cross-view set-up."""
    if dataset.info.get("layout") == "casia-b-cve" and dataset.info.get("view"):
        view = int(dataset.info["view"])
        print(f"CVE testing view: view {view}, {18 * view} degrees")


def print_division(dataset):
    """Tell who of a set that was divided by sequences may have been trained on."""
    both = dataset.info.get("partition", {}).get("in_both")
    if both:
        print(f"{dataset.path} was divided by sequences: {', '.join(both)} is in the training set, too")


def describe(dataset):
    return f"{dataset.path}: {len(dataset)} sequences of {len(dataset.subjects)} subjects"


if __name__ == "__main__":
    run(main)
