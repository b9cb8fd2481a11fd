"""Class activations in numbers that one can check in one's head."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_gait.evaluation import activations
from keras_gait.evaluation.activations import (
    class_activation,
    drawn_joints,
    drawn_places,
    joint_activation,
    mean_activations,
    seen_walk,
)
from keras_gait.vision.pose_sequences import prepare

FRAMES = 8


class XModel:
    """Its last map is the x of every fourth frame's joints, its one class the map itself."""

    frames = FRAMES

    def __init__(self):
        self.batches = []
        self.feature_maps = SimpleNamespace(predict_on_batch=self.maps)

    def maps(self, poses):
        self.batches.append(len(poses))
        return poses[:, ::4, :, :1]

    def get_layer(self, name):
        return {"fcn": SimpleNamespace(get_weights=lambda: [np.ones((1, 1), "float32"), np.array([-99.0])])}[
            name
        ]

    def prepare(self, sequence):
        return prepare(sequence, self.frames)


def numbered(count, joints=2):
    """A sequence whose frames have the x 1, 2, ..., the last joint's twice that."""
    poses = np.ones((count, joints, 3), "float32")
    poses[..., 0] = np.arange(1, count + 1)[:, None]
    poses[:, -1, 0] *= 2
    return poses


def test_the_strongest_class_counts_and_the_greatest_is_one():
    features = np.array([[[1.0, 0.0], [0.0, 1.0]], [[-1.0, -1.0], [2.0, 2.0]]])  # (2 steps, 2 joints, 2)
    kernel = np.array([[1.0, 0.0], [0.0, 3.0]])
    np.testing.assert_allclose(class_activation(features, kernel), [[1 / 6, 3 / 6], [0, 1]])


def test_each_sequence_of_a_batch_has_its_own_greatest():
    features = np.array([1.0, 2.0, 10.0, 5.0]).reshape(2, 1, 2, 1)
    np.testing.assert_allclose(class_activation(features, np.ones((1, 1)))[:, 0], [[0.5, 1], [1, 0.5]])


def test_without_a_positive_activation_all_are_zero():
    assert not class_activation(-np.ones((3, 2, 1)), np.ones((1, 4))).any()


def test_four_frames_read_one_step():
    features = np.array([1.0, 2.0, 4.0]).reshape(3, 1, 1)
    activation = joint_activation(features, np.ones((1, 1)), 10)
    assert activation[:, 0].tolist() == [0.25] * 4 + [0.5] * 4 + [1.0] * 2


def test_of_a_long_walk_the_middle_is_seen():
    walk = seen_walk(XModel(), numbered(12))
    assert walk.frames.tolist() == list(range(2, 10))
    assert walk.poses[:, 0, 0].tolist() == list(range(3, 11))
    np.testing.assert_allclose(walk.activation[:, 0], [3 / 14] * 4 + [7 / 14] * 4)


@pytest.mark.parametrize("count", [1, 2, 5, FRAMES])
def test_a_short_walk_is_shown_forwards_and_once(count):
    walk = seen_walk(XModel(), numbered(count))
    assert walk.frames.tolist() == list(range(count))
    assert walk.poses[:, 0, 0].tolist() == list(range(1, count + 1))
    assert walk.activation.shape == (count, 2)


def test_what_was_above_is_drawn_above():
    poses = np.zeros((1, 2, 3), "float32")
    poses[0, 0, :2] = 10, 20  # the upper joint: y of a picture runs down
    poses[0, 1, :2] = 30, 120
    assert drawn_places(poses).tolist() == [[[-10, 50], [10, -50]]]


def test_a_joint_needs_itself_and_its_connected_joint():
    poses = np.zeros((2, 3, 3), "float32")
    poses[..., 2] = [[0.025, 0.9, 0.024], [0.02, 0.9, 0.9]]
    drawn = drawn_joints(poses, (0, 0, 1))
    assert drawn.tolist() == [[True, True, False], [False, False, True]]


class Walks:
    """A data set of walks whose joints are at the x of ``places``, and which were read."""

    frame_shape = (2, 3)

    def __init__(self, conditions, views, places):
        self.condition, self.view, self.places = np.array(conditions), np.array(views), places
        self.was_read = []

    def read(self, i):
        self.was_read.append(i)
        poses = np.ones((FRAMES, 2, 3), "float32")
        poses[..., 0] = self.places[i]
        return poses


def test_means_are_by_condition_and_view():
    walks = Walks(["nm", "nm", "nm", "bg"], ["090", "018", "018", "018"], [(1, 2), (4, 4), (0, 3), (2, 8)])
    cells, means = mean_activations(XModel(), walks)
    assert cells == [("nm", "018"), ("nm", "090"), ("bg", "018")]
    np.testing.assert_allclose(means, [[0.5, 1], [0.5, 1], [0.25, 1]])


def test_of_a_cell_a_few_sequences_are_read_in_batches_of_one_size(monkeypatch):
    monkeypatch.setattr(activations, "BATCH", 3)
    walks = Walks([""] * 50, ["000"] * 50, [(1, 2)] * 50)
    model = XModel()
    _, means = mean_activations(model, walks)
    assert walks.was_read == [0, 7, 14, 21, 28, 35, 42, 49]
    assert model.batches == [3, 3, 3]
    np.testing.assert_allclose(means, [[0.5, 1]])


def test_the_report_shows_a_pose_models_mean():
    from keras_gait.evaluation.evaluation_report import attention_section

    model, walks = XModel(), Walks(["nm", "bg"], ["090", "018"], [(1, 2), (2, 8)])
    model.graph = SimpleNamespace(joints=("nose", "neck"))
    section = attention_section(model, walks, rows=[])
    assert "data:image/png;base64," in section
    assert "Mean class activation" in section
