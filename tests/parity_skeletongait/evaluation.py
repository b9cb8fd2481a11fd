"""How the fixtures of distances and protocols are computed (see `parity_attengait`).

The published percentages are rounded to 2 decimals, cell by cell, before any mean.
"""

from pathlib import Path

import numpy as np

from keras_gait.evaluation.challenge import RANKS, as_csv, subject_numbers, video_names
from keras_gait.evaluation.cross_view import exclude_same_view, mean_of_known
from keras_gait.evaluation.distances import distances
from keras_gait.evaluation.neighbours import nearest_rows
from keras_gait.evaluation.protocols import GREW_CHALLENGE, PROTOCOLS, with_cross_view_gallery
from keras_gait.evaluation.ranking import rank_matrix
from keras_gait.evaluation.rerank import rerank
from keras_gait.evaluation.results import evaluate
from keras_gait.evaluation.selection import divided, rows_of_table

METRICS = {"euc": "parts", "cos": "cos"}
NAMES = {"": "NM", "Umbrella": "Umberalla"}  # ours -> as published, spelling included
LAYOUTS = {"CASIA-B": "casia-b", "OUMVLP": "oumvlp", "SUSTech1K": "sustech1k", "CASIA-E": "casia-e"}


class Walks:
    """The labels of a data set, and the row of each sequence's embedding."""

    def __init__(self, inputs, rows=None):
        self.inputs = inputs
        self.rows = np.arange(len(inputs["labels"])) if rows is None else rows
        self.subject, self.types, self.view = (inputs[key][self.rows] for key in ("labels", "types", "views"))
        self.subjects = np.unique(self.subject)
        self.condition = np.array([name.partition("-")[0] for name in self.types.tolist()])
        self.video = np.full(len(self.rows), "")
        self.info = {"probe_set": inputs["probe_set"].tolist()} if "probe_set" in inputs else {}
        self.path, self.name = Path("fixture"), "fixture"

    def __len__(self):
        return len(self.rows)

    def select(self, mask):
        return Walks(self.inputs, self.rows[mask])

    @property
    def embeddings(self):
        return parts_last(self.inputs["embeddings"][self.rows])


def parts_last(embeddings):
    return np.ascontiguousarray(embeddings.transpose(0, 2, 1), np.float32)


def run(meta, inputs, protocol):
    walks = Walks(inputs)
    gallery, probe = divided(protocol, walks, walks)
    rows = rows_of_table(protocol, gallery, probe)
    metric = METRICS[meta["config"]["metric"]]
    return evaluate(protocol, rows, gallery.embeddings, gallery, probe.embeddings, probe, metric)


def rounded(fractions):
    return np.round(100 * fractions, 2)


def scalars(meta, values):
    """The published dictionary: ``values`` by the last part of the name."""
    return np.array([values[name.rpartition("/")[2]] for name in meta["config"]["scalar_names"]])


def indoor(meta, inputs, path):
    protocol = PROTOCOLS[LAYOUTS[meta["config"]["dataset"]]]
    if meta["config"]["cross_view_gallery"]:
        return cross_view_gallery(meta, inputs, protocol)
    result = run(meta, inputs, protocol)
    found, values = {}, {}
    for place, condition in enumerate(result.conditions):
        name = NAMES.get(condition, condition if protocol.name == "sustech1k" else condition.upper())
        for number, rates in enumerate(result.rates, 1):
            found[f"{name}_R{number}"] = rounded(rates[place])
        cells = rounded(result.rates[0][place])
        values[f"{name}@R1"] = exclude_same_view(cells, result.views, result.gallery_views)[-1]
    return found | {"scalars": scalars(meta, values)}


