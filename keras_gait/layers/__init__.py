"""Keras layers, on every backend: ``keras.ops`` and ``keras.random`` only."""

from keras_gait.layers.attention import PartAttention, PatchAttention
from keras_gait.layers.attention_decoder import AttentionDecoder
from keras_gait.layers.frame_blocks import BlockConvolution, BlocksPresent, RepeatShortClips
from keras_gait.layers.frames import BatchToFrames, CentreColumns, FramesPresent, FramesToBatch, PixelScaling
from keras_gait.layers.fusion import ChannelSlice, PairFusion
from keras_gait.layers.graph import GraphConvolution
from keras_gait.layers.graph_attention import FrameStatistics, JointMeans, PartWeights, TakeJoints
from keras_gait.layers.heads import bn_neck, mlp_head, part_heads, separate_fcs
from keras_gait.layers.micro_motion import micro_motion
from keras_gait.layers.normalisation import BatchNorm
from keras_gait.layers.parts import PartsClassifier, PartsLinear, SeparateGlorot, UnitLength
from keras_gait.layers.parts_over_time import PartsConvolution, WindowPooling
from keras_gait.layers.pose_branches import PoseBranches
from keras_gait.layers.pose_views import PoseViews
from keras_gait.layers.pyramid import HorizontalPyramid, TemporalHorizontalPyramid
from keras_gait.layers.residual import basic_block, basic_block_3d, basic_block_p3d, bottleneck, conv
from keras_gait.layers.skeleton_encoder import SkeletonEncoder
from keras_gait.layers.skeleton_normalisation import SkeletonNormalisation
from keras_gait.layers.strip_convolution import StripConv2D, StripConv3D
from keras_gait.layers.strips import GeMStripPooling, StripPooling
from keras_gait.layers.temporal import TemporalConvolution, TemporalMaxPooling
from keras_gait.layers.weight_decay import DecayFromStart

__all__ = [
    "AttentionDecoder",
    "BatchNorm",
    "BatchToFrames",
    "BlockConvolution",
    "BlocksPresent",
    "CentreColumns",
    "ChannelSlice",
    "DecayFromStart",
    "FrameStatistics",
    "FramesPresent",
    "FramesToBatch",
    "GeMStripPooling",
    "GraphConvolution",
    "HorizontalPyramid",
    "JointMeans",
    "PairFusion",
    "PartAttention",
    "PartWeights",
    "PartsClassifier",
    "PartsConvolution",
    "PartsLinear",
    "PatchAttention",
    "PixelScaling",
    "PoseBranches",
    "PoseViews",
    "RepeatShortClips",
    "SeparateGlorot",
    "SkeletonEncoder",
    "SkeletonNormalisation",
    "StripConv2D",
    "StripConv3D",
    "StripPooling",
    "TakeJoints",
    "TemporalConvolution",
    "TemporalHorizontalPyramid",
    "TemporalMaxPooling",
    "UnitLength",
    "WindowPooling",
    "basic_block",
    "basic_block_3d",
    "basic_block_p3d",
    "bn_neck",
    "bottleneck",
    "conv",
    "micro_motion",
    "mlp_head",
    "part_heads",
    "separate_fcs",
]
