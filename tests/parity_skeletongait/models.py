"""How the fixtures of SkeletonGait and SkeletonGait++ are computed (see `parity_attengait`)."""

FAMILIES = {}