def cross_view_gallery(meta, inputs, protocol):
    result = run(meta, inputs, with_cross_view_gallery(protocol))
    values = {}
    for place, condition in enumerate(result.conditions):
        name = NAMES.get(condition, condition.upper())
        for ours, published in (("rank-1", "Rank@1"), ("mAP", "mAP")):
            values[f"{name}-{published}"] = mean_of_known(rounded(result.tables[ours][place, :-1]))
    return {"scalars": scalars(meta, values)}


def gait3d(meta, inputs, path):
    summary = run(meta, inputs, PROTOCOLS["gait3d"]).summaries[0]
    values = {name.replace("rank", "Rank"): 100 * value for name, value in summary.items()}
    return {"scalars": scalars(meta, values)}


def grew_local(meta, inputs, path):
    summary = run(meta, inputs, PROTOCOLS["grew"]).summaries[0]
    values = {name.replace("rank", "Rank"): rounded(value) for name, value in summary.items()}
    ranks = np.array([values[f"Rank-{rank}"] for rank in (1, 5, 10, 20)])
    return {"scalars": scalars(meta, values), "rank_1_5_10_20": ranks}


def grew_submission(meta, inputs, path):
    walks = Walks(inputs)
    gallery, probe = divided(GREW_CHALLENGE, walks, walks)
    metric = METRICS[meta["config"]["metric"]]
    rows, _ = nearest_rows(gallery.embeddings, probe.embeddings, metric, RANKS)
    names, labels = video_names(probe), subject_numbers(gallery)[rows]
    return {"video_id": np.array(names), "ranks": labels, "csv": np.array(as_csv(names, labels))}


def ccpg(meta, inputs, path):
    result = run(meta, inputs, PROTOCOLS["ccpg"])
    cells = {name: rounded(rates) for name, rates in zip(result.conditions, result.rates[0], strict=True)}
    lines = ("rank-1", "mAP", "mINP", "all views", "other views")
    table = [[100 * summary[line] for summary in result.summaries] for line in lines]
    means = {name: values.mean() for name, values in cells.items()}
    return cells | {"table": np.round(table, 3), "scalars": scalars(meta, means)}


def cmc(meta, inputs, path):
    labels = inputs["g_labels"], inputs["q_labels"]
    ranks = min(50, len(inputs["g_labels"]))
    whole = rank_matrix(inputs["dist"], *labels)
    many = rank_matrix(inputs["dist"], *labels, inputs["g_views"], inputs["q_views"], only_own=True)
    known = ~np.isnan(whole.first)
    summary = many.summary()
    own = inputs["q_labels"][:, None] == inputs["g_labels"]
    left = (~(own & (inputs["q_views"][:, None] == inputs["g_views"]))).sum(axis=1)
    least = left[~np.isnan(many.first)].min(initial=ranks)  # as long a curve as is left of the gallery
    return {
        "rank_cmc": whole.cmc(ranks),
        "rank_ap": whole.precision[known],
        "rank_inp": whole.penalty[known],
        "many_cmc": many.cmc(least),
        "many_map_minp": np.array([summary["mAP"], summary["mINP"]]),
        "acc_map": np.array([summary["rank-1"], summary["mAP"]]),
    }


def distance_rerank(meta, inputs, path):
    x, y = parts_last(inputs["x"]), parts_last(inputs["y"])
    everyone = np.concatenate([x, y])
    matrix = distances(everyone, everyone, "parts")
    found = {name: distances(x, y, metric) for name, metric in METRICS.items()}
    for name, settings in meta["config"].items():
        if name.startswith("rerank"):
            values = settings["k1"], settings["k2"], settings["lambda_value"]
            found[name] = rerank(matrix, meta["config"]["query_num"], *values)
    return found


FAMILIES = {
    "eval_casiab": indoor,
    "eval_oumvlp": indoor,
    "eval_sustech1k": indoor,
    "eval_gait3d": gait3d,
    "eval_grew_local": grew_local,
    "eval_grew_submission": grew_submission,
    "eval_ccpg": ccpg,
    "eval_cmc": cmc,
    "eval_distance_rerank": distance_rerank,
}
