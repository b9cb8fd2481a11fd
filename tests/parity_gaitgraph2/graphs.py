"""How the fixtures of joint graphs and pose transforms are computed (see `parity_gaitgraph2`)."""

FAMILIES = {}
