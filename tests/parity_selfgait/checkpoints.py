"""Whole checkpoints of SelfGait."""

FAMILIES = {}
