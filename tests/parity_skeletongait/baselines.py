"""How the fixtures of GaitSet, GaitPart, GaitGL and GaitBase are computed (see `parity_attengait`)."""

FAMILIES = {}
