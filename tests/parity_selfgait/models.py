"""Networks and their parts of SelfGait."""

FAMILIES = {}
