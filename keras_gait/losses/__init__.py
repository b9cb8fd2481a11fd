"""Keras losses, on every backend."""

from keras_gait.losses.crossentropy import PartsCrossentropy, parts_accuracy
from keras_gait.losses.triplet import BatchAllTriplet, MarginState, triplet_statistics

__all__ = [
    "BatchAllTriplet",
    "MarginState",
    "PartsCrossentropy",
    "parts_accuracy",
    "triplet_statistics",
]
