"""Fixtures of pretext tasks, normalisation and the choice of rows."""

FAMILIES = {}
