"""Batch normalisation: masked, unbiased, and in inference a fixed multiply-add."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_gait.layers import BatchNorm

pytestmark = pytest.mark.backend

MAPS = np.random.default_rng(0).normal(3, 2, (2, 3, 4, 5, 6)).astype("float32")


def plain():
    """A layer whose gamma is 1, so that its numbers are the normalised ones."""
    layer = BatchNorm()
    layer.build((None, 6))
    layer.gamma.assign(np.ones(6))
    return layer


def run(layer, *inputs, **options):
    return ops.convert_to_numpy(layer(*inputs, **options))


def test_training_takes_the_batch_to_mean_0_and_variance_1():
    done = run(plain(), MAPS, training=True)
    assert done.shape == MAPS.shape
    np.testing.assert_allclose(done.mean(axis=(0, 1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(done.var(axis=(0, 1, 2, 3)), 1, atol=1e-4)


def test_the_gradient_is_that_of_the_formula():
    weights = np.random.default_rng(1).normal(size=MAPS.shape).astype("float32")
    present = np.array([[1, 1, 1], [1, 0, 0]], "float32")
    there = present.astype(bool)
    weights[~there] = 0
    given = ops.convert_to_tensor(weights)

    def loss(x):
        return ops.sum(ops.square(plain()(x, present, training=True)) * given)

    x, w = (values[there].reshape(-1, 6).astype("float64") for values in (MAPS, weights))
    scale = 1 / np.sqrt(x.var(0) + 1e-5)
    normal = (x - x.mean(0)) * scale
    upstream = 2 * normal * w
    expected = scale * (upstream - upstream.mean(0) - normal * (upstream * normal).mean(0))
    found = gradient(loss, MAPS)
    np.testing.assert_allclose(found[there].reshape(-1, 6), expected, atol=1e-5)
    assert not found[~there].any()


def test_a_mean_that_dwarfs_the_spread_costs_no_digits():
    far = MAPS + np.float32(4096)
    close = (far - np.float32(4096)).reshape(-1, 6)
    expected = (close - close.mean(0)) / np.sqrt(close.var(0) + 1e-5)
    np.testing.assert_allclose(run(plain(), far, training=True).reshape(-1, 6), expected, atol=5e-3)


def test_the_running_variance_is_the_unbiased_one():
    layer = plain()
    run(layer, MAPS, training=True)
    values = MAPS.reshape(-1, 6)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_mean), 0.1 * values.mean(0), rtol=1e-5)
    expected = 0.9 + 0.1 * values.var(0, ddof=1)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_variance), expected, rtol=1e-5)


@pytest.mark.parametrize("folded", [False, True])
def test_absent_frames_count_nowhere(folded):
    padded = np.concatenate([MAPS, np.full((2, 2, 4, 5, 6), 1e3, "float32")], axis=1)
    present = np.array([[1, 1, 1, 0, 0]] * 2, "float32")
    expecting, masked = plain(), plain()
    expected = run(expecting, MAPS, training=True)
    clips = padded.reshape(-1, *padded.shape[2:]) if folded else padded
    done = run(masked, clips, present, training=True)
    assert done.shape == clips.shape
    np.testing.assert_allclose(done.reshape(padded.shape)[:, :3], expected, atol=1e-5)
    for a, b in zip(masked.weights, expecting.weights, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-5)


def test_feature_vectors_are_normalised_over_the_batch():
    vectors = MAPS.reshape(-1, 6)
    expected = (vectors - vectors.mean(0)) / np.sqrt(vectors.var(0) + 1e-5)
    np.testing.assert_allclose(run(plain(), vectors, training=True), expected, atol=1e-5)


def test_inference_uses_the_running_statistics_and_keeps_them():
    layer = plain()
    layer.moving_mean.assign(np.full(6, 2))
    layer.moving_variance.assign(np.full(6, 4))
    np.testing.assert_allclose(run(layer, MAPS), (MAPS - 2) / 2, atol=1e-5)
    assert ops.convert_to_numpy(layer.moving_mean).tolist() == [2] * 6


def test_a_frozen_layer_stays_in_inference():
    layer = plain()
    layer.trainable = False
    np.testing.assert_allclose(run(layer, MAPS, training=True), MAPS, rtol=1e-4)


def test_half_precision_keeps_statistics_in_float32():
    layer = BatchNorm(dtype="mixed_float16")
    done = layer((MAPS * 100 + 3e4).astype("float16"), training=True)
    assert keras.backend.standardize_dtype(done.dtype) == "float16"
    assert np.isfinite(ops.convert_to_numpy(done)).all()
    assert {keras.backend.standardize_dtype(w.dtype) for w in layer.weights} == {"float32"}


def test_settings_survive_the_config():
    layer = BatchNorm(epsilon=1e-3, momentum=0.5, synchronized=False)
    assert BatchNorm.from_config(layer.get_config()).get_config() == layer.get_config()
