"""Open models: our own files and published weights."""

from keras_gait.checkpoints.attengait import attengait_from_weights
from keras_gait.checkpoints.by_name import load_state, model_from_state
from keras_gait.checkpoints.loading import load_model
from keras_gait.checkpoints.state_files import read_state

__all__ = ["attengait_from_weights", "load_model", "load_state", "model_from_state", "read_state"]
