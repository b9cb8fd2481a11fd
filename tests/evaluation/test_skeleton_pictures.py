"""Walking skeletons: upright, whole, coloured by activation; and attention over frames."""

import numpy as np
import pytest

from keras_gait.data.simulate import simulate_poses
from keras_gait.evaluation.activations import SeenWalk, drawn_joints
from keras_gait.evaluation.attention_films import attention_film
from keras_gait.evaluation.skeleton_pictures import bones_of, skeleton_film
from keras_gait.vision.joint_graphs import GRAPHS

COCO = GRAPHS["coco"]
NOSE, LEFT_ANKLE, LEFT_KNEE = (COCO.joints.index(name) for name in ("nose", "left ankle", "left knee"))


@pytest.fixture(scope="module")
def poses():
    poses = simulate_poses(1, "nm", 1, ["090"], 3)[0]
    poses[..., 2] = 1
    return poses


def pictures(poses, lit, **options):
    """The film of a walk in which the joints ``lit`` have the activation 1, the others none."""
    activation = np.zeros(poses.shape[:2], "float32")
    activation[:, lit] = 1
    walk = SeenWalk(np.arange(len(poses)), poses, activation)
    return list(skeleton_film(walk, COCO, [f"frame {i}" for i in range(len(poses))], **options))


def lit_places(picture):
    """Rows and columns of the colour of activation 1, without the colour bar on the right."""
    red, green, blue = np.moveaxis(picture[:, :540].astype(int), -1, 0)
    return np.nonzero((red > 200) & (green > 200) & (blue < 100))


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_bones_hang_every_joint_on_one_body(graph):
    pairs, shown = bones_of(graph, np.ones((2, len(graph)), bool))
    assert shown.all()
    body = {pairs[0, 0]}
    for _ in pairs:
        body |= {end for pair in pairs.tolist() if body & set(pair) for end in pair}
    assert body == set(range(len(graph)))
    hips = {graph.joints.index(f"{side} hip") for side in ("left", "right")}
    assert hips in [set(pair) for pair in pairs.tolist()]


def test_an_unsure_joint_takes_its_bones_along():
    poses = np.ones((1, 17, 3), "float32")
    poses[0, LEFT_KNEE, 2] = 0
    pairs, shown = bones_of(COCO, drawn_joints(poses, COCO.connect_joint))
    hidden = [set(pair) for pair, seen in zip(pairs.tolist(), shown[0], strict=True) if not seen]
    left_hip = COCO.joints.index("left hip")
    assert hidden == [{LEFT_KNEE, left_hip}, {LEFT_ANKLE, LEFT_KNEE}]


def test_the_head_is_above_and_activation_is_yellow(poses):
    film = pictures(poses, NOSE)
    assert [picture.shape for picture in film] == [(480, 640, 3)] * 3
    ankle = pictures(poses, LEFT_ANKLE)
    for head, foot in zip(film, ankle, strict=True):
        assert 20 < len(lit_places(head)[0]) < 400
        assert lit_places(head)[0].max() + 100 < lit_places(foot)[0].min()


def test_a_walker_stays_the_right_way_round(poses):
    columns = [lit_places(picture)[1].mean() for picture in pictures(poses, NOSE)]
    steps = np.diff(poses[:, NOSE, 0])
    assert (np.sign(np.diff(columns)) == np.sign(steps)).all()


def test_what_is_hidden_is_not_drawn(poses):
    hidden = poses.copy()
    hidden[1, NOSE, 2] = 0
    seen = [len(lit_places(picture)[0]) > 0 for picture in pictures(hidden, NOSE)]
    assert seen == [True, False, True]


def test_nobody_at_all_is_drawn_too(poses):
    first, *_ = pictures(np.zeros_like(poses), NOSE)
    assert not len(lit_places(first)[0])


def test_the_note_stands_at_the_bottom(poses):
    plain, noted = pictures(poses[:1], NOSE), pictures(poses[:1], NOSE, note="simulated walkers")
    assert plain[0][455:].min() == 255 > noted[0][455:].min()


@pytest.mark.parametrize("channels", [1, 3])
def test_attention_follows_the_frames(channels):
    frames = np.zeros((3, 64, 64, channels), np.uint8)
    frames[1, 20:40, 20:40] = 255
    maps = {"attention_0": np.eye(22), "attention_1": np.eye(8)}
    first, second, third = attention_film(frames, maps, ["frame"] * 3, note="simulated walkers")
    assert (first == third).all()
    cells = np.array_split(first != second, 3, axis=1)
    assert all(cell.any() for cell in cells)


def test_attention_says_what_its_colours_mean():
    frames, maps = np.full((1, 64, 64, 3), 255, np.uint8), {"attention_0": np.zeros((8, 8))}
    (plain,), (noted,) = (attention_film(frames, maps, ["frame"], note=note) for note in (None, "note"))
    assert plain[-15:].min() < 255
    assert (plain[-15:] != noted[-15:]).any()
