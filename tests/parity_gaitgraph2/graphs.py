"""How the fixtures of joint graphs, transforms and branches of poses are computed (see `parity_gaitgraph2`)."""

FAMILIES = {}
