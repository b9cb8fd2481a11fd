"""How the fixtures of data on disk and silhouettes are computed with this package (see `parity_attengait`)."""

FAMILIES = {}
