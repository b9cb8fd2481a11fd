"""Tables of SelfGait."""

FAMILIES = {}
