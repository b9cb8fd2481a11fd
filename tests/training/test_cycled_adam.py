"""Adam and AdamW by their formulas, and the cycle of beta_1."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.training.cycled_adam import CycledAdam, make_cycled_adam

pytestmark = pytest.mark.backend

ADAM = {"name": "Adam", "learning_rate": 0.1, "weight_decay": 0.0}
CYCLE, CONSTANT = {"name": "onecycle"}, {"name": "constant"}


def after(optimizer, *gradients, start=1.0):
    variable = keras.Variable([start])
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor([gradient])], [variable])
    return float(ops.convert_to_numpy(variable.value)[0])


def test_the_first_update_is_as_long_as_the_rate():
    assert after(CycledAdam(0.1), 3.0) == pytest.approx(0.9)


def test_epsilon_is_added_to_the_corrected_root():
    # a gradient of epsilon: half the rate; Keras's Adam would give a thirtieth
    assert after(CycledAdam(0.1, epsilon=1e-8), 1e-8) == pytest.approx(0.95, abs=1e-4)


def test_two_updates_by_hand():
    mean, square = 0.5 * (0.5 * 1) + 0.5 * 3, 0.9 * 0.1 * 1 + 0.1 * 9
    second = 0.1 * (mean / 0.75) / np.sqrt(square / 0.19)
    assert after(CycledAdam(0.1, 0.5, 0.9), 1.0, 3.0) == pytest.approx(1 - 0.1 - second, rel=1e-5)


def test_decay_of_adamw_shrinks_the_weight_itself():
    assert after(CycledAdam(0.1, decay=0.5), 3.0, start=2.0) == pytest.approx(2 * (1 - 0.05) - 0.1)
    assert after(CycledAdam(0.1, decay=0.5), 0.0, start=2.0) == pytest.approx(1.9)


def test_decay_of_adam_is_part_of_the_gradient():
    assert after(CycledAdam(0.1, decay=0.5, decoupled=False), -1.0, start=2.0) == pytest.approx(2.0)


def in_force(optimizer, *steps):
    found = []
    for step in steps:
        optimizer.iterations.assign(step)
        values = optimizer.learning_rate, optimizer.beta_1(optimizer.iterations)
        found.append(tuple(float(ops.convert_to_numpy(value)) for value in values))
    return found


def test_rate_and_beta_cycle_against_each_other():
    optimizer = make_cycled_adam(ADAM, CYCLE, total_steps=20)
    first, top, last = in_force(optimizer, 0, 5, 19)
    assert first == pytest.approx((0.1 / 25, 0.95))
    assert top == pytest.approx((0.1, 0.85))
    assert last == pytest.approx((0.1 / 25e4, 0.95))


def test_aside_of_the_cycle_both_stay_or_the_rate_goes_to_its_target_epoch_by_epoch():
    aside = {"update": 10, "target": None, "epochs": 2, "steps_per_epoch": 3}
    left = in_force(make_cycled_adam(ADAM, CYCLE, 20), 10)[0]
    kept = in_force(make_cycled_adam(ADAM, CYCLE, 20, aside), 9, 10, 13, 19)
    assert kept[0] == pytest.approx(in_force(make_cycled_adam(ADAM, CYCLE, 20), 9)[0])
    assert kept[1:] == [pytest.approx(left)] * 3
    to_half = in_force(make_cycled_adam(ADAM, CYCLE, 20, aside | {"target": 0.5}), 12, 13, 16, 19)
    assert [rate for rate, _ in to_half] == pytest.approx([left[0], (left[0] + 0.5) / 2, 0.5, 0.5])


def test_a_run_of_one_update_has_a_rate():
    assert in_force(make_cycled_adam(ADAM, CYCLE, 1), 0)[0] == pytest.approx((0.1 / 25e4, 0.95))


def test_it_comes_back_from_its_configuration():
    aside = {"update": 10, "target": 0.2, "epochs": 2, "steps_per_epoch": 3}
    for schedule in (CYCLE, CONSTANT):
        optimizer = make_cycled_adam(ADAM, schedule, 20, aside)
        again = CycledAdam.from_config(optimizer.get_config())
        assert in_force(again, 5, 12, 19) == in_force(optimizer, 5, 12, 19)


@pytest.mark.parametrize(
    ("settings", "schedule", "message"),
    [
        (ADAM | {"name": "SGD"}, CYCLE, "unknown optimizer 'SGD'. Known: AdamW, Adam"),
        (ADAM, {"name": "cosine"}, "unknown schedule 'cosine'. Known: onecycle, constant"),
    ],
)
def test_unknown_names_are_refused(settings, schedule, message):
    with pytest.raises(GaitError, match=message):
        make_cycled_adam(settings, schedule, 20)
