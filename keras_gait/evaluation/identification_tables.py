"""How the figures of closed-set identification are printed and written."""

import csv
import io

import numpy as np

from keras_gait.evaluation.tables import text_table
from keras_gait.files import write_whole

WHOLE = 12  # classes up to which a confusion matrix is printed whole
LARGEST = 10  # confusions that are printed of a larger one
TOLD_RANKS = (*range(1, 11), 15, 20, 30, 50, 100)  # of many classes


def rank_tables(results, simulated=False, every_rank=False):
    """Tables ``[(title, header, rows)]`` of a list of `Identified`: Rank-n; Rank-1 and nAUC."""
    note = ", simulated walkers" if simulated else ""
    classes = len(results[0].found.rank_n)
    ranks = [n for n in range(1, classes + 1) if every_rank or n in TOLD_RANKS or n == classes]
    ranked = [(each.name, each.found.rank_n[np.array(ranks) - 1]) for each in results]
    areas = [(each.name, [each.found.rank_1, each.found.nauc]) for each in results]
    return [
        (f"Rank-n (CMC) of the recognition network, in %{note}", list(map(str, ranks)), ranked),
        (f"Rank-1 and nAUC of the recognition network, in %{note}", ["Rank-1", "nAUC"], areas),
    ]


def print_identified(results, simulated=False):
    """Print, in the published order, confusion matrix, Rank-n, Rank-1 and nAUC of each test set."""
    for each in results:
        kind = " (simulated walkers)" if simulated else ""
        people = len(set(each.found.true.tolist()))
        print(
            f"\n{each.name}{kind}: {len(each.found)} sequences of {people} people, {len(each.people)} known"
        )
        print(confusion_text(each.found, each.people))
        title, header, rows = rank_tables([each])[0]
        print(f"{title}\n{text_table(header, rows)}")
        print(f"Rank-1: {100 * each.found.rank_1:.2f} %")
        print(f"nAUC: {100 * each.found.nauc:.2f} %")


def confusion_text(found, people):
    """The confusion matrix of an `Identification` in counts; of many classes the largest confusions."""
    names = [people[label] for label in found.classes]
    if len(names) <= WHOLE:
        width = max(len(str(found.confusion.max())), *map(len, names)) + 1
        lines = [" " * width + "".join(name.rjust(width) for name in names)]
        lines += [
            name.rjust(width) + "".join(str(count).rjust(width) for count in row)
            for name, row in zip(names, found.confusion.tolist(), strict=True)
        ]
        return "Confusion matrix, rows true, columns named:\n" + "\n".join(lines)
    wrong = found.confusion * (1 - np.eye(len(names), dtype=int))
    order = np.argsort(-wrong, axis=None, kind="stable")[:LARGEST]
    totals = found.confusion.sum(axis=1)
    lines = [
        f"  {names[row]} taken for {names[column]}: {wrong[row, column]} of {totals[row]}"
        for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[row, column]
    ]
    return "Largest confusions (all in results/):\n" + ("\n".join(lines) or "  none")


def write_confusion(found, people, path):
    """The whole confusion matrix as ``true,<names>``, a row for each class that occurs."""
    names = [people[label] for label in found.classes]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["true", *names])
    writer.writerows([name, *row] for name, row in zip(names, found.confusion.tolist(), strict=True))
    write_whole(path, text.getvalue())


def write_rank1(names, columns, path):
    """``condition,<columns>`` in fractions; ``columns``: dict of title -> values, one for each name."""
    lines = [",".join(["condition", *columns])]
    for name, *values in zip(names, *columns.values(), strict=True):
        lines.append(",".join([name, *(f"{value:.6f}" for value in values)]))
    write_whole(path, "\n".join(lines) + "\n")
