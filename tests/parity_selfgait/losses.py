"""Losses of SelfGait."""

FAMILIES = {}
