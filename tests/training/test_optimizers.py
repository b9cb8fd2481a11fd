"""The optimizers by their published names."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.training.optimizers import OPTIMIZERS, AdaBelief, FadingAdamW, make_optimizer

pytestmark = pytest.mark.backend

CONSTANT = {"name": "constant", "warmup_epochs": 20}
COSINE = {"name": "cosine", "warmup_epochs": 2}


def make(name, schedule=CONSTANT, rate=0.1, decay=0.0):
    return make_optimizer(name, rate, decay, schedule, epochs=10, steps_per_epoch=10)


def steps(optimizer, gradients, start=1.0):
    """One weight after each of the steps."""
    variable = keras.Variable(np.array([start], "float32"))
    optimizer.build([variable])
    found = []
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor(np.array([gradient], "float32"))])
        found.append(float(ops.convert_to_numpy(variable.value)[0]))
    return found


def rate_at(optimizer, step):
    optimizer.build([keras.Variable(np.ones(1, "float32"))])
    optimizer.iterations.assign(step)
    return float(ops.convert_to_numpy(optimizer.learning_rate))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_walks_against_the_gradient(name):
    path = steps(make(name), [2.0] * 20)
    assert path[-1] < 0.99
    assert np.isfinite(path).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_follows_the_cosine_schedule(name):
    assert rate_at(make(name, COSINE), 0) == 0.0
    assert rate_at(make(name, COSINE), 10) == pytest.approx(0.05)  # half of the warm-up
    assert rate_at(make(name, COSINE), 60) == pytest.approx(0.05)  # half of the decay


@pytest.mark.parametrize("name", ["Adam", "SGD", "AMSGrad", "LAMB"])
def test_without_a_schedule_the_rate_stays(name):
    assert rate_at(make(name), 99) == pytest.approx(0.1)


def test_adamw_and_adabelief_decay_by_themselves():
    assert rate_at(make("AdamW"), 50) == pytest.approx((0.1 + 1e-5) / 2)
    assert rate_at(make("AdamW"), 100) == pytest.approx(1e-5)
    assert rate_at(make("AdaBelief"), 5) == pytest.approx(0.05)  # warm-up of a tenth
    assert rate_at(make("AdaBelief"), 10) == pytest.approx(0.1)
    assert rate_at(make("AdaBelief"), 101) == pytest.approx(1e-5)


def test_a_rate_below_the_least_stays_as_it_is():
    for name in ("AdamW", "AdaBelief"):
        assert rate_at(make(name, rate=1e-6), 100) == pytest.approx(1e-6)


@pytest.mark.parametrize(("step", "share"), [(0, 1.0), (50, 0.55), (100, 0.1)])
def test_the_weight_decay_of_adamw_falls_to_a_tenth(step, share):
    rate = rate_at(make("AdamW"), step)
    variable = keras.Variable(np.array([1.0], "float32"))
    optimizer = make("AdamW", decay=0.5)
    optimizer.build([variable])
    optimizer.iterations.assign(step)
    optimizer.apply([ops.convert_to_tensor(np.zeros(1, "float32"))])
    lost = 1 - float(ops.convert_to_numpy(variable.value)[0])
    assert lost == pytest.approx(rate * 0.5 * share, rel=1e-2, abs=1e-7)


def test_adamw_is_that_of_keras_at_its_first_step():
    found = steps(make("AdamW", decay=0.5), [2.0])
    assert found == pytest.approx(steps(keras.optimizers.AdamW(0.1, weight_decay=0.5), [2.0]), rel=1e-6)


def test_adamw_survives_its_config():
    config = make("AdamW", decay=0.5).get_config()
    again = FadingAdamW.from_config(config)
    assert again.get_config() == config
    assert again.decay.get_config()["least"] == 0.05


@pytest.mark.parametrize("name", ["AdamW", "LAMB"])
def test_weights_decay_without_a_gradient_in_the_optimizers_that_do_so(name):
    assert steps(make(name, decay=0.5), [0.0])[0] < 1.0
    assert steps(make("Adam", decay=0.5), [0.0]) == [1.0]


def test_sgd_has_momentum():
    assert steps(make("SGD"), [1.0, 0.0]) == pytest.approx([0.9, 0.81])  # the second step is 0.9 of the first


def test_adam_takes_steps_of_the_rate():
    assert steps(make("Adam"), [5.0, 5.0]) == pytest.approx([0.9, 0.8], abs=1e-5)


def test_adabelief_starts_with_the_mean_alone():
    assert steps(AdaBelief(0.1), [2.0, 2.0]) == pytest.approx([0.8, 0.6], abs=1e-5)


def test_adabelief_is_what_its_formula_says():
    gradients = np.random.default_rng(0).normal(1, 0.1, 30)
    b1, b2, epsilon, rate = 0.9, 0.999, 1e-7, 0.01
    mean = belief = 0.0
    weight, expected = 1.0, []
    limit = 2 / (1 - b2) - 1
    for t, g in enumerate(gradients, 1):
        mean = b1 * mean + (1 - b1) * g
        belief = b2 * belief + (1 - b2) * (g - mean) ** 2 + epsilon
        corrected = mean / (1 - b1**t)
        length = limit - 2 * t * b2**t / (1 - b2**t)
        if length >= 5:
            ratio = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            corrected *= ratio**0.5 / ((belief / (1 - b2**t)) ** 0.5 + epsilon)
        weight -= rate * corrected
        expected.append(weight)
    np.testing.assert_allclose(steps(AdaBelief(rate), gradients), expected, rtol=1e-4)


def test_adabelief_survives_its_config():
    again = AdaBelief.from_config(AdaBelief(0.1, 0.8, 0.9, 1e-3).get_config())
    assert (again.beta_1, again.beta_2, again.epsilon) == (0.8, 0.9, 1e-3)


def test_an_unknown_optimizer_is_refused_with_the_known_ones():
    with pytest.raises(GaitError, match=r"'Adamax'. Known: Adam, SGD, AMSGrad, AdamW, AdaBelief, LAMB"):
        make("Adamax")


def test_an_unknown_schedule_is_refused():
    with pytest.raises(GaitError, match=r"'step'. Known: constant, cosine"):
        make("Adam", {"name": "step", "warmup_epochs": 0})


def test_a_warm_up_as_long_as_the_run_is_refused():
    with pytest.raises(GaitError, match="warm-up of 10 epochs leaves nothing of 10 epochs"):
        make("Adam", {"name": "cosine", "warmup_epochs": 10})
