"""Distances, ranking metrics, protocols and reports."""
