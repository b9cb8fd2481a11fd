"""How each family of SGE fixtures is computed here."""

from parity_sge import checkpoints, data, evaluation, losses, models

FAMILIES = models.FAMILIES | losses.FAMILIES | data.FAMILIES | evaluation.FAMILIES | checkpoints.FAMILIES
