"""Open models: our own files and published weights."""

from keras_gait.checkpoints.attengait import attengait_from_weights
from keras_gait.checkpoints.loading import load_model

__all__ = ["attengait_from_weights", "load_model"]
