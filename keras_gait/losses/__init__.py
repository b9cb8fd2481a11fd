"""Keras losses, on every backend."""

from keras_gait.losses.byol import StripCosine
from keras_gait.losses.crossentropy import PartsCrossentropy, parts_accuracy
from keras_gait.losses.locality import Locality, locality_mask
from keras_gait.losses.neighbours import NeighbourContrast
from keras_gait.losses.reconstruction import HalfSquaredError
from keras_gait.losses.supcon import SupCon, SupConCosine, contrastive
from keras_gait.losses.triplet import BatchAllTriplet, BatchHardTriplet, MarginState, triplet_statistics

__all__ = [
    "BatchAllTriplet",
    "BatchHardTriplet",
    "HalfSquaredError",
    "Locality",
    "MarginState",
    "NeighbourContrast",
    "PartsCrossentropy",
    "StripCosine",
    "SupCon",
    "SupConCosine",
    "contrastive",
    "locality_mask",
    "parts_accuracy",
    "triplet_statistics",
]
