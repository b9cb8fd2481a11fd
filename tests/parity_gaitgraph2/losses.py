"""How the fixtures of losses are computed (see `parity_gaitgraph2`)."""

FAMILIES = {}
