"""Warm-up and cosine decay, and steps."""

import keras
import pytest
from keras import ops

from keras_gait.training.schedules import MultiStep, WarmupCosine

pytestmark = pytest.mark.backend


def rates(schedule, *steps):
    return [float(ops.convert_to_numpy(schedule(step))) for step in steps]


def test_the_rate_climbs_to_the_target_and_falls_along_a_half_cosine_to_zero():
    schedule = WarmupCosine(1.0, total_steps=50, warmup_steps=10)
    assert rates(schedule, 0, 5, 10, 20, 30, 50) == pytest.approx([0, 0.5, 1, 0.853553, 0.5, 0], abs=1e-6)


def test_the_highest_rate_is_held():
    schedule = WarmupCosine(2.0, total_steps=40, warmup_steps=10, hold_steps=10)
    assert rates(schedule, 10, 15, 20, 30, 40) == pytest.approx([2, 2, 2, 1, 0], abs=1e-6)


def test_without_warm_up_it_starts_at_the_target():
    assert rates(WarmupCosine(1.0, 10), 0, 5) == pytest.approx([1, 0.5])


def test_the_decay_ends_at_the_least_rate():
    assert rates(WarmupCosine(1.0, 10, least=0.2), 0, 5, 10) == pytest.approx([1, 0.6, 0.2])


def test_a_warm_up_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="total_steps=10, warmup_steps=6, hold_steps=4"):
        WarmupCosine(1.0, 10, 6, 4)


def test_settings_survive_serialisation():
    schedule = WarmupCosine(0.1, 50, 10, 5, 0.01)
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert type(again) is WarmupCosine
    assert again.get_config() == schedule.get_config()


def test_an_update_at_a_milestone_has_the_lower_rate_already():
    schedule = MultiStep(0.1, [20, 40], gamma=0.1)
    assert rates(schedule, 0, 19, 20, 39, 40, 1000) == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_without_milestones_the_rate_stays():
    assert rates(MultiStep(0.1, []), 0, 5000) == pytest.approx([0.1, 0.1])


def test_steps_come_back_from_their_configuration():
    schedule = keras.optimizers.schedules.deserialize(
        keras.optimizers.schedules.serialize(MultiStep(0.3, [2], 0.5))
    )
    assert rates(schedule, 1, 2) == pytest.approx([0.3, 0.15])
