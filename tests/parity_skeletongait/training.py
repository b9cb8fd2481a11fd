"""How the fixtures of training step and augmentation are computed (see `parity_attengait`)."""

FAMILIES = {}
