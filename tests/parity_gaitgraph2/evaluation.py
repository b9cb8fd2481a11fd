"""How the fixtures of evaluation tables and activations are computed (see `parity_gaitgraph2`)."""

FAMILIES = {}
