"""SelfGait's part of mains/demo.py: several trainings, and one table of all their models."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

CONFIGS = Path(__file__).resolve().parent.parent / "configs" / "selfgait"
PRETRAINING, FINE_TUNING = "demo.yaml", "demo_finetune.yaml"
UNTRAINED = "model-state-0000.keras"  # kept before a run's first step
COLUMNS = ["NM", "BG", "CL", "mean"]


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        name: its folder below the runs.
        row: of the table.
        recipe: what it trains.
        flags: further ones of mains/train.py; ``{name}`` is the folder of an earlier run.
    """

    name: str
    row: str
    recipe: str
    flags: str


START = " --init_net {strips}"  # fine-tuning starts from the run of that name, which has the published cosine
RUNS = (
    Run("strips", "pretrained, cosine along strips", PRETRAINING, "--losses.cosine strips"),
    Run("features", "pretrained, cosine along features", PRETRAINING, "--losses.cosine features"),
    Run("finetuned-10", "fine-tuned, 10 % of the labels", FINE_TUNING, "--data.label_rate 0.1" + START),
    Run("scratch-10", "from scratch, 10 % of the labels", FINE_TUNING, "--data.label_rate 0.1"),
    Run("finetuned-100", "fine-tuned, all labels", FINE_TUNING, "--data.label_rate 1.0" + START),
    Run("scratch-100", "from scratch, all labels", FINE_TUNING, "--data.label_rate 1.0"),
)


def gains(rows):
    """What pretraining gives at each share of labels, told in a line each; ``rows`` of the table."""
    told = []
    for row, values in rows.items():
        tuned, _, share = row.partition(", ")
        if tuned == "fine-tuned":
            gain = values[-1] - rows[f"from scratch, {share}"][-1]
            told.append(f"pretraining, {share}: {100 * gain:+.1f} points of the mean")
    return told


def train_and_test(step, work, newest_model, table_of):
    """All runs -> ``({row: (NM, BG, CL, mean)}, the best model, its report)``.

    Args:
        step: runs a command of the package, ``(title, script, arguments, **values)``.
        work: the demo's folder.
        newest_model: that of a folder of runs.
        table_of: ``results/rank1.csv`` -> (header, {condition: fractions by view, the mean last}).
    """
    rows, folders = {}, {}

    def tested(row, model, report):
        step(f"test: {row}", "mains/test.py", "--model {m} --allcameras --report {r}", m=model, r=report)
        means = [values[-1] for values in table_of(model.parent / "results" / "rank1.csv")[1].values()]
        rows[row] = np.array([*means, np.mean(means)])

    reports = {}
    for run in RUNS:
        experdir = work / "runs" / run.name
        step(
            f"train: {run.row}",
            "mains/train.py",
            f"--config {{config}} --datadir {{work}}/data --experdir {{experdir}} --verbose 2 {run.flags}",
            config=CONFIGS / run.recipe,
            work=work,
            experdir=experdir,
            **folders,
        )
        model = newest_model(experdir)
        folders[run.name] = model.parent
        if not rows:
            tested("untrained", model.parent / UNTRAINED, experdir / "untrained.html")
        reports[run.row] = model, experdir / "report.html"
        tested(run.row, *reports[run.row])
    best = max(reports, key=lambda row: rows[row][-1])
    return rows, *reports[best]
