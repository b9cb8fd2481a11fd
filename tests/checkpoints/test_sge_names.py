"""Published weights of one axis by name, in and out."""

import numpy as np
import pytest
from keras import ops

from keras_gait.checkpoints.sge_names import DECODER, UNUSED, load_axis, published_state
from keras_gait.errors import GaitError
from keras_gait.layers import SkeletonEncoder

F, J, H = 4, 5, 3
BIAS = "rnn/multi_rnn_cell/cell_0/lstm_cell/bias"


def encoder(**options):
    made = SkeletonEncoder(J, H, **options)
    made.build((None, F, J))
    return made


@pytest.fixture
def state():
    """All that a checkpoint of one axis holds."""
    rng = np.random.default_rng(0)
    state = {
        name: rng.normal(size=a.shape).astype("float32") for name, a in published_state(encoder()).items()
    }
    slots = {f"{name}/{slot}": value for name, value in state.items() for slot in ("Adam", "Adam_1")}
    copies = dict(zip(UNUSED, (np.zeros((J + H, 4 * H)), np.zeros(4 * H)), strict=True))
    rates = {name: np.float32(0.1) for name in ("learning_rate", "optimization/beta1_power")}
    return state | slots | copies | rates


@pytest.mark.backend
def test_all_names_come_in_and_go_out_again(state):
    loaded = encoder()
    load_axis(loaded, state)
    found = published_state(loaded)
    assert len(found) == 16
    assert found[f"{DECODER}/multi_rnn_cell/cell_0/lstm_cell/kernel"].shape == (J + 2 * H, 4 * H)
    for name, value in found.items():
        np.testing.assert_allclose(value, state[name], atol=1e-6)


def test_gates_are_put_into_our_order_and_forget_gates_get_their_one(state):
    state[BIAS] = np.repeat(np.float32([1, 2, 3, 4]), H)  # i, j, f, o
    loaded = encoder()
    load_axis(loaded, state)
    bias = ops.convert_to_numpy(loaded.layers[0].cell.bias)
    np.testing.assert_array_equal(bias, np.repeat([1, 3 + 1, 2, 4], H))
    kernel = ops.convert_to_numpy(loaded.layers[0].cell.recurrent_kernel)
    published = state["rnn/multi_rnn_cell/cell_0/lstm_cell/kernel"][J:]
    np.testing.assert_array_equal(kernel[:, H : 2 * H], published[:, 2 * H : 3 * H])


def test_gradients_bear_the_published_names_without_a_shift():
    made = encoder()
    ones = {v.path: np.ones(v.shape) for v in made.trainable_variables}
    assert all((value == 1).all() for value in published_state(made, ones).values())


def test_an_encoder_without_a_head_needs_no_weights_of_one(state):
    for name in ("W1", "b1", "W", "Variable"):
        del state[name]
    load_axis(encoder(contrast="none"), state)
    with pytest.raises(GaitError, match="lack 4 arrays, the first is W1; give the checkpoint"):
        load_axis(encoder(), state)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(5), rf"{BIAS} are \(5,\), the encoder takes \(12,\); make it for the joints"),
        (np.full(4 * H, np.nan), f"{BIAS} are no finite real numbers; save the checkpoint again"),
        (np.full(4 * H, "a"), f"{BIAS} are no finite real numbers"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_any_is_loaded(state, value, message):
    loaded = encoder()
    before = published_state(loaded)
    with pytest.raises(GaitError, match=message):
        load_axis(loaded, state | {BIAS: value})
    for name, array in published_state(loaded).items():
        np.testing.assert_array_equal(array, before[name])
