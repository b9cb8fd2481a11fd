"""How the fixtures of losses are computed with this package (see `parity_attengait`)."""

FAMILIES = {}
