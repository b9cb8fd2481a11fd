"""How the figures of a model of skeletons are printed, written, and drawn on a page."""

import numpy as np

from keras_gait.evaluation import report
from keras_gait.evaluation.attention_matrices import attention_matrices, backward_tasks, mean_attention
from keras_gait.evaluation.figures import cmc_curves, confusion_matrix
from keras_gait.evaluation.identification_tables import (
    print_identified,
    rank_tables,
    write_confusion,
    write_rank1,
)
from keras_gait.evaluation.tables import tables, text_table, write_table_figures

CMC_RANKS = 20


def print_evaluated(result, simulated=False):
    """Print the figures of an `Evaluated`: recognition network, nearest neighbours, matching."""
    if result.recognised:
        print_identified(result.recognised, simulated)
    for title, header, rows in neighbour_tables(result, simulated):
        print(f"\n{title}\n{text_table(header, rows)}")
    length = result.probe.info.get("length", result.probe.frames[0])
    for (asked, known), right in (result.pairs or {}).items():
        print(
            f"length {length}, probe {asked}, gallery {known}: Rank-1 {100 * right.mean():.2f} % "
            f"({right.sum()} of {len(right)})"
        )
    for title, header, rows in pair_tables(result, simulated):
        print(f"\n{title}\n{text_table(header, rows)}")


def neighbour_tables(result, simulated=False):
    """Tables of the nearest neighbours; none without them."""
    if result.neighbours is None:
        return []
    return [
        (f"Nearest neighbours of the same features: {title}", header, rows)
        for title, header, rows in tables(result.neighbours, simulated)
    ]


def pair_tables(result, simulated=False):
    """The table of matched conditions; none without them."""
    if result.pairs is None:
        return []
    note = ", simulated walkers" if simulated else ""
    names = ["-".join(part.capitalize() for part in pair) for pair in result.pairs]
    rates = [right.mean() for right in result.pairs.values()]
    return [(f"Rank-1 by probe and gallery condition, in %{note}", names, [("Rank-1", rates)])]


def all_tables(result, simulated=False, every_rank=False):
    """All tables of an `Evaluated` as ``[(title, header, rows)]``."""
    recognised = rank_tables(result.recognised, simulated, every_rank) if result.recognised else []
    return recognised + neighbour_tables(result, simulated) + pair_tables(result, simulated)


def write_evaluated(result, folder, simulated=False):
    """Write ``rank1.csv``, ``figures.csv`` and a confusion matrix for each test set into ``folder``."""
    write_table_figures(all_tables(result, simulated, every_rank=True), folder / "figures.csv")
    if result.pairs is not None:
        names = ["-".join(pair) for pair in result.pairs]
        return write_rank1(
            names, {"Rank-1": [right.mean() for right in result.pairs.values()]}, folder / "rank1.csv"
        )
    columns = {}
    if result.recognised:
        columns["Rank-1"] = [each.found.rank_1 for each in result.recognised]
        columns["nAUC"] = [each.found.nauc for each in result.recognised]
    if result.neighbours is not None:
        columns["neighbours Rank-1"] = result.neighbours.table[:, -1]
    write_rank1([each.name for each in result.sets], columns, folder / "rank1.csv")
    for each in result.recognised or []:
        write_confusion(each.found, each.people, folder / f"confusion-{each.name}.csv")
    return None


def write_skeleton_report(path, result, facts, model, simulated=False):
    """Write the page of an `Evaluated`: tables, CMC, confusion, attention matrices, settings."""
    sections = [(title, report.table(header, rows)) for title, header, rows in all_tables(result, simulated)]
    sections += _curves(result)
    for each in result.recognised or []:
        names = [each.people[label] for label in each.found.classes]
        png = confusion_matrix(each.found.confusion, names, each.name)
        caption = "Counts of sequences: rows are who walks, columns whom the recognition network names."
        sections.append((f"Confusion matrix: {each.name}", report.picture(png, caption)))
    png = attention_matrices(mean_attention(model, result.probe), backward_tasks(model))
    caption = (
        "Mean attention over the test set, by pretext task and axis. The dashed line goes through each "
        "decoding step's own frame: where locality draws the attention (LA), else what is rebuilt (BA)."
    )
    sections += [("Attention", report.picture(png, caption)), ("Settings", report.settings(facts))]
    title = "People by their skeletons: evaluation" + (" on simulated walkers" if simulated else "")
    note = "The walkers of this data set are simulated: these figures say nothing about real people."
    report.write_report(
        path, title, f"{facts['model']}: {_lead(result)}", sections, note if simulated else None
    )


def _curves(result):
    """Sections of the cumulative match curves, of the recognition network and of neighbours."""
    sections = []
    if result.recognised:
        curves = np.stack([each.found.rank_n[:CMC_RANKS] for each in result.recognised])
        caption = "Share of sequences whose person is among the 1, 2, ... highest scores."
        section = report.picture(cmc_curves(curves, [each.name for each in result.recognised]), caption)
        sections.append(("Cumulative match curve of the recognition network", section))
    if result.neighbours is not None:
        caption = (
            "Share of sequences whose person is among the first 1, 2, ... sequences of the training set."
        )
        section = report.picture(cmc_curves(result.neighbours.cmc, result.neighbours.names), caption)
        sections.append(("Cumulative match curve of nearest neighbours", section))
    return sections


def _lead(result):
    if result.recognised:
        return ", ".join(f"{each.name} Rank-1 {100 * each.found.rank_1:.1f} %" for each in result.recognised)
    if result.pairs:
        rates = {"-".join(pair): right.mean() for pair, right in result.pairs.items()}
    else:
        names = [each.name for each in result.sets]
        rates = dict(zip(names, result.neighbours.table[:, -1], strict=True))
    return ", ".join(f"{name} Rank-1 {100 * rate:.1f} %" for name, rate in rates.items())
