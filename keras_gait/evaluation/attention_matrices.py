"""Mean attention matrices of SGE's encoders: which frame of a sequence each decoding step looks at."""

import numpy as np
from matplotlib.figure import Figure

from keras_gait.evaluation.figures import INK, to_png

BATCH = 128  # sequences
LOCAL = "#d9480f"


def mean_attention(model, dataset):
    """Mean attention over the sequences of ``dataset`` -> ``{"rev_rec-x": (t, u), ...}`` of each encoder.

    ``t``: decoding steps, ``u``: frames of the input; every row sums to 1.
    """
    sums, steps = {}, range(0, len(dataset), BATCH)
    for start in steps:
        members = np.arange(start, min(start + BATCH, len(dataset)))
        skeletons = np.stack([model.prepare(sequence) for sequence in dataset.read_many(members)])
        # one shape for all batches, since every shape is compiled anew
        filled = skeletons[np.minimum(np.arange(min(BATCH, len(dataset))), len(skeletons) - 1)]
        for name, maps in model.attention_maps.predict_on_batch(filled).items():
            sums[name] = sums.get(name, 0) + np.asarray(maps, np.float64)[: len(members)].sum(axis=0)
    return {name: total / len(dataset) for name, total in sums.items()}


def backward_tasks(model):
    """The tasks of an SGE whose steps go through the frames backwards: as locality draws the attention, and
    without locality (BA) as the frames are rebuilt."""
    options = {task: model.axis_options(task) for task in model.tasks}
    return [
        task
        for task, found in options.items()
        if (found["locality"] == "reverse" if found["attention"] == "LA" else found["reverse"])
    ]


def attention_matrices(means, backwards):
    """A picture of the matrices of `mean_attention`: a row a pretext task, a column an axis -> PNG bytes.

    Frames run to the right, decoding steps downwards. A dashed line goes through the frame of each step,
    backwards for the tasks of ``backwards``, see `backward_tasks`.
    """
    names = [name.rpartition("-") for name in means]
    tasks, axes = (list(dict.fromkeys(parts)) for parts in zip(*[(n[0], n[2]) for n in names], strict=True))
    figure = Figure((2.6 * len(axes) + 1.1, 2.5 * len(tasks) + 0.6), layout="constrained")
    grid = figure.subplots(len(tasks), len(axes), squeeze=False)
    # attention to all frames alike is no darker than half of the scale
    most = max(max(2 / matrix.shape[1], matrix.max()) for matrix in means.values())
    for (row, column), cell in np.ndenumerate(grid):
        matrix = means[f"{tasks[row]}-{axes[column]}"]
        image = cell.imshow(matrix, vmin=0, vmax=most, cmap="YlGnBu")
        _draw_locality(cell, *matrix.shape, tasks[row] in backwards)
        cell.set_title(f"{tasks[row]}, {axes[column]}", fontsize=9, color=INK)
        _number_frames(cell, *matrix.shape)
        if not column:
            cell.set_ylabel("decoding step", fontsize=8)
        if row == len(tasks) - 1:
            cell.set_xlabel("frame looked at", fontsize=8)
    figure.colorbar(image, ax=grid, label="mean attention", shrink=0.8)
    return to_png(figure)


def _draw_locality(cell, steps, frames, backwards):
    ends = (frames - 1, 0) if backwards else (0, frames - 1)
    cell.plot(ends, (0, steps - 1), "--", color="white", linewidth=2.6)  # readable on any colour below
    cell.plot(ends, (0, steps - 1), "--", color=LOCAL, linewidth=1.3)


def _number_frames(cell, steps, frames):
    """Frames and steps from 1, at most about ten numbers an axis."""
    for count, set_ticks in ((frames, cell.set_xticks), (steps, cell.set_yticks)):
        places = np.arange(0, count, -(-count // 10))
        set_ticks(places, [str(place + 1) for place in places], fontsize=7)
