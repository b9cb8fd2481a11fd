"""How the fixtures of data on disk and silhouettes are computed (see `parity_attengait`)."""

FAMILIES = {}
