"""How the fixtures of skeleton maps and poses are computed with this package (see `parity_attengait`)."""

FAMILIES = {}
