"""The pictures of a report, as PNG bytes; drawn without a display."""

import io

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK = "#22303c"
NUMBERED = 30  # classes up to which a confusion matrix tells its counts


def to_png(figure):
    """A drawn figure as PNG bytes."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", facecolor="white")
    return buffer.getvalue()


def view_heat_maps(rates, names, probe_views, gallery_views):
    """One heat map a condition: ``rates`` ``(conditions, probe views, gallery views)``, fractions."""
    cell = 0.33
    width = 1.2 + cell * max(4, len(probe_views))
    height = 1.3 + cell * max(3, len(gallery_views))
    figure = Figure((width * len(names), height), layout="constrained")
    for axes, name, values in zip(
        figure.subplots(1, len(names), squeeze=False)[0], names, rates, strict=True
    ):
        axes.imshow(100 * values.T, vmin=0, vmax=100, cmap="YlGnBu", aspect="auto")
        _number_cells(axes, 100 * values.T, "{:.0f}", values.T > 0.6)
        _tick_labels(axes, probe_views, gallery_views)
        axes.set(title=name, xlabel="probe view", ylabel="gallery view")
    return to_png(figure)


def cmc_curves(curves, names):
    """Cumulative match curves: ``curves`` ``(conditions, ranks)``, fractions."""
    figure = Figure((5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    ranks = np.arange(1, curves.shape[1] + 1)
    for curve, name in zip(curves, names, strict=True):
        axes.plot(ranks, 100 * curve, marker="o", markersize=3, label=name)
    low = np.nanmin(curves, initial=1.0)
    axes.set(xlabel="rank", ylabel="probes found (%)", xlim=(0.5, len(ranks) + 0.5))
    axes.set_ylim(max(0, np.floor(low * 10 - 0.5) * 10), 101)
    axes.set_xticks([1, *range(5, len(ranks) + 1, 5)])
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return to_png(figure)


def attention_overlays(frames, names, maps):
    """Sample frames, and below each the attention of every layer over it.

    ``frames``: list of uint8 ``(height, width, 1 or 3)``; ``names``: one a frame; ``maps``: dict from
    layer name to ``(rows, columns)``. A map is stretched over the frame, from the layer's least
    attention (grey) to its most (orange).
    """
    figure, grid = overlay_figure(len(frames), maps)
    for frame, name, cells in zip(frames, names, grid, strict=True):
        draw_overlays(cells, frame, maps)
        cells[0].set_title(name, fontsize=8, color=INK)
    return to_png(figure)


def overlay_figure(frames, maps, **settings):
    """A figure for so many frames under ``maps`` -> figure, axes ``(frames, maps + 1 or more)``."""
    lines = -(-(len(maps) + 1) // 8)
    per_row = -(-(len(maps) + 1) // lines)
    figure = Figure((1.45 * per_row, 1.65 * lines * frames), layout="constrained", **settings)
    grid = figure.subplots(lines * frames, per_row, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    return figure, grid.reshape(frames, -1)


def draw_overlays(cells, frame, maps):
    """Draw one frame, and each layer's attention over it, into a row of axes -> the images drawn."""
    images = [cells[0].imshow(frame.squeeze(), cmap="gray", vmin=0, vmax=255)]
    for axes, (layer, weights) in zip(cells[1:], maps.items(), strict=False):
        images.append(axes.imshow(shaded(frame, weights)))
        axes.set_title(layer, fontsize=8, color=INK)
    return images


def shaded(frame, weights):
    """The frame in grey, darkened where the weights are low; RGB fractions."""
    height, width = frame.shape[:2]
    weights = cv2.resize(np.asarray(weights, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    weights = (weights - weights.min()) / max(float(np.ptp(weights)), 1e-12)
    background = np.median(frame, axis=(0, 1))
    ink = np.abs(frame.astype(np.float32) - background).max(axis=-1, keepdims=True) / 255
    colour = 1 - weights[..., None] * np.array([0.02, 0.45, 0.85])
    return colour * (1 - 0.65 * ink)


def distance_matrix(values, rows, columns, row_title, column_title):
    """Distances between walks, ``values`` ``(rows, columns)``; the nearest of every row is framed."""
    figure = Figure((1.6 + 0.62 * len(columns), 1.4 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(values, cmap="YlGnBu_r", aspect="auto")
    _number_cells(axes, values, "{:.3g}", values < values.min() + 0.4 * np.ptp(values))
    for row, column in enumerate(values.argmin(axis=1)):
        axes.add_patch(_frame(column, row))
    _tick_labels(axes, columns, rows)
    axes.set(xlabel=column_title, ylabel=row_title)
    figure.colorbar(image, label="distance")
    return to_png(figure)


def _frame(column, row):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False, edgecolor="#d9480f", linewidth=2)


def activation_heat_map(means, cells, joints, note=None):
    """Mean activations ``(cells, joints)``, a row a (condition, view), a column a joint by its name."""
    figure = Figure((2.2 + 0.38 * len(joints), 2.2 + 0.24 * len(cells)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(means, vmin=0, vmax=max(means.max(), 1e-12), cmap="plasma", aspect="auto")
    _tick_labels(axes, joints, [" ".join(filter(None, cell)) for cell in cells])
    conditions = [condition for condition, _ in cells]
    for row in range(1, len(cells)):
        if conditions[row] != conditions[row - 1]:
            axes.axhline(row - 0.5, color="white", linewidth=2)
    axes.set(ylabel="condition and view" if any(conditions) else "view")
    figure.colorbar(image, label="mean class activation")
    if note:
        figure.supxlabel(note, fontsize=8, color=INK)
    return to_png(figure)


def confusion_matrix(counts, names, title):
    """Counts ``(k, k)``, rows true, columns named; shaded by their share of the row, numbered where few."""
    size = 2.2 + (0.34 if len(names) <= NUMBERED else 0.13) * len(names)
    figure = Figure((min(size, 16), min(size, 16)), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(100 * shares, vmin=0, vmax=100, cmap="YlGnBu")
    if len(names) <= NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[row, column] > 0.6 else INK
                axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=color)
    _tick_labels(axes, names, names)
    if len(names) > NUMBERED:
        axes.tick_params(labelsize=5)
    axes.set(title=title, xlabel="named", ylabel="true")
    figure.colorbar(image, label="% of the true ones", shrink=0.7)
    return to_png(figure)


def _tick_labels(axes, columns, rows):
    axes.set_xticks(range(len(columns)), [str(name) for name in columns], rotation=90, fontsize=8)
    axes.set_yticks(range(len(rows)), [str(name) for name in rows], fontsize=8)


def _number_cells(axes, values, form, on_dark):
    for (row, column), value in np.ndenumerate(values):
        text = "-" if np.isnan(value) else form.format(value)
        color = "white" if on_dark[row, column] else INK
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
