"""Adam and AdamW as PyTorch has them, with a beta_1 that may follow a schedule."""

import math

import keras
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.training.schedules import OneCycle, StepsAside, deserialize, serialize

BETA_1 = 0.9
CYCLE = (0.95, 0.85, 0.95)  # of beta_1: at the start, at the highest rate, at the end
FIRST, LAST = 1 / 25, 1 / 25e4  # of the highest rate, at the start and at the end


@keras.saving.register_keras_serializable("keras_gait")
class CycledAdam(keras.optimizers.Optimizer):
    """``m <- b1 m + (1 - b1) g``, ``v <- b2 v + (1 - b2) g²``, ``w <- w - rate m' / (sqrt(v') + epsilon)``.

    ``m' = m / (1 - b1^t)`` with the b1 of update t, ``v' = v / (1 - b2^t)``. Keras's own Adam has a fixed b1
    and adds epsilon to ``sqrt(v)``, which differs where gradients are as small as epsilon. Weight decay is on
    every parameter.

    Args:
        learning_rate: a rate or a schedule.
        beta_1: a number or a schedule.
        beta_2, epsilon: as above.
        decay: weight decay.
        decoupled: ``w <- w - rate decay w`` before the update (AdamW), or ``g + decay w`` for g (Adam).
    """

    def __init__(
        self,
        learning_rate=1e-3,
        beta_1=BETA_1,
        beta_2=0.999,
        epsilon=1e-8,
        decay=0.0,
        decoupled=True,
        name="cycled_adam",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.decay, self.decoupled = decay, decoupled

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._means, self._squares = self.add_optimizer_variables(variables, ["mean", "square"])

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        mean, square = self._means[index], self._squares[index]
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        if self.decay and self.decoupled:
            self.assign_sub(variable, rate * self.decay * variable)
        elif self.decay:
            gradient = gradient + self.decay * variable

        step = ops.cast(self.iterations + 1, "float32")
        beta_1 = self.beta_1(self.iterations) if callable(self.beta_1) else self.beta_1
        beta_1 = ops.cast(beta_1, "float32")
        self.assign(mean, mean + (1 - beta_1) * (gradient - mean))
        self.assign(square, self.beta_2 * square + (1 - self.beta_2) * ops.square(gradient))
        first = 1 - ops.power(beta_1, step)
        second = -ops.expm1(step * math.log(self.beta_2))  # 1 - b2^t, exact also where that is nearly 0
        deviation = ops.sqrt(square / second) + self.epsilon
        self.assign_sub(variable, rate / first * mean / deviation)

    def get_config(self):
        return super().get_config() | {
            "beta_1": serialize(self.beta_1),
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "decay": self.decay,
            "decoupled": self.decoupled,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return super().from_config(config | {"beta_1": deserialize(config["beta_1"])}, custom_objects)


def one_cycle(rate, total_steps):
    """Learning rate and beta_1 of ``OneCycleLR``'s defaults."""
    return OneCycle(FIRST * rate, rate, LAST * rate, total_steps), OneCycle(*CYCLE, total_steps)


SCHEDULES = {"onecycle": one_cycle, "constant": lambda rate, total_steps: (rate, BETA_1)}


OPTIMIZERS = {"AdamW": True, "Adam": False}  # whether the weight decay is decoupled


def make_cycled_adam(settings, schedule, total_steps, aside=None):
    """The optimizer of a recipe's sections ``optimizer`` and ``schedule``.

    Args:
        total_steps: updates of the whole run.
        aside: `StepsAside`'s ``update``, ``target``, ``epochs`` and ``steps_per_epoch``, where the schedule
            is left; beta_1 then stays as it is.
    """
    if settings["name"] not in OPTIMIZERS:
        raise GaitError(f"unknown optimizer {settings['name']!r}. Known: {', '.join(OPTIMIZERS)}")
    if schedule["name"] not in SCHEDULES:
        raise GaitError(f"unknown schedule {schedule['name']!r}. Known: {', '.join(SCHEDULES)}")
    rate, beta_1 = SCHEDULES[schedule["name"]](settings["learning_rate"], total_steps)
    if aside is not None:
        rate, beta_1 = StepsAside(rate, **aside), StepsAside(beta_1, **aside | {"target": None})
    return CycledAdam(rate, beta_1, decay=settings["weight_decay"], decoupled=OPTIMIZERS[settings["name"]])
