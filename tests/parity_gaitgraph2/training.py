"""How the fixtures of schedule and training step are computed (see `parity_gaitgraph2`)."""

FAMILIES = {}
