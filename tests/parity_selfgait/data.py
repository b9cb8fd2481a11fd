"""Splits, windows, frames of SelfGait."""

FAMILIES = {}
