"""How the fixtures of networks and test-time augmentation are computed (see `parity_gaitgraph2`)."""

FAMILIES = {}
