"""Fixtures of ranking and matching."""

FAMILIES = {}
