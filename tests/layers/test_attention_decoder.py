"""The decoder by its definition, fed with zeros, given frames and its own ones."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import AttentionDecoder

B, F, J, H = 2, 3, 5, 4
RNG = np.random.default_rng(0)
MEMORY = RNG.normal(size=(B, F, H)).astype("float32")
STATES = [tuple(RNG.normal(size=(2, B, H)).astype("float32")) for _ in range(2)]
FED = RNG.normal(size=(B, F, J)).astype("float32")

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def decoder():
    decoder = AttentionDecoder(J, H)
    decoder.build((None, F, H))
    for weight in decoder.trainable_weights:  # large enough that attention is not even
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    return decoder


def run(decoder, rows=slice(None), **options):
    states = [tuple(each[rows] for each in pair) for pair in STATES]
    return [ops.convert_to_numpy(each) for each in decoder(MEMORY[rows], states, **options)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell_by_hand(cell, x, h, c):
    kernel, recurrent, bias = (ops.convert_to_numpy(weight) for weight in cell.trainable_weights)
    i, f, candidate, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(c), c


def by_hand(decoder, fed):
    """Step by step; ``fed`` makes the cell's input of a step and the frame before."""
    keys = MEMORY @ ops.convert_to_numpy(decoder.memory_layer.kernel)
    (h0, c0), (h1, c1) = STATES
    attention, frame, frames, maps = np.zeros((B, H)), np.zeros((B, J)), [], []
    for t in range(F):
        h0, c0 = cell_by_hand(decoder.cells[0], np.concatenate([fed(t, frame), attention], 1), h0, c0)
        h1, c1 = cell_by_hand(decoder.cells[1], h0, h1, c1)
        weights = np.exp(np.einsum("bh,buh->bu", h1, keys))
        weights /= weights.sum(axis=1, keepdims=True)
        context = np.einsum("bu,buh->bh", weights, MEMORY)
        attention = np.concatenate([h1, context], 1) @ ops.convert_to_numpy(decoder.attention_layer.kernel)
        frame = attention @ ops.convert_to_numpy(decoder.frame.kernel) + ops.convert_to_numpy(
            decoder.frame.bias
        )
        frames.append(frame)
        maps.append(weights)
    return np.stack(frames, axis=1), np.stack(maps, axis=1)


@pytest.mark.parametrize(
    ("options", "fed"),
    [
        ({}, lambda t, frame: np.zeros_like(frame)),
        ({"inputs": FED}, lambda t, frame: FED[:, t]),
        ({"free": True}, lambda t, frame: frame),
    ],
    ids=["zeros", "teacher", "free"],
)
def test_each_way_of_feeding_is_the_definition(decoder, options, fed):
    for found, expected in zip(run(decoder, **options), by_hand(decoder, fed), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_attention_sums_to_one_and_is_even_over_a_memory_without_a_difference(decoder):
    _, weights = run(decoder)
    np.testing.assert_allclose(weights.sum(axis=-1), np.ones((B, F)), atol=1e-6)
    _, weights = decoder(np.ones_like(MEMORY), STATES)
    np.testing.assert_allclose(ops.convert_to_numpy(weights), np.full((B, F, F), 1 / F), atol=1e-6)


def test_a_sequence_is_decoded_alone_as_in_a_batch(decoder):
    for alone, together in zip(run(decoder, slice(1, 2)), run(decoder), strict=True):
        np.testing.assert_allclose(alone, together[1:], atol=1e-6)


def test_it_is_made_again_from_its_configuration(decoder):
    again = AttentionDecoder.from_config(decoder.get_config())
    assert (again.joints, again.units) == (J, H)
    outputs, weights = again.compute_output_shape((None, F, H))
    assert (outputs, weights) == ((None, F, J), (None, F, F))
    symbolic = again(keras.Input((F, H)), [tuple(keras.Input((H,)) for _ in "hc") for _ in range(2)])
    assert [each.shape for each in symbolic] == [(None, F, J), (None, F, F)]
