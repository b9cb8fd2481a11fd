"""The evaluation of a model of skeletons: who the recognition network names, nearest neighbours, matching."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gait.checkpoints import load_model
from keras_gait.data.opening import find_dataset, open_dataset
from keras_gait.data.skeletons.sets import in_file_order
from keras_gait.errors import GaitError
from keras_gait.evaluation.closed_set import identified, known_only, people_of, test_sets
from keras_gait.evaluation.embedding import cached_embeddings, check_frames
from keras_gait.evaluation.matching import PUBLISHED_PAIRS, matched
from keras_gait.evaluation.protocols import CLOSED_SET
from keras_gait.evaluation.results import check_rerank, evaluate
from keras_gait.evaluation.selection import Row
from keras_gait.files import FINAL_MODEL, TF1_MODEL, is_tf1_checkpoint

MATCHING = "casia-b-cme"  # the layout that is matched, condition against condition, without a classifier


class Evaluated(NamedTuple):
    """Figures of a test set; None where they do not apply.

    Attributes:
        sets: list of `TestSet`. gallery, probe: data sets.
        recognised: list of `Identified` by the recognition network.
        neighbours: `Evaluation` of the nearest neighbours in the training set.
        pairs: dict of (probe, gallery condition) -> mask of the right ones.
    """

    sets: list
    gallery: object
    probe: object
    recognised: list | None = None
    neighbours: object = None
    pairs: dict | None = None


def open_people(model, datadir, gallery=None, probe=None, nclasses=None, **wanted):
    """The training set, None where there is none, and the test set, both in file order.

    ``gallery`` and ``probe`` name them; else they are found in ``datadir`` by the model's length and what is
    ``wanted``: dataset, view. A ``datadir`` that is a data set itself is the test set.
    """
    if datadir is None and probe is None:
        raise GaitError("where is the data? Give --datadir, or --gallery and --probe")
    wanted = {"length": model.frames} | wanted
    named = probe is not None
    probe = Path(probe or find_dataset(datadir, "test", nclasses, **wanted))
    if gallery is None and datadir is not None:
        gallery = find_dataset(datadir, "train", nclasses, **wanted)
    sets = [None if path is None else in_file_order(open_dataset(path)) for path in (gallery, probe)]
    if sets[0] is not None and sets[0].path.resolve() == sets[1].path.resolve():
        sets[0] = None
    if sets[1].info.get("split") == "train" and not named:
        raise GaitError(
            f"{sets[1].path} is a training set: give the folder that holds its test set too, or the test set "
            "by --probe"
        )
    for dataset in sets:
        if dataset is not None:
            check_frames(model, dataset)
    return sets


def asked_pairs(probe_type, probe):
    """Pairs (probe, gallery condition) to match, or none where people are to be named.

    Args:
        probe_type: "cl.nm", or None: the published pairs where the test set ``probe`` is one of CASIA-B's
            condition matching.
    """
    conditions = sorted(set(probe.condition.tolist()) - {""})
    if probe_type is None:
        known = set(conditions)
        return [p for p in PUBLISHED_PAIRS if probe.info.get("layout") == MATCHING and known.issuperset(p)]
    pair = tuple(probe_type.split("."))
    unknown = [condition for condition in pair if condition not in conditions]
    if len(pair) != 2 or unknown:
        raise GaitError(
            f"--probe_type {probe_type}: expected two conditions of {probe.name}, probe and gallery, such as "
            f"nm.nm or cl.nm. It has {', '.join(conditions) or 'none'}"
        )
    return [pair]


def match_conditions(model, model_path, probe, pairs, batch_size):
    """Nearest neighbours of ``pairs`` of conditions -> `Evaluated`."""
    features = cached_embeddings(
        model,
        model_path,
        probe,
        model_path.parent / "results",
        "probe",
        batch_size=batch_size,
        title="embeddings",
    )
    found = {
        pair: matched(features, probe.subject, probe.condition, pair, title=".".join(pair)) for pair in pairs
    }
    return Evaluated(test_sets(probe), None, probe, pairs=found)


def name_people(model, model_path, gallery, probe, metric, knn, rerank, batch_size):
    """Name the people of ``probe``, by the recognition network and by neighbours in ``gallery``."""
    people = people_of(model, gallery) if model.nclasses else gallery_people(gallery)
    probe = known_only(probe, people)
    sets = test_sets(probe)
    if gallery is not None:
        _check_neighbours(gallery, knn)

    def run(network, dataset, role, of=model, path=model_path, **settings):
        folder, note = model_path.parent / "results", f"{role} {network}"
        settings |= {"batch_size": batch_size, "title": note}
        return cached_embeddings(of, path, dataset, folder, role, **settings)

    recognised = neighbours = None
    if model.nclasses:
        scores, by_file = {}, {}
        for each in sets:
            of, path = own_model(model, model_path, each.condition)
            if path not in by_file:
                by_file[path] = run("scores", probe, "probe", of, path, encoder="scorer")[:, 0]
            scores[each.condition] = by_file[path]
        recognised = identified(sets, scores, probe.subject, people)
    if gallery is not None:
        rows = [Row(each.name, np.ones(len(gallery), bool), each.members) for each in sets]
        if rerank:
            check_rerank(rows)
        known, asked = (
            run("embeddings", each, role) for role, each in (("gallery", gallery), ("probe", probe))
        )
        neighbours = evaluate(
            CLOSED_SET, rows, known, gallery, asked, probe, metric, knn, title="compare", rerank=rerank
        )
    return Evaluated(sets, gallery, probe, recognised, neighbours)


def gallery_people(gallery):
    """Whom neighbours can name where there is no recognition network."""
    if gallery is None:
        raise GaitError(
            "the model has no recognition network, and there is no training set to compare with: give one by "
            "--gallery, or a model with a recognition network"
        )
    return tuple(gallery.subjects.tolist())


def own_model(model, path, condition):
    """The model that was chosen for one condition, or the one for all, and its file.

    The published selection keeps the epoch that is best for each of the two test sets of IAS: beside
    ``model-final.keras`` as ``model-A.keras``, beside ``trained_model.ckpt`` as ``A_trained_model.ckpt``.
    Another file, such as one of these, is for all.
    """
    path = Path(path)
    if path.name == TF1_MODEL:
        own = path.with_name(f"{condition}_{TF1_MODEL}")
    else:
        own = path.with_name(f"model-{condition}.keras")
    of_all = path.name == TF1_MODEL or path.stem == Path(FINAL_MODEL).stem
    if not (condition and of_all and (own.is_file() or is_tf1_checkpoint(own))):
        return model, path
    print(f"{condition}: by {own}, which was chosen on this test set, as published")
    return load_model(own), own


def _check_neighbours(gallery, knn):
    if knn > len(gallery):
        raise GaitError(
            f"--knn {knn} needs at least {knn} gallery sequences, but {gallery.name} has {len(gallery)}. Use "
            f"--knn {len(gallery)} or less."
        )
