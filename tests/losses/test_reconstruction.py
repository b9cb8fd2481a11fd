"""Reconstruction and locality of attention by hand."""

import math

import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_gait.losses import HalfSquaredError, Locality, locality_mask

pytestmark = pytest.mark.backend


def value(tensor):
    return float(ops.convert_to_numpy(tensor))


def test_errors_are_squared_and_summed_over_the_batch():
    errors = np.array([[[1.0, -2.0], [0.0, 3.0]], [[0.0, 0.0], [4.0, 0.0]]], "float32")
    assert value(HalfSquaredError()(np.zeros(2), errors)) == 0.5 * (1 + 4 + 9 + 16)
    assert ops.convert_to_numpy(HalfSquaredError().call(None, errors)).tolist() == [7.0, 8.0]
    assert gradient(lambda x: HalfSquaredError()(ops.zeros(2), x), errors).tolist() == errors.tolist()


def test_half_precision_errors_are_summed_in_float32():
    errors = ops.cast(np.full((1, 40, 20), 16.0), "bfloat16")  # the sum is above what float16 holds
    found = HalfSquaredError().call(None, errors)
    assert "float32" in str(found.dtype)
    assert value(found[0]) == 0.5 * 800 * 256


@pytest.mark.parametrize(
    ("direction", "decoded"), [("reverse", [4, 3, 2, 1, 0]), ("forward", [0, 1, 2, 3, 4])]
)
def test_the_mask_is_highest_where_the_decoded_frame_is(direction, decoded):
    mask = locality_mask(5, direction)
    assert mask.argmax(axis=1).tolist() == decoded
    assert mask[0, decoded[0]] == 1
    # one frame aside, of five: the deviation is 2.5 frames, odd lengths are not rounded
    assert mask[0, decoded[1]] == pytest.approx(math.exp(-1 / (2 * 2.5**2)))


def test_attention_pays_for_what_the_mask_leaves_out():
    there, away = np.eye(2)[::-1], np.eye(2)
    attention = np.array([there, away], "float32")
    far = 1 - math.exp(-1 / 2)  # one frame aside, the deviation being one frame
    assert value(Locality()(np.zeros(2), attention)) == pytest.approx(2 * far**2 / 2)
    assert ops.convert_to_numpy(Locality().call(None, attention)) == pytest.approx([0, far**2])
    assert ops.convert_to_numpy(Locality("forward").call(None, attention)) == pytest.approx([far**2, 0])
    slope = gradient(lambda x: Locality()(ops.zeros(2), x), attention)
    assert slope == pytest.approx(np.array([0 * away, far**2 * away]))


def test_an_unknown_direction_is_refused_by_name():
    for call in (Locality, lambda word: locality_mask(4, word)):
        with pytest.raises(ValueError, match=r"one of reverse, forward\. Received: direction='back'"):
            call("back")
    again = Locality.from_config(Locality("forward").get_config())
    assert (again.direction, again.reduction) == ("forward", "sum")
