"""Micro-motion blocks: all parts at once are each part by itself; attention weighs what moves.

The published numbers are met on each backend by the fixtures `mcm_*`.
"""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_gait.layers import PartsConvolution, TemporalMaxPooling, micro_motion

RAMP = np.array([1.0, 2, 3, 100], "float32").reshape(1, 4, 1, 1)  # (batch, frames, parts, channels)


def blocks(parts, channels, hidden=2, **options):
    x, present = keras.Input((None, parts, channels)), keras.Input((None,))
    return keras.Model([x, present], micro_motion(x, present, hidden, "moved", **options))


def run(model, x, present=None):
    present = np.ones(x.shape[:2], "float32") if present is None else present
    return model.predict_on_batch([x, present])  # in one piece: JAX compiles it operation by operation else


def test_all_parts_at_once_are_each_part_by_itself():
    x = np.random.default_rng(0).normal(size=(2, 5, 3, 4)).astype("float32")
    together, alone = blocks(3, 4, use_bias=True), blocks(1, 4, use_bias=True)
    found = run(together, x)
    for part in range(3):
        for one, weights in zip(alone.weights, together.weights, strict=True):
            one.assign(weights[part : part + 1])
        np.testing.assert_allclose(found[:, :, part], run(alone, x[:, :, [part]])[:, :, 0], atol=1e-5)


def test_without_scores_half_of_both_windows_is_left():
    model = blocks(1, 1)
    for weights in model.weights:
        weights.assign(np.zeros(weights.shape))
    threes = [3 / 3 + 2, 6 / 3 + 3, 105 / 3 + 100, 103 / 3 + 100]  # mean and maximum of three frames around
    fives = [6 / 5 + 3, 106 / 5 + 100, 106 / 5 + 100, 105 / 5 + 100]
    half = [(three + five) / 2 for three, five in zip(threes, fives, strict=True)]
    assert run(model, RAMP).ravel().tolist() == pytest.approx(half)


def test_the_first_block_scores_three_frames_the_second_five():
    model = blocks(1, 1, hidden=1)
    for layer in model.layers:
        if isinstance(layer, PartsConvolution):
            layer.kernel.assign(np.ones(layer.kernel.shape))
    scores = keras.Model(model.input, [model.get_layer(f"moved-conv_list_{i}-2").output for i in (1, 2)])
    last = np.array([0, 0, 0, 0, 1], "float32").reshape(1, 5, 1, 1)
    first, second = run(scores, last)
    assert first.ravel().tolist() == [0, 0, 0, 1, 1]
    assert second.ravel().tolist() == [0, 0, 1, 2, 2]


@pytest.mark.backend
def test_a_bias_does_not_come_back_from_absent_frames():
    x = np.random.default_rng(0).normal(size=(1, 3, 2, 4)).astype("float32")
    model = blocks(2, 4, use_bias=True)
    filled = np.concatenate([x, np.full((1, 2, 2, 4), 9, "float32")], axis=1)
    present = np.array([[1, 1, 1, 0, 0]], "float32")
    np.testing.assert_allclose(run(model, filled, present)[:, :3], run(model, x), atol=1e-6)


@pytest.mark.backend
def test_a_compiled_gradient_of_the_maximum_over_time_is_whole():
    """On JAX a plain maximum of these very numbers loses some: what it compares is computed twice."""
    rng = np.random.default_rng(0)
    x, weights = (rng.normal(size=shape).astype("float32") for shape in [(2, 4, 3, 8), (2, 3, 8)])
    keras.utils.set_random_seed(0)
    model, everywhere = blocks(3, 8, hidden=4, use_bias=True), ops.ones((2, 4))
    moved = run(model, x)
    highest = weights[:, None] * (moved == moved.max(axis=1, keepdims=True))

    def of_maxima(x):
        pooled = TemporalMaxPooling()(model([x, everywhere]), everywhere)
        return ops.sum(ops.convert_to_tensor(weights) * pooled)

    def of_their_places(x):
        return ops.sum(ops.convert_to_tensor(highest) * model([x, everywhere]))

    np.testing.assert_allclose(gradient(of_maxima, x), gradient(of_their_places, x), atol=1e-5)


def test_convolutions_bear_the_names_of_the_checkpoint():
    model = blocks(1, 2, branches=("a", "b"), suffix="-conv")
    found = [layer.name for layer in model.layers if isinstance(layer, PartsConvolution)]
    assert sorted(found) == [f"moved-{branch}-{i}-conv" for branch in "ab" for i in (0, 2)]
