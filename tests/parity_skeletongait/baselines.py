"""How the fixtures of GaitSet, GaitPart, GaitGL and GaitBase are computed with this package (see `parity_attengait`)."""

FAMILIES = {}
