"""Keras layers, on every backend: ``keras.ops`` and ``keras.random`` only."""

from keras_gait.layers.attention import PartAttention, PatchAttention
from keras_gait.layers.frames import BatchToFrames, CentreColumns, FramesPresent, FramesToBatch, PixelScaling
from keras_gait.layers.normalisation import BatchNorm
from keras_gait.layers.parts import PartsClassifier, PartsLinear, SeparateGlorot, UnitLength, bn_neck
from keras_gait.layers.pyramid import HorizontalPyramid, TemporalHorizontalPyramid
from keras_gait.layers.residual import basic_block, basic_block_3d, basic_block_p3d, bottleneck, conv
from keras_gait.layers.strips import GeMStripPooling, StripPooling
from keras_gait.layers.temporal import TemporalConvolution, TemporalMaxPooling

__all__ = [
    "BatchNorm",
    "BatchToFrames",
    "CentreColumns",
    "FramesPresent",
    "FramesToBatch",
    "GeMStripPooling",
    "HorizontalPyramid",
    "PartAttention",
    "PartsClassifier",
    "PartsLinear",
    "PatchAttention",
    "PixelScaling",
    "SeparateGlorot",
    "StripPooling",
    "TemporalConvolution",
    "TemporalHorizontalPyramid",
    "TemporalMaxPooling",
    "UnitLength",
    "basic_block",
    "basic_block_3d",
    "basic_block_p3d",
    "bn_neck",
    "bottleneck",
    "conv",
]
