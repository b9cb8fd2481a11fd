"""How the fixtures of losses are computed (see `parity_attengait`)."""

FAMILIES = {}
