"""Fixtures of losses and training steps."""

FAMILIES = {}
