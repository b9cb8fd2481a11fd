"""How the fixtures of evaluation tables are computed (see `parity_gaitgraph2`).

The published code works in float32 and rounds percentages to one decimal; version 1 tells fractions.
"""

import numpy as np
from parity_skeletongait.evaluation import Walks

from keras_gait.evaluation.cross_view import view_table
from keras_gait.evaluation.protocols import PROTOCOLS
from keras_gait.evaluation.results import evaluate
from keras_gait.evaluation.selection import divided, rows_of_table

CONDITIONS = ("nm", "bg", "cl")


def latest(inputs):
    """Keys ``(n, fields)``, embeddings ``(n, 1, dim)``: of a repeated key the last, in the first's place."""
    rows = {tuple(key): row for row, key in enumerate(inputs["keys"].tolist())}
    return np.array(list(rows)), inputs["embedding"][list(rows.values())][:, None]


def run(protocol, keys, types, embeddings):
    """The `Evaluation` of sequences with the first and the last of ``keys`` as subject and view."""
    labels = {"labels": keys["subject"], "types": np.array(types), "views": keys["view"]}
    walks = Walks({name: np.array(values, str) for name, values in labels.items()})
    gallery, probe = divided(protocol, walks, walks)
    rows = rows_of_table(protocol, gallery, probe)
    sides = embeddings[gallery.rows], gallery, embeddings[probe.rows], probe
    return evaluate(protocol, rows, *sides, metric="cosine")


def casia_b(inputs):
    keys, embeddings = latest(inputs)
    subject, status, number, view = keys.T
    types = [f"{CONDITIONS[s]}-{n:02d}" for s, n in zip(status, number, strict=True)]
    return run(PROTOCOLS["casia-b"], {"subject": subject, "view": view}, types, embeddings)


def percent(fractions):
    return np.round(100 * np.float32(fractions), 1)


def evaluation_casia_b(meta, inputs, path):
    result = casia_b(inputs)
    means = dict(zip(("acc_nm", "acc_bg", "acc_cl"), result.table[:, -1], strict=True))
    return means | {"table": percent(result.table), "accuracy": result.overall["all views"]}


def v1_evaluation_casia_b(meta, inputs, path):
    result = casia_b(inputs)
    equal = np.equal.outer(result.views, result.gallery_views)
    return {"table": result.table, "accuracy_avg": np.where(equal, 0, result.rates[0]).mean()}


def evaluation_oumvlp(meta, inputs, path):
    keys, embeddings = latest(inputs)
    subject, view, number = keys.T
    types = [f"{n:02d}" for n in number]
    result = run(PROTOCOLS["oumvlp-pose"], {"subject": subject, "view": view}, types, embeddings)
    table = view_table(result.rates[0, 0])
    return {
        "table": percent(table),
        "accuracy": result.overall["all views"],
        "logged_probe": table[:-1, -1],  # the names are swapped: means of gallery views
        "logged_gallery": table[-1, :-1],
    }


FAMILIES = {
    "evaluation_casia_b": evaluation_casia_b,
    "evaluation_oumvlp": evaluation_oumvlp,
    "v1_evaluation_casia_b": v1_evaluation_casia_b,
}
