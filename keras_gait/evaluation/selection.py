"""Which sequences an evaluation compares: gallery, probes and the rows of the table; refused early."""

from typing import NamedTuple

import numpy as np

from keras_gait.errors import GaitError
from keras_gait.evaluation.cross_view import sorted_views
from keras_gait.evaluation.protocols import fitting

SHOWN = 5  # types named in a message


class Row(NamedTuple):
    """A row of the table: masks of its gallery and of its probes."""

    name: str
    gallery: np.ndarray
    probe: np.ndarray


def divided(protocol, gallery, probe):
    """Gallery and probes of one data set that was found for both; two data sets are what they are."""
    if gallery.path.resolve() != probe.path.resolve():
        return gallery, probe
    masks = protocol.divide(gallery)
    for role, mask in zip(("gallery", "probe"), masks, strict=True):
        if not mask.any():
            types = sorted(set(gallery.types.tolist()))
            raise GaitError(
                f"{gallery.path} was found for both gallery and probe, but has no {role} sequence for the "
                f"protocol {protocol.name} among its types {', '.join(types[:SHOWN])}"
                f"{', ...' if len(types) > SHOWN else ''}: evaluate by another protocol, or give two sets by "
                "--gallery and --probe"
            )
    return tuple(gallery.select(mask) for mask in masks)


def rows_of_table(protocol, gallery, probe, k=1, named=False):
    """Refuse early what cannot be evaluated -> the table's rows, a list of `Row`.

    With the protocol ``named`` by the user all of its conditions are needed; otherwise it was found
    from the data, and the rows are those that the probes have.
    """
    for role, dataset in (("gallery", gallery), ("probe", probe)):
        if not len(dataset):
            raise GaitError(
                f"{dataset.path} has no {role} sequence for the protocol {protocol.name}: check the data"
            )
    rows = _rows(protocol, gallery, probe)
    missing = [row.name for row in rows if not (row.probe.any() and row.gallery.any())]
    rows = [row for row in rows if row.name not in missing]
    if not rows or (missing and named):
        raise GaitError(
            f"the protocol {protocol.name} needs probes of the conditions "
            f"{', '.join(protocol.conditions)}, but "
            f"{probe.name} has none of {', '.join(missing)}"
            + (" for which there is a gallery" if protocol.own_galleries else "")
            + ("; without --protocol those that are there are evaluated" if rows else "")
        )
    _check_subjects(protocol, gallery, probe)
    _check_neighbours(protocol, gallery, rows, k)
    _check_views(protocol, gallery, probe, rows)
    return rows


def _rows(protocol, gallery, probe):
    everyone, asked = np.ones(len(gallery), bool), np.ones(len(probe), bool)
    if len(protocol.settings) == 1:
        return [Row(protocol.settings[0].name, everyone, asked)]
    rows = []
    for name, probes, known in protocol.settings:
        of_row = fitting(known, gallery.types) if protocol.own_galleries else everyone
        rows.append(Row(name, of_row, fitting(probes, probe.types)))
    if protocol.other_conditions:
        others = sorted(set(probe.condition[~np.any([row.probe for row in rows], axis=0)].tolist()))
        rows += [Row(name, everyone, probe.condition == name) for name in others]
    return rows


def _check_subjects(protocol, gallery, probe):
    unknown = sorted(set(probe.subject) - set(gallery.subject))
    if len(unknown) == len(set(probe.subject)):
        raise GaitError(
            f"not one of the {len(unknown)} subjects of {probe.name} is in the gallery {gallery.name} "
            f"(such as {unknown[0]}): give the gallery of the same people by --gallery"
        )
    if unknown:
        count = int(np.isin(probe.subject, unknown).sum())
        print(
            f"{len(unknown)} probe subjects "
            f"({', '.join(unknown[:5])}{', ...' if len(unknown) > 5 else ''}) are not "
            f"in the gallery; their {count} sequences "
            + ("count as not recognised" if protocol.count_unknown else "are left out, as published")
        )


def _check_neighbours(protocol, gallery, rows, k):
    if protocol.views == "all":
        if k > 1:
            raise GaitError(f"--knn {k} has no meaning for {protocol.name}, which ranks the gallery: give 1")
        return
    views = protocol.view_names(gallery)
    for row in rows:
        of_row = views[row.gallery]
        if protocol.views == "none":
            where, count = "", len(of_row)
        else:
            counts = {view: int((of_row == view).sum()) for view in sorted_views(of_row)}
            where = min(counts, key=counts.get)
            count = counts[where]
        if k > count:
            if where:
                raise GaitError(
                    f"--knn {k} needs at least {k} gallery sequences in every view, but view {where} of "
                    f"{gallery.name} has {count}. Use --knn {count} or less."
                )
            raise GaitError(
                f"--knn {k} needs at least {k} gallery sequences, but {gallery.name} has {count}. "
                f"Use --knn {count} or less."
            )


def _check_views(protocol, gallery, probe, rows):
    """A protocol of pairs of views needs two; those for which there is nothing to compare are told."""
    if protocol.views != "pairs":
        return
    known = [set(protocol.view_names(gallery)[row.gallery].tolist()) for row in rows]
    asked = [set(protocol.view_names(probe)[row.probe].tolist()) for row in rows]
    views, probe_views = set().union(*known, *asked), set().union(*asked)
    if all(len(of_row | others) < 2 for of_row, others in zip(known, asked, strict=True)):
        raise GaitError(
            f"the protocol {protocol.name} compares different views, but gallery and probes of {probe.name} "
            f"all have the view {views.pop()!r}: evaluate data of two views or more, or another --protocol"
        )
    for row, in_gallery, in_probe in zip(rows, known, asked, strict=True):
        name = f"{row.name}: " if row.name else ""
        for role, missing in (("gallery", in_probe - in_gallery), ("probe", probe_views - in_probe)):
            if missing:
                print(
                    f"{name}no {role} sequence has the view {', '.join(sorted_views(missing))}: these cells "
                    "are left out of the means"
                )
