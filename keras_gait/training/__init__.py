"""Recipes, schedules, devices, checkpoints and the fit of each kind of learning."""

import importlib

__all__ = ["Byol", "byol_of"]


def __getattr__(name):
    if name in __all__:  # loaded when first used: recipes and flags need no Keras
        return getattr(importlib.import_module("keras_gait.training.byol"), name)
    raise AttributeError(f"module 'keras_gait.training' has no attribute {name!r}")
