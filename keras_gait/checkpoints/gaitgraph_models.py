"""Which GaitGraph a published checkpoint belongs to, told by its names and shapes.

Every function takes ``{published name: array}`` and gives the constructor's arguments, as those of
`opengait_models` do; what no such network has is a GaitError.
"""

import re

import numpy as np

from keras_gait.checkpoints.opengait_models import blocks_of
from keras_gait.errors import GaitError
from keras_gait.layers.resgcn import structure_name
from keras_gait.models import STGCN, GaitGraph, GaitGraph2
from keras_gait.vision.joint_graphs import GRAPHS

BRANCH = re.compile(r"input_branches\.\d+\.bn\.weight")
ADJACENCY = re.compile(r"(?:input_branches\.(\d+)\.)?A")
LENGTHS = {"coco": 60, "oumvlp": 30}  # frames of the published recipes, which weights do not tell
SAME = 1e-3  # entries of adjacencies differ by 1/17 - 1/18 or more; half precision rounds them by less
TOLD = ("network", "inputs", "joints", "embedding_size")  # arguments that weights do tell
# (branches, channels of each) -> the inputs of which models
INPUTS = {
    (1, 3): ("plain", (GaitGraph2, GaitGraph)),
    (1, 15): ("concat", (GaitGraph2,)),
    (3, 5): ("branches", (GaitGraph2,)),
    (3, 6): ("branches", (GaitGraph,)),
}


def inputs_of(state):
    """The name of a ResGCN's inputs and the models that have them."""
    branches = sum(bool(BRANCH.fullmatch(name)) for name in state)
    channels = state["input_branches.0.bn.weight"].size
    if (branches, channels) not in INPUTS:
        known = ", ".join(f"{n} of {c}" for n, c in INPUTS)
        raise GaitError(f"the network has {branches} input branches of {channels} channels. Known: {known}")
    return INPUTS[branches, channels]


def version(state, key, method=None):
    """`GaitGraph` (version 1) or `GaitGraph2`: the same network by the same names, with another ending.

    Args:
        state: the weights.
        key: of the file that held them: "model" is version 1's.
        method: the one that is wanted, if any: version 2 can go on from the weights of version 1.
    """
    _, models = inputs_of(state)
    first = GaitGraph if key == "model" else GaitGraph2
    wanted = [model for model in models if model.__name__.lower() == method]
    return (wanted or [first] * (first in models) or models)[0]


def resgcn(state):
    """Of `GaitGraph2` and `GaitGraph`: structure, reduction, attention, inputs, joints, embedding."""
    layers = blocks_of(state, "input_branches.0.layers")
    narrow = [f"input_branches.0.layers.{i}.scn.conv_down.weight" in state for i in range(layers)]
    initial = narrow.index(True) if any(narrow) else 1
    modules = [f"main_stream.{i}" for i in range(blocks_of(state, "main_stream"))]
    norm = "tcn.bn_up" if any(narrow) else "tcn.bn"
    widths = [state[f"{module}.{norm}.weight"].shape[0] for module in modules]
    counts = (initial, layers - initial, widths.count(128), widths.count(256))
    return {
        "network": _network(state, counts, any(narrow)),
        "inputs": inputs_of(state)[0],
        **_common(state, state["main_stream.0.edge"]),
    }


def stgcn(state):
    """Of `STGCN`: joints, embedding."""
    return _common(state, state["edge_importance.0"])


def _common(state, edge):
    joints = edge.shape[1]
    known = {len(graph.joints): name for name, graph in GRAPHS.items()}
    if joints not in known:
        names = ", ".join(f"{count} ({name})" for count, name in known.items())
        raise GaitError(f"the network is one of {joints} joints. Known: {names}")
    return {
        "joints": known[joints],
        "embedding_size": state["fcn.weight"].shape[0],
        "frames": LENGTHS[known[joints]],
        "fill_empty": known[joints] == "oumvlp",  # as it was published to be tested
    }


def _network(state, counts, narrow):
    """The name of a ResGCN, with its own counts for a structure where no name has them."""
    kind = "n" if narrow else "b"
    name = f"resgcn-{structure_name(kind, counts)}"
    attention = _attention(state)
    if attention:
        name = f"{attention}-{name}"
    if narrow:
        rows = state["main_stream.0.scn.conv_down.weight"].shape[0]
        if rows not in (128, 64, 32, 16):
            raise GaitError(
                f"main_stream.0.scn.conv_down.weight reduces 128 channels to {rows}, not to 128, 64, 32 or 16"
            )
        name += f"-r{128 // rows}"
    return name


def _attention(state):
    """The attention of the main stream's modules by its names' letters; None without one."""
    prefix = "main_stream.0.att"
    if f"{prefix}.bn.weight" not in state:
        return None
    for name, kind in (("conv", "fa"), ("part_pool.0", "psa"), ("part_pool.0.0", "pca")):
        if f"{prefix}.{name}.weight" in state:
            return kind
    width = state[f"{prefix}.bn.weight"].shape[0]
    columns, rows = state[f"{prefix}.fcn.1.weight"].shape[1], state[f"{prefix}.fcn.4.weight"].shape[0]
    if columns != width:
        return "ja"  # of one column a joint
    return "ca" if rows == width else "pa"


def check_options(told, options):
    """Refuse, naming both, an option that says other than what the weights tell."""
    for name in TOLD:
        if name in options and name in told and options[name] != told[name]:
            raise GaitError(
                f"the weights are of {name} {told[name]}, not {options[name]}: name the recipe that they "
                f"were trained by, or leave {name} out"
            )


def without_adjacency(state, graph):
    """The state without the buffers of the graph, which must be ours.

    Raises:
        GaitError: the checkpoint was trained on another graph; its first entry that differs is named.
    """
    ours, left = graph.adjacency(), {}
    for name, array in state.items():
        match = ADJACENCY.fullmatch(name)
        if not match or (match[1] and f"input_branches.{match[1]}.bn.weight" not in state):
            left[name] = array
        elif array.shape != ours.shape:
            raise GaitError(f"{name}: {array.shape} for {ours.shape} of the {graph.name} joints")
        elif not np.allclose(array, ours, rtol=0, atol=SAME):
            hop, source, target = np.argwhere(~np.isclose(array, ours, rtol=0, atol=SAME))[0]
            raise GaitError(
                f"{name} is not the graph of the {graph.name} joints: {array[hop, source, target]:.4g} for "
                f"{ours[hop, source, target]:.4g} from {graph.joints[source]} to {graph.joints[target]} at "
                f"{hop} edges"
            )
    return left


SETTINGS = (resgcn, stgcn)
# a name that only this network's checkpoint has -> the model, and what tells its arguments
MODELS = {"input_branches.0.bn.weight": (GaitGraph2, resgcn), "data_bn.weight": (STGCN, stgcn)}
