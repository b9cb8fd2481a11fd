"""Two devices that share batches train an axis of SGE as one device does."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.models.skeleton_axis import SGEAxis
from keras_gait.training.devices import distribute
from keras_gait.training.sge_encoder import compile_axis

pytestmark = [
    pytest.mark.backend,
    pytest.mark.skipif(keras.backend.backend() == "torch", reason="one device only on PyTorch"),
]

SETTINGS = {
    "losses": {"temperature": 0.1, "pairs": "recordings"},
    "optimizer": {"learning_rate": 0.01, "clip": 5.0},
}


def trained(devices):
    """Weights, the optimizer's variables and the logged losses after two batches of four."""
    rng = np.random.default_rng(0)
    skeletons = rng.normal(0, 5, (8, 4, 3)).astype("float32")
    recordings = np.array([0, 0, 0, 1, 2, 2, 2, 2])  # in the middle of the first batch, devices divide one
    keras.utils.set_random_seed(0)
    with distribute(devices):
        model = SGEAxis(4, joints=3, units=4)
        compile_axis(SETTINGS, model)
        x, y = {"skeletons": skeletons, "targets": skeletons}, dict.fromkeys(model.output, recordings)
        history = model.fit(x, y, batch_size=4, shuffle=False, verbose=0).history
        variables = [ops.convert_to_numpy(v) for v in (*model.weights, *model.optimizer.variables)]
    return variables, [history["loss"][0], history["errors_last"][0]]


def test_two_devices_learn_what_one_learns(request):
    two, logs_of_two = trained(2)
    request.getfixturevalue("step_by_step")  # the two devices ran as users run them
    one, logs_of_one = trained(0)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-4)
    assert logs_of_two == pytest.approx(logs_of_one, rel=1e-4)
    # Adam's means, unlike its updates, show a gradient that is too large; some of them were clipped
    assert max(np.abs(v).max() for v in one[-40:] if v.ndim) == pytest.approx(5 * (1 - 0.9**2), rel=1e-4)
