"""The page of one evaluation: tables, heat maps of the views, CMC, attention, settings."""

import numpy as np

from keras_gait.evaluation import report
from keras_gait.evaluation.activations import mean_activations
from keras_gait.evaluation.attention_films import attention_of, has_attention
from keras_gait.evaluation.embedding import sequence_name
from keras_gait.evaluation.figures import (
    activation_heat_map,
    attention_overlays,
    cmc_curves,
    view_heat_maps,
)
from keras_gait.evaluation.tables import tables

SAMPLES = 3


def write_evaluation_report(path, result, facts, model, probe, rows, simulated=False):
    """Write the page of an `Evaluation` to ``path``.

    ``facts``: dict of what was evaluated and how; ``probe``: the data set that sample frames are from;
    ``rows``: what was compared, see `keras_gait.evaluation.selection.rows_of_table`.
    """
    sections = [(title, report.table(header, rows)) for title, header, rows in tables(result, simulated)]
    if result.gallery_views:
        png = view_heat_maps(result.rates[0], result.names, result.views, result.gallery_views)
        caption = (
            "Each gallery view on its own. Pairs of the same view are shown, but are not part of the table."
        )
        sections.append(("Rank-1 in % by gallery and probe view", report.picture(png, caption)))
    caption = "Share of probes whose subject is among the first 1, 2, ... sequences of the whole gallery."
    section = report.picture(cmc_curves(result.cmc, result.names), caption)
    sections.append(("Cumulative match curve", section))
    attention = attention_section(model, probe, rows)
    if attention:
        sections.append(("Where the network looks", attention))
    sections.append(("Settings", report.settings(facts)))
    mean = np.nanmean(result.table[:, -1]) if not np.isnan(result.table[:, -1]).all() else np.nan
    title = "Gait recognition: evaluation" + (" on simulated walkers" if simulated else "")
    lead = f"{facts['model']}: mean rank-1 {100 * mean:.1f} %"
    note = "The walkers of this data set are simulated: these figures say nothing about real people."
    report.write_report(path, title, lead, sections, note if simulated else None)


def attention_section(model, dataset, rows):
    """What a model of poses, or one with attention, goes by; None for the others.

    The mean activation of joints over the conditions and views of ``dataset``; the attention maps over a
    frame of each row's probes.
    """
    if hasattr(model, "feature_maps"):
        cells, means = mean_activations(model, dataset)
        png = activation_heat_map(means, cells, model.graph.joints)
        return report.picture(png, "Mean class activation of the joints, at most 1, by condition and view.")
    if not has_attention(type(model)) or dataset.frame_shape[-1] not in (1, 3):
        return None
    chosen = sample_sequences(dataset, rows)
    frames = [dataset.read(i, int(dataset.frames[i]) // 2, 1)[0] for i in chosen]
    names = [sequence_name(dataset, i) for i in chosen]
    png = attention_overlays(frames, names, attention_of(model))
    return report.picture(png, "Each layer's attention over one frame: grey is its least, orange its most.")


def sample_sequences(dataset, rows):
    """Indices of one probe of each row, of the view nearest to the side where there are views."""
    return [nearest_side(dataset, np.flatnonzero(row.probe)) for row in rows[:SAMPLES]]


def nearest_side(dataset, members):
    """The first of the sequences ``members`` of the view nearest to the side, where there are views."""
    side = [abs(int(view) - 90) if view.isdigit() else 0 for view in dataset.view[members]]
    return int(members[int(np.argmin(side))])
