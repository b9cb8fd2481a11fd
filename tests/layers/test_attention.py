"""Attention over patches and parts: one learnt weight a cell, then LayerNorm over channels."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PartAttention, PatchAttention

pytestmark = pytest.mark.backend


def built(layer, shape, **weights):
    layer.build(shape)
    for name, value in weights.items():
        getattr(layer, name).assign(np.asarray(value, "float32"))
    return layer


def layer_norm(x, epsilon=1e-6):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt(x.var(-1, keepdims=True) + epsilon)


def numpy(tensor):
    return np.array(ops.convert_to_numpy(tensor))


def test_patches_run_row_by_row_and_are_cut_at_the_border():
    layer = built(PatchAttention(2), (1, 3, 3, 1), attention=[1, 2, 3, 4])
    assert numpy(layer.attention_map(3, 3)).tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 4]]


def test_a_patch_may_be_a_rectangle():
    layer = built(PatchAttention((1, 2)), (1, 2, 4, 1), attention=[1, 2, 3, 4])
    assert numpy(layer.attention_map(2, 4)).tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]


@pytest.mark.parametrize("shape", [(2, 3, 3, 5), (2, 4, 3, 3, 5)])
def test_the_output_is_the_layer_norm_of_the_weighted_map(shape):
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1e-2, shape).astype("float32")  # so small that epsilon counts
    weights = [0.1, -1.0, 0.0, 2.0]
    layer = built(PatchAttention(2), shape, attention=weights, gamma=[2.0] * 5, beta=[1.0] * 5)
    weighted = x * np.array([[0.1, 0.1, -1], [0.1, 0.1, -1], [0, 0, 2]], "float32")[..., None]
    np.testing.assert_allclose(numpy(layer(x)), 2 * layer_norm(weighted) + 1, atol=1e-5)


def test_every_softmax_weight_is_the_same_share_at_the_start():
    layer = built(PatchAttention(1, softmax=True), (1, 5, 4, 1))
    np.testing.assert_allclose(numpy(layer.attention_weights()), np.full(20, 1 / 20), rtol=1e-6)


def test_softmax_divides_by_the_root_of_the_number_of_cells():
    layer = built(PartAttention(softmax=True), (1, 4, 1), attention=[0, 0, 0, 2 * np.log(3)])
    np.testing.assert_allclose(numpy(layer.attention_weights()), [1 / 6, 1 / 6, 1 / 6, 1 / 2], rtol=1e-6)


def test_a_negative_weight_turns_the_sign():
    x = np.random.default_rng(0).normal(size=(1, 2, 3)).astype("float32")
    y = numpy(built(PartAttention(), x.shape, attention=[1, -1])(x))
    expected = layer_norm(x)
    expected[:, 1] *= -1
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_dropout_takes_cells_away_and_strengthens_the_others_in_training_only():
    layer = built(PatchAttention(1, dropout_rate=0.75), (1, 30, 30, 1))
    assert set(numpy(layer.attention_weights()).tolist()) == {1.0}
    weights = numpy(layer.attention_weights(training=True))
    assert set(weights.tolist()) == {0.0, 4.0}
    assert 0.7 < np.mean(weights == 0) < 0.8  # 3.5 standard deviations


def test_a_dropped_cell_becomes_beta_and_all_samples_share_the_mask():
    layer = built(PartAttention(dropout_rate=0.5), (2, 40, 3), beta=[7.0, 7.0, 7.0])
    x = np.random.default_rng(0).normal(size=(1, 40, 3)).astype("float32").repeat(2, axis=0)
    y = numpy(layer(x, training=True))
    dropped = (y == 7).all(-1)
    assert 0 < dropped[0].sum() < 40
    np.testing.assert_array_equal(y[0], y[1])


def test_every_training_step_drops_others():
    layer = built(PartAttention(dropout_rate=0.5), (1, 40, 3))
    first, second = (numpy(layer.attention_weights(training=True)) for _ in range(2))
    assert (first != second).any()


def test_under_half_precision_the_weights_stay_exact():
    layer = built(PatchAttention(1, softmax=True, dtype="mixed_bfloat16"), (1, 22, 22, 3))
    x = np.random.default_rng(0).normal(size=(1, 22, 22, 3)).astype("float32")
    assert {w.dtype for w in layer.weights} == {"float32"}
    y = layer(x)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    # inputs come rounded to 8 bits: what a weight of 1/484 squared must not do is vanish
    exact = layer_norm(x / 484)
    np.testing.assert_allclose(numpy(ops.cast(y, "float32")), exact, atol=0.05)


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="fixed height and width"):
        PatchAttention().build((None, None, 64, 3))


@pytest.mark.parametrize("layer", [PatchAttention((2, 3)), PartAttention()])
def test_settings_survive_the_config(layer):
    layer = type(layer)(softmax=True, dropout_rate=0.1, kernel_regularizer="l2")
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.softmax, again.dropout_rate) == (True, 0.1)
    assert isinstance(again.kernel_regularizer, keras.regularizers.L2)


def test_only_the_attention_is_regularised():
    layer = built(PartAttention(kernel_regularizer=keras.regularizers.L2(0.5)), (1, 4, 9))
    assert float(numpy(sum(layer.losses))) == 0.5 * 4  # four weights of one; nothing of gamma's nine
