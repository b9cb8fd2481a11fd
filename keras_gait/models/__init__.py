"""The published systems as Keras models, one file each."""

import keras

from keras_gait.models.attengait import AttenGait
from keras_gait.models.gaitbase import GaitBase
from keras_gait.models.gaitgl import GaitGL
from keras_gait.models.gaitgraph import GaitGraph
from keras_gait.models.gaitgraph2 import GaitGraph2
from keras_gait.models.gaitpart import GaitPart
from keras_gait.models.gaitset import GaitSet
from keras_gait.models.selfgait import SelfGait
from keras_gait.models.sge import SGE
from keras_gait.models.skeleton_axis import SGEAxis
from keras_gait.models.skeletongait import SkeletonGait
from keras_gait.models.skeletongait_plusplus import SkeletonGaitPlusPlus
from keras_gait.models.stgcn import STGCN

__all__ = [
    "SGE",
    "STGCN",
    "AttenGait",
    "GaitBase",
    "GaitGL",
    "GaitGraph",
    "GaitGraph2",
    "GaitPart",
    "GaitSet",
    "SGEAxis",
    "SelfGait",
    "SkeletonGait",
    "SkeletonGaitPlusPlus",
]

# `.hdf5` files name a class without its package; this lets `keras.models.load_model` find it there too.
keras.saving.get_custom_objects().update({name: globals()[name] for name in __all__})
