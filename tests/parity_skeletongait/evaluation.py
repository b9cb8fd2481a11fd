"""How the fixtures of distances and protocols are computed with this package (see `parity_attengait`)."""

FAMILIES = {}
