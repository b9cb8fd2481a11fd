"""Keras losses, on every backend."""

from keras_gait.losses.crossentropy import PartsCrossentropy, parts_accuracy
from keras_gait.losses.supcon import SupCon, SupConCosine, contrastive
from keras_gait.losses.triplet import BatchAllTriplet, MarginState, triplet_statistics

__all__ = [
    "BatchAllTriplet",
    "MarginState",
    "PartsCrossentropy",
    "SupCon",
    "SupConCosine",
    "contrastive",
    "parts_accuracy",
    "triplet_statistics",
]
