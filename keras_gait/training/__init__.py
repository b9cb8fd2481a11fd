"""Recipes, schedules, devices, checkpoints and the fit of each kind of learning."""
