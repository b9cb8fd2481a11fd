"""Trees of sequences divided by a rate instead of a partition (SelfGait, section 2)."""

from typing import NamedTuple

from keras_gait.data.label_split import by_rates, check_rate, check_way
from keras_gait.data.opengait.layouts import Partition
from keras_gait.errors import GaitError

LEFT_OUT = {"casia-b": ("005",), "oumvlp": ()}  # as published; the layouts that can be divided so


class Rate(NamedTuple):
    """The share that trains, of the "subjects" or, cutting through one of them, of the "sequences"."""

    rate: float
    by: str = "subjects"


def check_division(division, layout):
    """Refuse a `Rate` that is none, or not for this `Layout`."""
    check_rate(division.rate, "--partition_rate")
    check_way(division.by, "--partition_by")
    if layout.key not in LEFT_OUT:
        raise GaitError(
            f"--partition_rate divides CASIA-B and OU-MVLP; {layout.title} needs its own partition, by "
            "--dataset_partition"
        )


def divide_by_rate(listed, division):
    """Divide sequences in walking order by a `Rate`.

    Args:
        listed: of all subjects but those of `LEFT_OUT`, see `keras_gait.data.opengait.sets.list_sequences`.

    Returns the `Partition`, the sequences ``{"train": [...], "test": [...]}``, and what ``dataset.json`` is
    to tell. A published rate counts only the sequences that have a clip's frames, ours all.

    Raises GaitError where nobody is left to train or to test.
    """
    subjects = [entry.subject for entry in listed]
    rows = by_rates(subjects, division.rate, by=division.by)
    roles = {role: [listed[row] for row in getattr(rows, role)] for role in ("train", "test")}
    names = {role: list(dict.fromkeys(e.subject for e in entries)) for role, entries in roles.items()}
    for role, found in names.items():
        if not found:
            raise GaitError(
                f"--partition_rate {division.rate} of {len(set(subjects))} subject(s) with {len(listed)} "
                f"sequence(s) leaves nobody to {role}: use another rate"
            )
    both = sorted(set(names["train"]) & set(names["test"]))
    about = {"partition": {"rate": division.rate, "by": division.by, "in_both": both}}
    if both:
        print(
            f"--partition_by sequences: {', '.join(both)} is in the training and in the test set, so that "
            "somebody who is tested was trained on; --partition_by subjects keeps people apart"
        )
    return Partition(tuple(names["train"]), tuple(names["test"])), roles, about
