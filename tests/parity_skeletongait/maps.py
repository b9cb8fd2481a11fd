"""How the fixtures of skeleton maps and poses are computed (see `parity_attengait`)."""

FAMILIES = {}
