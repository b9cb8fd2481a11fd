"""ResGCN: residual graph networks by name (Song et al., 2020; the network of GaitGraph and GaitGraph2)."""

import re

from keras import layers

from keras_gait.layers.fusion import ChannelSlice
from keras_gait.layers.graph_attention import ATTENTIONS
from keras_gait.layers.graph_blocks import basic_module, bottleneck_module, norm
from keras_gait.vision.joint_graphs import find_graph

# name -> initial modules, other modules of an input branch, modules of 128 and of 256 channels
STRUCTURES = {
    "b15": (1, 2, 2, 2),
    "b19": (1, 2, 3, 3),
    "b23": (1, 3, 4, 3),
    "b29": (1, 3, 6, 4),
    "n21": (1, 1, 1, 1),
    "n39": (1, 2, 2, 2),
    "n51": (1, 2, 3, 3),
    "n57": (1, 3, 4, 3),
    "n75": (1, 3, 6, 4),
}
REDUCTIONS = ("r1", "r2", "r4", "r8")
COUNTS = re.compile(r"[bn][1-9]\d*(\.[1-9]\d*){3}")


def read_network(network):
    """``"pa-resgcn-n39-r8"`` -> ``(attention or None, b or n, four counts of modules, reduction)``.

    A structure without a published name is told by its counts, ``resgcn-n1.2.1.1-r8``.

    Raises:
        ValueError: names what is possible.
    """
    possible = (
        f"[{'|'.join(ATTENTIONS)}-]resgcn-<{'|'.join(STRUCTURES)}>[-<{'|'.join(REDUCTIONS)}>], for instance "
        f"resgcn-n39-r8. Received: network={network!r}"
    )
    words = network.split("-") if isinstance(network, str) else []
    attention = words.pop(0) if words and words[0] in ATTENTIONS else None
    reduction = words.pop() if len(words) == 3 else REDUCTIONS[0]
    if len(words) != 2 or words[0] != "resgcn" or reduction not in REDUCTIONS:
        raise ValueError(f"network must be {possible}")
    structure = words[1]
    if structure in STRUCTURES:
        counts = STRUCTURES[structure]
    elif COUNTS.fullmatch(structure):
        counts = tuple(int(count) for count in structure[1:].split("."))
    else:
        raise ValueError(f"network has no structure {structure!r}; it must be {possible}")
    return attention, structure[0], counts, int(reduction[1:])


def structure_name(kind, counts):
    """The name of a structure for `read_network`: the published one, or its counts where it has none."""
    known = {(name[0], sizes): name for name, sizes in STRUCTURES.items()}
    return known.get((kind, tuple(counts)), f"{kind}{'.'.join(str(count) for count in counts)}")


def resgcn(branches, network, joints, parts=None):
    """The last map ``(batch, frames / 4, joints, 256)`` of ``branches (batch, frames, joints, I, channels)``.

    Each of the I input branches has layers of its own; their maps are joined on channels.

    Args:
        network: see `read_network`.
        joints: name of the `JointGraph`.
        parts: joints of each body part, for the attention by parts; by default the graph's own.
    """
    attention, kind, (initial, branch, middle, last), reduction = read_network(network)
    parts = parts or find_graph(joints).parts

    def module(maps, filters, name, stride=1, attended=False):
        if kind == "b":
            return basic_module(maps, filters, joints, name, stride)
        return bottleneck_module(maps, filters, joints, name, stride, reduction, not attended)

    def input_branch(maps, name):
        maps = norm(maps, f"{name}-bn")
        for i in range(initial):
            maps = basic_module(maps, 64, joints, f"{name}-layers-{i}", residual=False)
        for i in range(branch):
            maps = module(maps, 64 if i < branch - 1 else 32, f"{name}-layers-{initial + i}")
        return maps

    _, _, count, inputs, channels = branches.shape
    flat = layers.Reshape((-1, count, inputs * channels), name="input_channels", dtype="float32")(branches)
    maps = [
        input_branch(
            ChannelSlice(i * channels, (i + 1) * channels, name=f"input_{i}", dtype="float32")(flat),
            f"input_branches-{i}",
        )
        for i in range(inputs)
    ]
    maps = layers.Concatenate(name="input_branches")(maps) if inputs > 1 else maps[0]
    for i in range(middle + last):
        filters, stride = (128 if i < middle else 256), (2 if i in (0, middle) else 1)
        maps = module(maps, filters, f"main_stream-{i}", stride, attended=attention is not None)
        if attention is not None:
            maps = ATTENTIONS[attention](maps, parts, f"main_stream-{i}-att")
    return maps
