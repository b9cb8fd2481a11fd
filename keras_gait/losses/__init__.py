"""Keras losses, on every backend."""

from keras_gait.losses.crossentropy import PartsCrossentropy
from keras_gait.losses.triplet import BatchAllTriplet, MarginState

__all__ = ["BatchAllTriplet", "MarginState", "PartsCrossentropy"]
