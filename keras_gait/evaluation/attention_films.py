"""AttenGait's learnt attention over the frames of a walk."""

import sys

from keras_gait.evaluation.figures import draw_overlays, overlay_figure, shaded
from keras_gait.evaluation.films import film

LEGEND = "grey: where the layer looks least, orange: where most"


def has_attention(kind):
    """Whether models of this class have attention maps to draw."""
    return hasattr(sys.modules[kind.__module__], "attention_maps")


def attention_of(model):
    """The attention maps of a model that has them, ``(rows, columns)`` by layer."""
    return sys.modules[type(model).__module__].attention_maps(model)


def attention_film(frames, maps, titles, note=None):
    """The frames of a walk and each layer's attention over them, as `films.film` yields them.

    Args:
        frames: uint8 ``(F, height, width, 1 or 3)``.
        maps: dict from layer name to ``(rows, columns)``; the same over all frames, for so it was learnt.
        titles: one for each frame.
        note: stands at the bottom of each picture, after what the colours mean.
    """
    figure, (cells,) = overlay_figure(1, maps, dpi=100)
    images = draw_overlays(cells, frames[0], maps)
    title = figure.suptitle(titles[0], fontsize=9)
    figure.supxlabel("; ".join(filter(None, (LEGEND, note))), fontsize=8, color="0.35")

    def update(number):
        pictures = [frames[number].squeeze(), *(shaded(frames[number], weights) for weights in maps.values())]
        for image, picture in zip(images, pictures, strict=True):
            image.set_data(picture)
        title.set_text(titles[number])

    return film(figure, [*images, title], update, len(frames))
