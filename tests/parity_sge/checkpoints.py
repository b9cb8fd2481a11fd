"""Fixtures of published trained weights."""

FAMILIES = {}
