"""How the fixtures of training step and augmentation are computed with this package (see `parity_attengait`)."""

FAMILIES = {}
