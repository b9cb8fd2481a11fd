"""Rankings of the whole gallery: cumulative matches (CMC), mean average precision, mINP; streamed."""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from keras_gait.evaluation.distances import as_vectors, check_metric, distances

_BLOCK_BYTES = 128 * 2**20  # of distances held at a time


@dataclass(frozen=True)
class Ranking:
    """What became of every probe; NaN for a probe whose subject is not in its gallery.

    Attributes:
        first: rank, from 1, of the first right gallery sequence, float64 ``(n,)``.
        precision: average precision ``(n,)``: the mean, over all right ones, of the share of right
            ones up to their rank.
        penalty: inverse negative penalty ``(n,)``: number of right ones / rank of the last of them.
    """

    first: np.ndarray
    precision: np.ndarray
    penalty: np.ndarray

    def summary(self, which=slice(None)):
        """Fractions ``{"rank-1", "rank-5", "mAP", "mINP"}`` over the probes ``which`` that can be found."""
        known = ~np.isnan(self.first[which])
        if not known.any():
            return dict.fromkeys(("rank-1", "rank-5", "mAP", "mINP"), np.nan)
        curve = self.cmc(5, which)
        return {
            "rank-1": curve[0],
            "rank-5": curve[4],
            "mAP": self.precision[which][known].mean(),
            "mINP": self.penalty[which][known].mean(),
        }

    def cmc(self, ranks, which=slice(None)):
        """Share ``(ranks,)`` of the probes ``which`` that are found among the first 1, 2, ... sequences."""
        first = self.first[which]
        first = first[~np.isnan(first)]
        return np.array([(first <= rank).mean() if len(first) else np.nan for rank in range(1, ranks + 1)])


def rank(
    gallery,
    gallery_labels,
    probe,
    probe_labels,
    gallery_views=None,
    probe_views=None,
    metric="L1",
    p=2,
    title=None,
):
    """Rank the gallery for every probe by exact distance, equals in gallery order -> `Ranking`.

    Embeddings ``(n, ...)`` as arrays or memory maps, read block by block. With views given, gallery
    sequences of the probe's own view are left out of its ranking.
    """
    check_metric(metric, p)
    gallery, probe = as_vectors(gallery, metric), as_vectors(probe, metric)
    gallery_labels, probe_labels = np.asarray(gallery_labels), np.asarray(probe_labels)
    results = np.full((3, len(probe)), np.nan)
    step = int(np.clip(_BLOCK_BYTES // (8 * max(1, len(gallery))), 1, 256))
    with tqdm(total=len(probe), desc=title, disable=title is None) as bar:
        for start in range(0, len(probe), step):
            block = np.asarray(probe[start : start + step])
            for i, row in enumerate(distances(block, gallery, metric, p), start):
                right = gallery_labels == probe_labels[i]
                if gallery_views is not None:
                    others = np.asarray(gallery_views) != probe_views[i]
                    row, right = row[others], right[others]
                places = 1 + np.flatnonzero(right[np.argsort(row, kind="stable")])
                if len(places):
                    found = np.arange(1, len(places) + 1)
                    results[:, i] = places[0], (found / places).mean(), len(places) / places[-1]
            bar.update(len(block))
    return Ranking(*results)
