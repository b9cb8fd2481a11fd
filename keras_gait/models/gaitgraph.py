"""GaitGraph, the first version: a residual graph network on poses (Teepe et al., ICIP 2021)."""

import keras

from keras_gait.layers.parts import UnitLength
from keras_gait.layers.resgcn import resgcn
from keras_gait.models.poses import PoseModel, embedding, pose_input
from keras_gait.vision.joint_graphs import find_graph

SHOULDERS_AND_HIPS = (5, 6, 11, 12)  # of coco, in the head's part too


@keras.saving.register_keras_serializable("keras_gait")
class GaitGraph(PoseModel):
    """The poses of a walk through a ResGCN, one embedding of unit length.

    Takes poses ``(batch, frames, joints, 3)``, x and y in pixels and the confidence. Returns
    ``{"embeddings": (batch, 1, embedding_size)}``, float32.

    Args:
        nclasses: 0; GaitGraph learns from distances and has no classifier.
        network: name of the ResGCN as for `GaitGraph2`, but without attention over joints (ja).
        embedding_size: length of the embedding.
        inputs: ``"plain"`` (coordinates and confidence) or ``"branches"`` (joints, velocities, bones; six
            channels each, the layout "gaitgraph" of `PoseBranches`).
        joints: ``"coco"`` or ``"oumvlp"``.
        frames: length that `prepare` brings sequences to.
        fill_empty: `prepare` fills in the joints that were not found.
    """

    def __init__(
        self,
        nclasses=0,
        network="resgcn-n39-r8",
        embedding_size=128,
        inputs="plain",
        joints="coco",
        frames=60,
        fill_empty=False,
        **kwargs,
    ):
        if inputs not in ("plain", "branches"):
            raise ValueError(f"inputs must be plain or branches. Received: inputs={inputs!r}")
        poses, branches = pose_input(joints, frames, embedding_size, inputs=inputs, layout="gaitgraph")
        vectors = embedding(resgcn(branches, network, joints, body_parts(joints)), embedding_size)
        super().__init__(
            poses,
            {"embeddings": UnitLength(name="unit_length", dtype="float32")(vectors)},
            nclasses=nclasses,
            network=network,
            embedding_size=embedding_size,
            inputs=inputs,
            joints=joints,
            frames=frames,
            fill_empty=fill_empty,
            **kwargs,
        )


def body_parts(joints):
    """Joints of each body part; of coco, shoulders and hips belong to the head, too."""
    graph = find_graph(joints)
    *limbs, head = graph.parts
    return (*limbs, (*head, *SHOULDERS_AND_HIPS)) if graph.name == "coco" else graph.parts
