"""How the figures of an evaluation are printed and written."""

import csv
import io

import numpy as np

from keras_gait.evaluation.cross_view import mean_of_known, view_table
from keras_gait.files import write_whole


def text_table(header, rows):
    """A readable table in percent, "-" for NaN. ``header``: strings; ``rows``: (name, fractions)."""
    width = max(6, *(len(name) for name in header)) + 1
    first = max(len(name) for name, _ in rows)
    lines = [" " * first + "".join(name.rjust(width) for name in header)]
    for name, values in rows:
        cells = ("-" if np.isnan(value) else f"{100 * value:.1f}" for value in values)
        lines.append(name.ljust(first) + "".join(cell.rjust(width) for cell in cells))
    return "\n".join(lines)


_TITLES = {
    "pairs": "Rank-1 in % by probe view, mean over the other gallery views",
    "all": "Rank-1 in % by probe view, against the gallery of all views",
    "none": "Rank-1 in %",
}
_LEFT_OUT = {
    "view": "Whole gallery without the probe's own view, in %",
    "own": "Whole gallery without the probe's subject in its own view, in %",
    "": "Whole gallery, in %",
}


def tables(result, simulated=False):
    """The tables of an `Evaluation` as ``[(title, header, rows)]``, rows of (name, fractions)."""
    note = ", simulated walkers" if simulated else ""
    header = [*map(str, result.views), "mean"]
    found = [(_TITLES[result.protocol.views] + note, header, _rows(result, result.table))]
    if "mAP" in result.tables:
        found.append((f"mAP in % by probe view{note}", header, _rows(result, result.tables["mAP"])))
    ranks = [name for name in result.tables if name != "mAP"]
    if len(ranks) > 1:
        means = np.stack([result.tables[name][:, -1] for name in ranks], axis=1)
        found.append((f"Mean of all views by rank, in %{note}", ranks, _rows(result, means)))
    pairs = list(result.overall)
    if pairs:
        means = [(name, [of_row[pair] for pair in pairs]) for name, of_row in _summaries(result)]
        if len(means) > 1:
            means.append(("mean", list(result.overall.values())))
        title = f"Mean rank-1 of pairs of views, without and with equal ones, in %{note}"
        found.append((title, pairs, means))
    shown = [name for name in result.summaries[0] if name not in pairs]
    whole = [(name, [of_row[column] for column in shown]) for name, of_row in _summaries(result)]
    found.append((_LEFT_OUT[result.protocol.left_out] + note, shown, whole))
    return found


def _summaries(result):
    return zip(result.names, result.summaries, strict=True)


def _rows(result, table):
    """Named rows, and their mean where the conditions do not overlap."""
    rows = list(zip(result.names, table, strict=True))
    if len(rows) > 1 and "Overall" not in result.names:
        rows.append(("mean", mean_of_known(table.T)))
    return rows


def view_tables(result, simulated=False):
    """Per condition the table of gallery view (rows) by probe view with its means, as in `tables`."""
    if not result.gallery_views:
        return []
    note = ", simulated walkers" if simulated else ""
    return [
        (
            f"{name}: rank-1 in %, gallery view (rows) by probe view, means with equal views{note}",
            [*map(str, result.views), "mean"],
            list(zip([*map(str, result.gallery_views), "mean"], view_table(rates), strict=True)),
        )
        for name, rates in zip(result.names, result.rates[0], strict=True)
    ]


def print_results(result, simulated=False, verbose=False):
    """Print the rows of the published command (fractions, last column the mean), then readable tables."""
    print("acc: (simulated walkers)" if simulated else "acc:")
    for condition, row in zip(result.conditions, result.table, strict=True):
        print(f"{condition or 'all'}: " + " ".join(f"{value:.4f}" for value in row))
    for title, header, rows in tables(result, simulated) + (
        view_tables(result, simulated) if verbose else []
    ):
        print(f"\n{title}\n{text_table(header, rows)}")


def write_figures(result, path, simulated=False):
    """Every figure that `print_results` can tell, by `write_table_figures`."""
    write_table_figures(tables(result, simulated) + view_tables(result, simulated), path)


def write_table_figures(found, path):
    """Every figure of tables ``[(title, header, rows)]``, a line ``table,row,column,percent``; NaN is "nan".

    ``table`` is the printed title, which tells simulated walkers.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["table", "row", "column", "percent"])
    for title, header, rows in found:
        for name, values in rows:
            cells = zip(header, values, strict=True)
            writer.writerows([title, name, column, f"{100 * value:.4f}"] for column, value in cells)
    write_whole(path, text.getvalue())


def write_csv(result, path):
    """The rank-1 table as ``condition,<views>,mean`` in fractions; without views, the summary."""
    if result.views:
        header, rows = [*map(str, result.views), "mean"], result.table
    else:
        header = list(result.summaries[0])
        pairs = zip(result.table, result.summaries, strict=True)
        rows = [[*first, *list(summary.values())[1:]] for first, summary in pairs]
    lines = [",".join(["condition", *header])]
    for condition, row in zip(result.conditions, rows, strict=True):
        lines.append(",".join([condition or "all", *(f"{value:.6f}" for value in row)]))
    write_whole(path, "\n".join(lines) + "\n")
