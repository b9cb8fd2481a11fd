"""Branches of a pose sequence: joints, velocities and bones."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PoseBranches

pytestmark = pytest.mark.backend


def branches(poses, **settings):
    return ops.convert_to_numpy(PoseBranches(**settings)(np.asarray(poses, "float32")))


@pytest.fixture
def poses():
    """Frame t of joint v lies at (10 v + t², 5 t), confidence 0.9; one sequence of five frames."""
    t, v = np.meshgrid(np.arange(5.0), np.arange(17.0), indexing="ij")
    return np.stack([10 * v + t**2, 5 * t, np.full_like(t, 0.9)], axis=-1)[None]


def test_the_joint_branch_adds_the_way_from_the_nose(poses):
    joint = branches(poses)[..., 0, :]
    np.testing.assert_allclose(joint[..., :3], poses, rtol=1e-6)
    assert joint[0, 4, 3, 3:].tolist() == [30.0, 0.0]


def test_the_velocity_branch_as_published_and_corrected(poses):
    for layout, second in (
        ("published", [3.0, 5.0, 0.0, 0.9, 10.0]),
        ("corrected", [3.0, 5.0, 0.9, 8.0, 10.0]),
    ):
        velocity = branches(poses, layout=layout)[0, :, 2, 1]
        np.testing.assert_allclose(velocity[1], second, rtol=1e-6)
        last = [0, 0, 0, 0.9, 0] if layout == "published" else [0, 0, 0.9, 0, 0]
        np.testing.assert_allclose(velocity[3:], [last, last], rtol=1e-6)


def test_the_bone_branch_as_published_and_corrected(poses):
    """Joint 4 hangs on joint 2, 20 pixels to the left of it; the nose on itself."""
    published, corrected = (branches(poses, layout=name)[0, 0, :, 2] for name in ("published", "corrected"))
    np.testing.assert_allclose(published[4], [20, 0, 0, 0.9, np.pi / 2], rtol=1e-5)
    np.testing.assert_allclose(published[0], [0, 0, 0, 0.9, np.pi / 2], rtol=1e-5)
    np.testing.assert_allclose(corrected[4], [20, 0, 0.9, 0.00316, np.pi / 2], atol=1e-4)


def test_the_first_gaitgraph_has_six_channels_and_hangs_the_nose_on_the_shoulder(poses):
    found = branches(poses, layout="gaitgraph")[0]
    assert found.shape == (5, 17, 3, 6)
    assert found[1, 2, 0, 3:].tolist() == [10.0, 0.0, 0.0]
    assert found[1, 2, 1].tolist() == [3.0, 5.0, 0.0, 8.0, 10.0, 0.0]
    np.testing.assert_allclose(found[0, 0, 2], [-50, 0, 0, np.pi / 2, 0, 0], rtol=1e-5)
    own = branches(poses, layout="gaitgraph", connect_joint=range(17))[0]
    assert (own[..., 2, :2] == 0).all()


def test_concat_keeps_the_axis_of_branches(poses):
    three = branches(poses)
    concat = branches(poses, inputs="concat")
    assert concat.shape == (1, 5, 17, 1, 15)
    np.testing.assert_array_equal(concat[..., 0, :], three.reshape(1, 5, 17, 15))
    np.testing.assert_array_equal(branches(poses, inputs="plain")[..., 0, :], poses.astype("float32"))


@pytest.mark.parametrize("frames", [1, 2])
def test_one_or_two_frames_have_no_velocity(poses, frames):
    velocity = branches(poses[:, :frames])[..., 1, :]
    assert velocity.shape == (1, frames, 17, 5)
    assert (velocity[..., [0, 1, 2, 4]] == 0).all()
    np.testing.assert_allclose(velocity[..., 3], 0.9, rtol=1e-6)


def test_long_bones_have_an_angle(poses):
    """Where 1e-4 is lost in the rounding of the length, too."""
    straight = np.zeros_like(poses)
    straight[:, :, 1::2, 1] = 54321.7
    assert np.isfinite(branches(straight)).all()


def test_half_precision_keeps_parts_of_a_pixel(poses):
    poses = poses + 1000.1
    keras.config.set_dtype_policy("mixed_float16")
    try:
        inputs = keras.Input((None, 17, 3))
        model = keras.Model(inputs, PoseBranches()(inputs))
    finally:
        keras.config.set_dtype_policy("float32")
    found = ops.convert_to_numpy(model(poses.astype("float32")))
    assert model.outputs[0].shape == (None, None, 17, 3, 5)
    np.testing.assert_array_equal(found, branches(poses))


def test_the_layer_comes_back_from_its_configuration():
    layer = PoseBranches("oumvlp", "concat", "gaitgraph", connect_joint=[0] * 18, name="branches")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    assert again.compute_output_shape((4, None, 18, 3)) == (4, None, 18, 1, 18)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"joints": "kinect"}, "one of coco, oumvlp. Received: 'kinect'"),
        ({"inputs": "both"}, "one of branches, concat, plain. Received: 'both'"),
        ({"layout": "v3"}, "one of published, corrected, gaitgraph. Received: 'v3'"),
        ({"connect_joint": [0, 1]}, r"one joint for each of the 17 .* connect_joint=\[0, 1\]"),
        ({"joints": "oumvlp"}, r"\(batch, frames, 18, 3\): .* Received: shape \(1, 5, 17, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(poses, settings, message):
    with pytest.raises(ValueError, match=message):
        branches(poses, **settings)
