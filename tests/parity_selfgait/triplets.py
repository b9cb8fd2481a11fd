"""Triplets and fine-tuning of SelfGait."""

FAMILIES = {}
