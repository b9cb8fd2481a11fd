"""Gait recognition in Keras 3: AttenGait and, one by one, the systems that follow it.

Subpackages load when first used, so ``import keras_gait`` costs nothing and does not pick a Keras
backend; the first layer, loss or model does, from ``KERAS_BACKEND`` as in any Keras 3 package.
"""

import importlib

from keras_gait.errors import GaitError

__version__ = "0.1.0"

_SUBPACKAGES = ("checkpoints", "data", "evaluation", "layers", "losses", "models", "training", "vision")

__all__ = ["GaitError", "__version__", *_SUBPACKAGES]


def __getattr__(name):
    if name in _SUBPACKAGES:
        return importlib.import_module(f"keras_gait.{name}")
    raise AttributeError(f"module 'keras_gait' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
