"""How the fixtures of pose files are computed (see `parity_gaitgraph2`)."""

FAMILIES = {}
