"""The regression loss, on vectors whose cosines one sees."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_gait.losses import StripCosine

pytestmark = pytest.mark.backend


def tensor(values):
    return ops.convert_to_tensor(np.asarray(values, "float32"))


def values(axis, prediction, target):
    found = StripCosine(axis).per_vector(tensor(prediction), tensor(target))
    return ops.convert_to_numpy(found)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [([3.0, 4.0], 0.0), ([6.0, 8.0], 0.0), ([-3.0, -4.0], 2.0), ([4.0, -3.0], 1.0), ([5.0, 0.0], 0.4)],
)
def test_the_value_is_one_minus_the_cosine_whatever_the_lengths(prediction, expected):
    found = values("features", [[prediction]], [[[3.0, 4.0]]])
    np.testing.assert_allclose(found, [[expected]], atol=1e-6)


def test_a_vector_runs_along_strips_or_along_features():
    prediction = [[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]]  # three strips of two features
    target = [[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]
    np.testing.assert_allclose(values("strips", prediction, target), [[1 - 0.5**0.5, 0]], atol=1e-6)
    np.testing.assert_allclose(values("features", prediction, target), [[0, 0, 1]], atol=1e-6)


def test_the_loss_is_the_mean_of_all_vectors():
    target = [[[1.0, 0.0]], [[0.0, 2.0]]]
    prediction = [[[1.0, 0.0]], [[0.0, -1.0]]]
    assert float(StripCosine("features")(tensor(target), tensor(prediction))) == pytest.approx(1.0)


@pytest.mark.parametrize("empty", ["prediction", "target"])
def test_a_vector_of_length_0_has_the_cosine_0_and_a_finite_gradient(empty):
    vectors = {"prediction": np.ones((1, 3, 2), "float32"), "target": np.ones((1, 3, 2), "float32")}
    vectors[empty][:, :, 1] = 0
    found = values("strips", vectors["prediction"], vectors["target"])
    np.testing.assert_allclose(found, [[0, 1]], atol=1e-6)
    target, loss = tensor(vectors["target"]), StripCosine()
    assert np.isfinite(gradient(lambda x: loss(target, x), vectors["prediction"])).all()


def test_the_gradient_turns_the_prediction_towards_the_target():
    target, loss = tensor([[[0.0, 1.0]]]), StripCosine("features")
    slope = gradient(lambda x: loss(target, x), np.array([[[2.0, 0.0]]], "float32"))
    np.testing.assert_allclose(slope, [[[0.0, -0.5]]], atol=1e-6)  # across, by 1 / length


def test_the_loss_comes_back_from_its_configuration():
    loss = keras.losses.deserialize(keras.losses.serialize(StripCosine("features")))
    assert (type(loss), loss.axis) == (StripCosine, "features")


def test_an_unknown_axis_is_refused():
    with pytest.raises(ValueError, match=r"axis must be 'strips' or 'features'. Received: axis='time'"):
        StripCosine("time")
