"""Joints as graphs: who is next to whom, who mirrors whom (GaitGraph2, section "Joint graphs").

Left and right are the walker's own.
"""

from dataclasses import dataclass

import numpy as np

PART_NAMES = ("left arm", "right arm", "left leg", "right leg", "head")


@dataclass(frozen=True)
class JointGraph:
    """The joints of one pose format and how they hang together; V is their number.

    Args:
        name: as in `GRAPHS`.
        joints: names of the V joints.
        edges: bones as pairs of joints, without direction.
        connect_joint: V indices, the joint that each joint's bone leads to; itself for one without a bone.
        flip_index: V indices, the joint on the body's other side.
        centre: the joint that positions are told from.
        parts: joints of each of `PART_NAMES`.
    """

    name: str
    joints: tuple
    edges: tuple
    connect_joint: tuple
    flip_index: tuple
    centre: int
    parts: tuple

    def __len__(self):
        return len(self.joints)

    @property
    def part_of_joint(self):
        """For each joint the index of the first part that holds it, ``(V,)`` int."""
        return np.array([next(i for i, p in enumerate(self.parts) if j in p) for j in range(len(self))])

    def hop_distance(self, max_hop=3):
        """Least number of bones between any two joints, ``(V, V)`` float64; inf where above ``max_hop``."""
        step = np.eye(len(self), dtype=bool)
        first, second = np.transpose(self.edges)
        step[first, second] = step[second, first] = True
        distance = np.full(step.shape, np.inf)
        reached = np.eye(len(self), dtype=bool)
        for hop in range(max_hop + 1):
            distance[reached & np.isinf(distance)] = hop
            reached = reached @ step
        return distance

    def adjacency(self, max_hop=3, dilation=1):
        """One slice for each hop 0, dilation, ... up to ``max_hop``: ``(hops, V, V)`` float64.

        ``A[k, i, j]`` is not 0 where i is k hops from j. The columns of all slices together add up to 1, also
        where a network uses only the first of them.
        """
        hops = np.arange(0, max_hop + 1, dilation)
        slices = (self.hop_distance(max_hop) == hops[:, None, None]).astype(np.float64)
        return slices / slices.sum(axis=(0, 1))


GRAPHS = {
    "coco": JointGraph(
        name="coco",
        joints=(
            *("nose", "left eye", "right eye", "left ear", "right ear"),
            *("left shoulder", "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist"),
            *("left hip", "right hip", "left knee", "right knee", "left ankle", "right ankle"),
        ),
        edges=(
            *((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10)),
            *((5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
        ),
        connect_joint=(0, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
        flip_index=(0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15),
        centre=0,
        parts=((5, 7, 9), (6, 8, 10), (11, 13, 15), (12, 14, 16), (0, 1, 2, 3, 4)),
    ),
    "oumvlp": JointGraph(
        name="oumvlp",
        joints=(
            *("nose", "neck", "right shoulder", "right elbow", "right wrist"),
            *("left shoulder", "left elbow", "left wrist", "right hip", "right knee", "right ankle"),
            *("left hip", "left knee", "left ankle", "right eye", "left eye", "right ear", "left ear"),
        ),
        edges=(
            *((0, 1), (0, 14), (0, 15), (14, 16), (15, 17), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7)),
            *((1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
        ),
        connect_joint=(1, 1, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15),
        flip_index=(0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16),
        centre=1,
        parts=((5, 6, 7), (2, 3, 4), (11, 12, 13), (8, 9, 10), (0, 1, 14, 15, 16, 17)),
    ),
}


def find_graph(name):
    """The `JointGraph` of a name, of which only what is before the first "-" counts."""
    graph = GRAPHS.get(name.split("-")[0])
    if graph is None:
        raise ValueError(f"The joints must be one of {', '.join(GRAPHS)}. Received: {name!r}.")
    return graph
