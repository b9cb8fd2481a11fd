"""Keras layers, on every backend: ``keras.ops`` and ``keras.random`` only."""

from keras_gait.layers.attention import PartAttention, PatchAttention
from keras_gait.layers.frames import BatchToFrames, FramesToBatch, PixelScaling
from keras_gait.layers.parts import PartsClassifier, PartsLinear
from keras_gait.layers.pyramid import HorizontalPyramid, TemporalHorizontalPyramid

__all__ = [
    "BatchToFrames",
    "FramesToBatch",
    "HorizontalPyramid",
    "PartAttention",
    "PartsClassifier",
    "PartsLinear",
    "PatchAttention",
    "PixelScaling",
    "TemporalHorizontalPyramid",
]
