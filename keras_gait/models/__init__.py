"""The published systems as Keras models, one file each."""

import keras

from keras_gait.models.attengait import AttenGait
from keras_gait.models.gaitset import GaitSet

__all__ = ["AttenGait", "GaitSet"]

# `.hdf5` files name a class without its package; this lets `keras.models.load_model` find it there too.
keras.saving.get_custom_objects().update({"AttenGait": AttenGait})
