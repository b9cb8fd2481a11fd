"""Clipped Adam: its first update by hand, and two devices that clip what they found together."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.training.clipped_adam import ClippedAdam
from keras_gait.training.devices import distribute

pytestmark = pytest.mark.backend


def updated(optimizer, *gradients):
    variable = keras.Variable(np.zeros(3, "float32"))
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor(np.array(gradient, "float32"))], [variable])
    return ops.convert_to_numpy(variable)


def test_each_element_is_clipped_by_itself():
    # in Adam a first update is as long as the rate, whatever the gradient; then 5 and 1 are averaged
    found = updated(ClippedAdam(0.1, clip=5.0, epsilon=1e-8), [50.0, -5.0, 1.0], [1.0, -1.0, 1.0])
    mean = (0.9 * 0.1 * 5 + 0.1 * 1) / (1 - 0.9**2)
    square = (0.999 * 0.001 * 25 + 0.001 * 1) / (1 - 0.999**2)
    second = 0.1 * mean / np.sqrt(square)
    assert found == pytest.approx([-0.1 - second, 0.1 + second, -0.2], rel=1e-3)


def test_epsilon_is_beside_the_root_that_is_not_corrected():
    small = 1e-8 / np.sqrt(0.001)  # the root of v, sqrt(0.001) g, is then as large as epsilon
    assert updated(ClippedAdam(0.1), [small, 0.0, 0.0])[0] == pytest.approx(-0.05, rel=1e-3)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only replicas clip for themselves")
@pytest.mark.parametrize("devices", [0, 2])
def test_the_sum_over_devices_is_clipped(devices):
    class Sum(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred[:, 0]

    with distribute(devices):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
        model.compile(ClippedAdam(0.1, clip=5.0), Sum(reduction="sum"))
    # samples of 20 and -18: together 2, not 5 - 5
    for x in ([[20.0], [-18.0]], [[1.0], [1.0]]):
        model.fit(np.array(x, "float32"), np.zeros(2), batch_size=2, verbose=0)
    assert ops.convert_to_numpy(model.weights[0]) == pytest.approx(0.8, rel=1e-4)


def test_a_clip_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"clip must be above 0\. Received: clip=0"):
        ClippedAdam(clip=0)
    again = ClippedAdam.from_config(ClippedAdam(0.3, clip=2.0).get_config())
    assert (again.clip, again.epsilon, float(ops.convert_to_numpy(again.learning_rate))) == (
        2.0,
        1e-8,
        pytest.approx(0.3),
    )
