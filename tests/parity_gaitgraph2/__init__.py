"""How each family of GaitGraph and GaitGraph2 fixtures is computed here."""

from parity_gaitgraph2 import activations, data, evaluation, graphs, losses, models, training

FAMILIES = (
    graphs.FAMILIES
    | data.FAMILIES
    | models.FAMILIES
    | losses.FAMILIES
    | training.FAMILIES
    | evaluation.FAMILIES
    | activations.FAMILIES
)
