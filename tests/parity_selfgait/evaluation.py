"""Tables of SelfGait, in percent; cells are rounded to 2 decimals before any mean, as published."""

import numpy as np

from keras_gait.evaluation.cross_view import Embedded, cross_view_rates, exclude_same_view
from keras_gait.evaluation.protocols import PROTOCOLS, fitting

LAYOUTS = {"CASIA-B": "casia-b", "OUMVLP": "oumvlp"}
RANKS = 5
VIEWS = 11  # that the published means are divided for, however many there are


def accuracy(dataset, inputs):
    """Percent ``(conditions, probe views, gallery views, ranks)`` of all views, in text order."""
    protocol, types = PROTOCOLS[LAYOUTS[dataset]], inputs["seq_type"]
    gallery = np.any([fitting(setting.gallery, types) for setting in protocol.settings], axis=0)
    probes = [fitting(setting.probe, types) & ~gallery for setting in protocol.settings]
    probe = np.any(probes, axis=0)
    embeddings = np.ascontiguousarray(inputs["feature"].transpose(1, 0, 2), np.float32)
    walks = [Embedded(embeddings[m], inputs["label"][m], inputs["view"][m]) for m in (gallery, probe)]
    groups = [group[probe] for group in probes]
    rates, *names = cross_view_rates(*walks, groups, metric="parts", ranks=RANKS)

    views = np.unique(inputs["view"]).tolist()
    found = np.full((RANKS, len(groups), len(views), len(views)), np.nan)
    lines, columns = ([views.index(view) for view in some] for some in names)
    found[np.ix_(range(RANKS), range(len(groups)), lines, columns)] = rates
    return np.round(100 * np.moveaxis(found, 0, -1), 2)


def evaluation(meta, inputs, path):
    """Without probes in a view the published mean is not a number; ours is of the other views."""
    cells = accuracy(meta["config"].get("dataset", "CASIA-B"), inputs)
    rank1, views = cells[..., 0], range(cells.shape[1])
    means = exclude_same_view(rank1, views, views)[..., :-1]
    means = np.where(np.isnan(rank1).any(axis=-1), np.nan, means)
    means = means * (len(views) - 1) / (VIEWS - 1) if len(views) > 1 else np.zeros_like(means)
    return {
        "accuracy": cells,
        "include": rank1.mean(axis=(1, 2)),
        "exclude": means.mean(axis=1),
        "exclude_per_view": means,
    }


FAMILIES = {"evaluation": evaluation}
