"""SGD and Adam whose weight decay is part of the gradient: the formulas, by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.training.coupled_decay import CoupledAdam, CoupledSGD, make_coupled_optimizer
from keras_gait.training.schedules import MultiStep

pytestmark = pytest.mark.backend

SGD = {"name": "SGD", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-4}
STEPS = {"name": "multistep", "milestones": [1], "gamma": 0.1}


def descend(optimizer, gradients, start=2.0):
    variable = keras.Variable([start])
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor([gradient])], [variable])
    return float(ops.convert_to_numpy(variable.value)[0])


def test_the_rate_multiplies_the_velocity_that_has_gathered():
    # v1 = 1 + 0.5 * 2 = 2, w1 = 2 - 0.1 * 2; then the rate falls: v2 = 0.9 * 2 + 3 + 0.5 * 1.8
    optimizer = CoupledSGD(MultiStep(0.1, [1]), momentum=0.9, decay=0.5)
    assert descend(optimizer, [1.0, 3.0]) == pytest.approx(1.8 - 0.01 * (1.8 + 3 + 0.9), rel=1e-6)


def test_adam_sees_the_decay_as_a_gradient():
    # without a gradient, the first step of Adam is the rate along the weight's sign
    assert descend(CoupledAdam(0.01, decay=0.5), [0.0]) == pytest.approx(1.99, rel=1e-6)
    assert descend(CoupledAdam(0.01), [0.0]) == 2.0


@pytest.mark.parametrize("optimizer", [CoupledSGD(0.3, 0.8, 0.1), CoupledAdam(0.3, 0.1)])
def test_optimizers_come_back_from_their_configuration(optimizer):
    again = type(optimizer).from_config(optimizer.get_config())
    assert descend(again, [1.0, 2.0]) == pytest.approx(descend(optimizer, [1.0, 2.0]))


def test_a_recipe_makes_its_optimizer():
    optimizer = make_coupled_optimizer(SGD, STEPS)
    assert (optimizer.momentum, optimizer.decay) == (0.9, 5e-4)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    assert isinstance(make_coupled_optimizer(SGD | {"name": "Adam"}, STEPS), CoupledAdam)


@pytest.mark.parametrize(
    ("settings", "schedule", "message"),
    [
        (SGD | {"name": "LAMB"}, STEPS, "unknown optimizer 'LAMB'. Known: SGD, Adam"),
        (SGD, STEPS | {"name": "cosine"}, "unknown schedule 'cosine'. Known: multistep"),
        (SGD, STEPS | {"milestones": [1, "2k"]}, "milestones must be numbers of updates"),
    ],
)
def test_what_is_unknown_is_refused(settings, schedule, message):
    with pytest.raises(GaitError, match=message):
        make_coupled_optimizer(settings, schedule)


def test_decay_and_update_leave_nothing_out():
    weights = np.linspace(-1, 1, 6, dtype=np.float32)
    variable = keras.Variable(weights)
    optimizer = CoupledSGD(1.0, momentum=0.0, decay=0.1)
    optimizer.build([variable])
    optimizer.apply([ops.zeros(6)], [variable])
    np.testing.assert_allclose(ops.convert_to_numpy(variable.value), 0.9 * weights, rtol=1e-6)
