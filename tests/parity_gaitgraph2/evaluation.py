"""How the fixtures of evaluation tables are computed (see `parity_gaitgraph2`).

The published code works in float32 and rounds percentages to one decimal; version 1 tells fractions. An empty
cell is 0 / 0 there, so that every mean over it is not a number; ours are the means of the other cells.
"""

import numpy as np
from parity_skeletongait.evaluation import Walks

from keras_gait.evaluation.cross_view import exclude_same_view, view_table
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


def square(result, conditions):
    """Rates ``(conditions, probe views, gallery views)`` of all gallery views; NaN where no probe is."""
    views = result.gallery_views
    cells = np.full((len(conditions), len(views), len(views)), np.nan)
    rows = [conditions.index(condition) for condition in result.conditions]
    cells[np.ix_(rows, [views.index(view) for view in result.views])] = result.rates[0]
    return cells


def spread(means, cells):
    """``means`` over the last axes of ``cells``, NaN where one of them is."""
    empty = np.isnan(cells).any(axis=tuple(range(np.ndim(means), cells.ndim)))
    return np.where(empty, np.nan, means)


def percent(fractions):
    return np.round(100 * np.float32(fractions), 1)


def casia_b_table(result):
    """The table with its means, fractions ``(3, probe views + 1)``, and the cells."""
    cells = square(result, CONDITIONS)
    table = exclude_same_view(cells, result.gallery_views, result.gallery_views)
    return np.column_stack([spread(table[:, :-1], cells), spread(table[:, -1], cells)]), cells


def evaluation_casia_b(meta, inputs, path):
    result = casia_b(inputs)
    table, cells = casia_b_table(result)
    means = dict(zip(("acc_nm", "acc_bg", "acc_cl"), table[:, -1], strict=True))
    return means | {"table": percent(table), "accuracy": spread(result.overall["all views"], cells)}


def v1_evaluation_casia_b(meta, inputs, path):
    table, cells = casia_b_table(casia_b(inputs))
    return {"table": table, "accuracy_avg": np.where(np.eye(cells.shape[1], dtype=bool), 0, cells).mean()}


def evaluation_oumvlp(meta, inputs, path):
    keys, embeddings = latest(inputs)
    subject, view, number = keys.T
    types = [f"{n:02d}" for n in number]
    result = run(PROTOCOLS["oumvlp-pose"], {"subject": subject, "view": view}, types, embeddings)
    (cells,) = square(result, ("",))
    table = view_table(cells)
    table[-1, :-1], table[:-1, -1] = spread(table[-1, :-1], cells), spread(table[:-1, -1], cells.T)
    table[-1, -1] = overall = spread(result.overall["all views"], cells)
    return {
        "table": percent(table),
        "accuracy": overall,
        "logged_probe": table[:-1, -1],  # the names are swapped: means of gallery views
        "logged_gallery": table[-1, :-1],
    }


FAMILIES = {
    "evaluation_casia_b": evaluation_casia_b,
    "evaluation_oumvlp": evaluation_oumvlp,
    "v1_evaluation_casia_b": v1_evaluation_casia_b,
}
