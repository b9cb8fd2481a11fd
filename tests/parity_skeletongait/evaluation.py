"""How the fixtures of distances and protocols are computed (see `parity_attengait`)."""

FAMILIES = {}
