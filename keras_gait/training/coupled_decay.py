"""Optimizers whose weight decay is part of the gradient, ``g + decay w``, as PyTorch's have it.

The decay is on every parameter, those of normalisation too.
"""

import keras
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.training.schedules import MultiStep


@keras.saving.register_keras_serializable("keras_gait")
class CoupledSGD(keras.optimizers.Optimizer):
    """PyTorch's SGD: ``v <- momentum v + g + decay w``, then ``w <- w - rate v``.

    Keras's own has the rate inside v, which differs when the rate changes.

    Args:
        learning_rate: a rate or a schedule.
        momentum: of v, which starts at 0.
        decay: weight decay.
    """

    def __init__(self, learning_rate=0.1, momentum=0.9, decay=0.0, name="coupled_sgd", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum, self.decay = momentum, decay

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient, variable, learning_rate):
        velocity = self._velocities[self._get_variable_index(variable)]
        change = ops.cast(gradient, variable.dtype) + self.decay * variable
        self.assign(velocity, self.momentum * velocity + change)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * velocity)

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum, "decay": self.decay}


@keras.saving.register_keras_serializable("keras_gait")
class CoupledAdam(keras.optimizers.Adam):
    """Adam on ``g + decay w``. Arguments as `CoupledSGD`, without momentum."""

    def __init__(self, learning_rate=1e-4, decay=0.0, epsilon=1e-8, name="coupled_adam", **kwargs):
        super().__init__(learning_rate, epsilon=epsilon, name=name, **kwargs)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        gradient = ops.cast(gradient, variable.dtype) + self.decay * variable
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        return super().get_config() | {"decay": self.decay}


OPTIMIZERS = {
    "SGD": lambda rate, settings: CoupledSGD(rate, settings["momentum"], settings["weight_decay"]),
    "Adam": lambda rate, settings: CoupledAdam(rate, settings["weight_decay"]),
}


def make_coupled_optimizer(settings, schedule):
    """The optimizer of a recipe's sections ``optimizer`` and ``schedule``, OpenGait's family."""
    if settings["name"] not in OPTIMIZERS:
        raise GaitError(f"unknown optimizer {settings['name']!r}. Known: {', '.join(OPTIMIZERS)}")
    if schedule["name"] != "multistep":
        raise GaitError(f"unknown schedule {schedule['name']!r}. Known: multistep")
    milestones = schedule["milestones"]
    if not all(isinstance(milestone, int) for milestone in milestones):
        raise GaitError(f"schedule.milestones must be numbers of updates. Received: {list(milestones)}")
    rate = MultiStep(settings["learning_rate"], milestones, schedule["gamma"])
    return OPTIMIZERS[settings["name"]](rate, settings)
