"""Decay towards where a parameter starts."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_gait.layers import DecayFromStart

pytestmark = pytest.mark.backend


def value(tensor):
    return float(ops.convert_to_numpy(tensor))


def test_decay_is_towards_the_start():
    v = np.array([[1.0, 3.0], [0.0, 2.0]], "float32")
    assert value(DecayFromStart(0.5)(ops.convert_to_tensor(v))) == 0.25 * 14
    assert value(DecayFromStart(0.5, [1, 2])(ops.convert_to_tensor(v))) == 0.25 * (0 + 1 + 1 + 0)
    slope = gradient(lambda x: DecayFromStart(0.5, [1, 2])(x), v)
    assert slope.tolist() == [[0.0, 0.5], [-0.5, 0.0]]


def test_decay_is_saved_with_its_layer():
    regulariser = keras.regularizers.deserialize(
        keras.regularizers.serialize(DecayFromStart(0.1, np.array([0.0, 1.0])))
    )
    assert (regulariser.l2, regulariser.start) == (0.1, [0.0, 1.0])


def test_a_negative_decay_is_refused():
    with pytest.raises(ValueError, match=r"0 or above\. Received: l2=-1"):
        DecayFromStart(-1)
