"""The published systems as Keras models, one file each."""

import keras

from keras_gait.models.attengait import AttenGait

__all__ = ["AttenGait"]

# `.hdf5` files name a class without its package; this lets `keras.models.load_model` find it there too.
keras.saving.get_custom_objects().update({"AttenGait": AttenGait})
