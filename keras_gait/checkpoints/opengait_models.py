"""Which of our models a published OpenGait checkpoint belongs to, told by its names and shapes.

Every function takes ``{published name: array}`` and gives the constructor's arguments. A name that is not
there is a LookupError, an array of another rank a ValueError.
"""

import re

from keras_gait.models import GaitBase, GaitGL, GaitPart, GaitSet, SkeletonGait, SkeletonGaitPlusPlus
from keras_gait.models.gaitpart import CASIAB, OUMVLP

FRAME = (64, 44)  # rows and columns of the published models, which weights do not tell


def blocks_of(state, stage):
    """How many blocks ``<stage>.<number>.`` there are."""
    numbers = (re.match(rf"{re.escape(stage)}\.(\d+)\.", name) for name in state)
    return len({number[1] for number in numbers if number})


def classes_of(state):
    """Classes of the neck's classifier, 0 without one."""
    return state["BNNecks.fc_bin"].shape[2] if "BNNecks.fc_bin" in state else 0


def deepgaitv2(state):
    """Of `SkeletonGait`: mode, blocks, widths, channels of the input, classes."""
    first = state["layer0.forward_block.0.weight"].shape
    wrapped = {"2d": ".forward_block", "p3d": "", "3d": ""}
    if "layer2.forward_block.0.conv1.weight" in state:
        mode, last = "2d", "conv1.weight"
    elif "layer2.0.conv1.weight" in state:
        mode, last = "3d", "conv1.weight"
    else:
        mode, last = "p3d", "conv1.forward_block.0.weight"
    stages = ["layer1.forward_block", *(f"layer{i}{wrapped[mode]}" for i in (2, 3, 4))]
    return {
        "mode": mode,
        "layers": tuple(blocks_of(state, stage) for stage in stages),
        "channels": (first[0], *(state[f"{stage}.0.{last}"].shape[0] for stage in stages[1:])),
        "nclasses": classes_of(state),
        "frame_shape": (*FRAME, first[1]),
    }


def skeletongait_plusplus(state):
    """Of `SkeletonGaitPlusPlus`: blocks, width, classes."""
    stages = ("sil_layer1.forward_block", "layer2", "layer3", "layer4")
    return {
        "blocks": tuple(blocks_of(state, stage) for stage in stages),
        "C": state["sil_layer0.forward_block.0.weight"].shape[0] / 32,
        "nclasses": classes_of(state),
        "frame_shape": (*FRAME, 3),
    }


def gaitset(state):
    """Of `GaitSet`: widths, length of the descriptors. What the strips' scales are, weights do not tell."""
    first = [state[f"set_block{i}.forward_block.0.conv.weight"].shape for i in (1, 2, 3)]
    return {
        "channels": tuple(shape[0] for shape in first),
        "embedding_size": state["Head.fc_bin"].shape[2],
        "frame_shape": (*FRAME, first[0][1]),
    }


def gaitpart(state):
    """Of `GaitPart`: its descriptors, and the published backbone of these widths, if there is one."""
    prefix = "Backbone.forward_block.feature."
    numbers = sorted(
        int(name.removeprefix(prefix).split(".")[0]) for name in state if name.startswith(prefix)
    )
    widths = [state[f"{prefix}{i}.conv.weight"].shape[0] for i in numbers]
    parts, _, size = state["Head.fc_bin"].shape
    published = {
        tuple(int(code.split("-")[1]) for code in codes if code != "M"): codes for codes in (CASIAB, OUMVLP)
    }
    return {
        "backbone_layers": published.get(tuple(widths), CASIAB),
        "embedding_size": size,
        "bins": (parts,),
        "frame_shape": (*FRAME, state[f"{prefix}0.conv.weight"].shape[1]),
    }


def gaitgl(state):
    """Of `GaitGL`: which net, its widths, which end, classes."""
    deep = "conv3d.2.conv3d.weight" in state
    stages = ("GLConvA0.0", "GLConvA1.0", "GLConvB2.0") if deep else ("GLConvA0", "GLConvA1")
    widths = [state[f"{stage}.global_conv3d.conv3d.weight"].shape[0] for stage in stages]
    first = state["conv3d.0.conv3d.weight"].shape
    return {
        "channels": (first[0], *widths),
        "bn_necks": "Bn.weight" not in state,
        "nclasses": state["Head1.fc_bin"].shape[2] if "Head1.fc_bin" in state else classes_of(state),
        "frame_shape": (*FRAME, first[1]),
    }


def gaitbase(state):
    """Of `GaitBase`: kind and number of blocks, widths, descriptors, classes; neither strides nor maximum."""
    prefix = "Backbone.forward_block."
    stages = [f"{prefix}layer{i}" for i in (1, 2, 3, 4)]
    parts, _, size = state["FCs.fc_bin"].shape
    return {
        "block": "Bottleneck" if f"{stages[0]}.0.conv3.weight" in state else "BasicBlock",
        "channels": tuple(state[f"{stage}.0.conv1.weight"].shape[0] for stage in stages),
        "layers": tuple(blocks_of(state, stage) for stage in stages),
        "embedding_size": size,
        "bins": (parts,),
        "nclasses": classes_of(state),
        "frame_shape": (*FRAME, state[f"{prefix}conv1.conv.weight"].shape[1]),
    }


# a name that only this model's checkpoint has -> the model, and what tells its arguments
MODELS = {
    "sil_layer0.forward_block.0.weight": (SkeletonGaitPlusPlus, skeletongait_plusplus),
    "layer0.forward_block.0.weight": (SkeletonGait, deepgaitv2),
    "set_block1.forward_block.0.conv.weight": (GaitSet, gaitset),
    "Backbone.forward_block.feature.0.conv.weight": (GaitPart, gaitpart),
    "conv3d.0.conv3d.weight": (GaitGL, gaitgl),
    "Backbone.forward_block.conv1.conv.weight": (GaitBase, gaitbase),
}
