"""Fixtures of the networks."""

FAMILIES = {}
