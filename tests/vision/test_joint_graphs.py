"""Joint graphs: bones, hops, sides and parts of the body."""

import numpy as np
import pytest

from keras_gait.vision.joint_graphs import GRAPHS, find_graph

EVERY = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


@EVERY
def test_the_other_side_of_the_other_side_is_the_joint_itself(graph):
    flip = np.array(graph.flip_index)
    assert flip[flip].tolist() == list(range(len(graph)))
    swapped = {"left": "right", "right": "left"}
    for joint, other in zip(graph.joints, flip, strict=True):
        assert " ".join(swapped.get(word, word) for word in joint.split()) == graph.joints[other]


@EVERY
def test_bones_have_a_mirror_image_and_hold_the_body_together(graph):
    flip = graph.flip_index
    bones = {frozenset(edge) for edge in graph.edges}
    assert {frozenset(flip[joint] for joint in bone) for bone in bones} == bones
    assert np.isfinite(graph.hop_distance(len(graph))).all()


@EVERY
def test_every_joint_is_part_of_the_body_and_sides_mirror_each_other(graph):
    assert sorted(joint for part in graph.parts for joint in part) == list(range(len(graph)))
    left_arm, right_arm, left_leg, right_leg, head = (set(part) for part in graph.parts)
    for left, right in ((left_arm, right_arm), (left_leg, right_leg), (head, head)):
        assert {graph.flip_index[joint] for joint in left} == right
    assert (graph.part_of_joint[list(graph.parts[3])] == 3).all()


def test_hops_are_counted_along_the_bones_and_end_at_the_farthest():
    distance = find_graph("coco").hop_distance(max_hop=3)
    ankle, knee, hip, other_hip, shoulder, wrist = 15, 13, 11, 12, 5, 9
    assert distance[ankle, [ankle, knee, hip, other_hip, shoulder, wrist]].tolist() == [0, 1, 2, 3, 3, np.inf]
    np.testing.assert_array_equal(distance, distance.T)


@EVERY
def test_the_columns_of_all_hops_together_add_up_to_one(graph):
    stack = graph.adjacency()
    assert stack.shape == (4, len(graph), len(graph))
    np.testing.assert_allclose(stack.sum(axis=(0, 1)), 1.0)
    np.testing.assert_array_equal(stack[0] > 0, np.eye(len(graph)) > 0)


def test_a_column_shares_one_among_the_joints_it_reaches():
    nose = find_graph("coco").adjacency(max_hop=1)[:, :, 0]  # the nose itself and both eyes
    assert nose[0].nonzero()[0].tolist() == [0]
    assert nose[1].nonzero()[0].tolist() == [1, 2]
    np.testing.assert_allclose(nose[nose > 0], 1 / 3)


def test_dilation_leaves_hops_out():
    stack = find_graph("oumvlp").adjacency(max_hop=3, dilation=2)
    assert stack.shape[0] == 2
    np.testing.assert_array_equal(stack[1] > 0, find_graph("oumvlp").hop_distance() == 2)


def test_only_what_is_before_the_dash_names_a_graph():
    assert find_graph("oumvlp-openpose") is GRAPHS["oumvlp"]
    with pytest.raises(ValueError, match=r"one of coco, oumvlp\. Received: 'kinect-20'"):
        find_graph("kinect-20")
