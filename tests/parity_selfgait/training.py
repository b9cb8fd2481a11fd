"""Training steps of SelfGait."""

FAMILIES = {}
