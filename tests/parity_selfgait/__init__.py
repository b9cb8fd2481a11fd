"""How each family of SelfGait fixtures is computed here."""

from parity_selfgait import checkpoints, data, evaluation, losses, models, training, triplets

FAMILIES = (
    models.FAMILIES
    | losses.FAMILIES
    | training.FAMILIES
    | triplets.FAMILIES
    | data.FAMILIES
    | evaluation.FAMILIES
    | checkpoints.FAMILIES
)
