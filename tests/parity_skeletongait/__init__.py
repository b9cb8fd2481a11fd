"""How each family of OpenGait fixtures (SkeletonGait and the silhouette baselines) is computed here."""

from parity_skeletongait import baselines, data, evaluation, losses, maps, models, training

FAMILIES = (
    maps.FAMILIES
    | data.FAMILIES
    | models.FAMILIES
    | baselines.FAMILIES
    | losses.FAMILIES
    | evaluation.FAMILIES
    | training.FAMILIES
)
