"""Heads of projections: one head for all parts, statistics over samples and parts, PyTorch's start."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import mlp_head

pytestmark = pytest.mark.backend

X = np.random.default_rng(0).normal(3, 2, (4, 5, 6)).astype("float32")


def head(hidden=3, size=2):
    parts = keras.Input(X.shape[1:])
    return keras.Model(parts, mlp_head(parts, hidden, size, "projection"))


def test_all_parts_share_one_head():
    found = ops.convert_to_numpy(head()(X))
    assert found.shape == (4, 5, 2)
    model = head()
    one, other = (ops.convert_to_numpy(model(x)) for x in (X, X[:, [2, 0, 1, 4, 3]]))
    np.testing.assert_allclose(one[:, [2, 0, 1, 4, 3]], other, atol=1e-6)


def test_training_normalises_over_samples_and_parts_together():
    model = head()
    hidden = keras.Model(model.input, model.get_layer("projection-net-1").output)
    found = ops.convert_to_numpy(hidden(X, training=True))
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(0, 1)), 1, atol=1e-4)
    assert np.abs(found.mean(axis=0)).max() > 0.1  # not part by part


def test_it_starts_within_one_over_the_root_of_the_channels():
    model = head(hidden=50, size=40)
    for index, channels in ((0, 6), (3, 50)):
        for weights in model.get_layer(f"projection-net-{index}").get_weights():
            assert 0.8 < np.abs(weights).max() * channels**0.5 <= 1
    norm = model.get_layer("projection-net-1")
    assert set(ops.convert_to_numpy(norm.gamma)) == {1.0}
    assert set(ops.convert_to_numpy(norm.beta)) == {0.0}
