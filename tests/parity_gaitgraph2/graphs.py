"""How the fixtures of joint graphs and pose transforms are computed (see `parity_gaitgraph2`)."""

import numpy as np
from keras import ops

from keras_gait.data.pose_augmentation import PoseAugmentation, mirror
from keras_gait.data.sampling import PoseSampling
from keras_gait.layers import PoseBranches
from keras_gait.vision.joint_graphs import GRAPHS, find_graph
from keras_gait.vision.pose_sequences import centre_start, fill_empty, pad_indices, prepare


def graph_of(joints):
    """Name of the graph with so many joints, which the published classes know without being told."""
    return next(name for name, graph in GRAPHS.items() if len(graph) == joints)


def graph(meta, inputs, path):
    config = meta["config"]
    found = find_graph(config.get("dataset", "coco"))
    max_hop, dilation = config.get("max_hop", 3), config.get("dilation", 1)
    joints = np.arange(len(found))
    adjacency = found.adjacency(max_hop, dilation)
    return {
        "A": adjacency,
        "A_float32": adjacency.astype(np.float32),
        "hop_distance": found.hop_distance(max_hop),
        "edge": np.concatenate([np.stack([joints, joints], axis=1), found.edges]),
        "connect_joint": np.array(found.connect_joint),
        "flip_index": np.array(found.flip_index),
        "center": np.array(found.centre),
        "num_node": np.array(len(found)),
        "part_of_joint": found.part_of_joint,
        "part_sizes": np.array([len(part) for part in found.parts]),
        "parts_flat": np.concatenate(found.parts),
    }


def pad_sequence(meta, inputs, path):
    pairs = inputs["pairs"].tolist()
    return {f"index_L{length}_n{count}": pad_indices(count, length) for length, count in pairs}


def select_center(meta, inputs, path):
    pairs = inputs["pairs"].tolist()
    return {
        f"index_L{length}_n{count}": centre_start(count, length) + np.arange(length)
        for length, count in pairs
    }


def backwards(poses, chance=1.0):
    """One sequence as it comes out of the training's choice of frames, where that leaves none out."""
    frames = PoseSampling(len(poses), chance).indices([len(poses)], np.random.default_rng(0))
    return poses[frames[0]]


def flips(meta, inputs, path):
    poses, chance = inputs["x"], meta["config"].get("p", 1.0)
    order = find_graph(meta["config"].get("dataset", graph_of(poses.shape[1]))).flip_index
    exchange = PoseAugmentation(order, chance, 0.0, 0.0, 0.0, noise="normal")  # which leaves confidences
    exchanged = exchange(poses[None], np.random.default_rng(0))[0]
    return {"time": backwards(poses, chance), "left_right": exchanged}


def normalize_empty(meta, inputs, path):
    return {"filled": fill_empty(inputs["x"])}


def branches(poses, *arguments, **settings):
    """One sequence through the layer, ``(T, V, branches, channels)``."""
    layer = PoseBranches(*arguments, **settings)
    return ops.convert_to_numpy(layer(np.asarray(poses, np.float32)[None]))[0]


def multi_input(meta, inputs, path):
    poses = inputs["x"]
    name = meta["config"].get("dataset", graph_of(poses.shape[1]))
    return {
        "branches": branches(poses, name, "branches"),
        "concat": branches(poses, name, "concat")[:, :, 0],  # published without the axis of branches
        "disabled": branches(poses, name, "plain"),
    }


def pipeline(meta, inputs, path):
    config, poses = meta["config"], inputs["x"]
    joints = graph_of(poses.shape[1])
    oumvlp = joints == "oumvlp"
    ready = prepare(poses, config.get("sequence_length", 30 if oumvlp else 60), fill=oumvlp)
    # CASIA-B's script has a switch for branches of their own; it is on wherever the published code runs
    several = oumvlp or config.get("multi_branch", True)
    kind = ("branches" if several else "concat") if config.get("multi_input", True) else "plain"
    return {"x": branches(ready, joints, kind)}


def v1_multi_input(meta, inputs, path):
    poses = inputs["x"]
    enabled = branches(poses, "coco", "branches", layout="gaitgraph")
    return {
        "enabled": enabled.transpose(2, 3, 0, 1),
        "disabled": branches(poses, "coco", "plain", layout="gaitgraph").transpose(2, 3, 0, 1),
        "time_flip": backwards(poses),
        "mirror": mirror(poses),
    }


FAMILIES = {
    "graph": graph,
    "pad_sequence": pad_sequence,
    "select_center": select_center,
    "flips": flips,
    "normalize_empty": normalize_empty,
    "multi_input": multi_input,
    "pipeline": pipeline,
    "v1_multi_input": v1_multi_input,
}
