"""How the fixtures of SkeletonGait and SkeletonGait++ are computed with this package (see `parity_attengait`)."""

FAMILIES = {}
