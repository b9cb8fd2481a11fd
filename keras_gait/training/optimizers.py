"""Optimizers by the names of AttenGait's ``--optimizer``."""

import keras
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.training.schedules import WarmupCosine

DECOUPLED = ("AdamW", "LAMB")  # decay weights themselves, so the model's own L2 is off
MIN_RATE = 1e-5  # at the end of the schedules that AdamW and AdaBelief have of their own
MIN_DECAY = 0.1  # share of AdamW's weight decay that is left at the end


def make_optimizer(name, learning_rate, weight_decay, schedule, epochs, steps_per_epoch):
    """The optimizer with its schedule.

    Args:
        name: one of `OPTIMIZERS`.
        learning_rate: highest rate.
        weight_decay: of AdamW and LAMB.
        schedule: dict with ``name`` ("constant" or "cosine") and ``warmup_epochs``.
        epochs: of the whole run.
        steps_per_epoch: steps in each.
    """
    if name not in OPTIMIZERS:
        raise GaitError(f"unknown optimizer {name!r}. Known: {', '.join(OPTIMIZERS)}")
    total = epochs * steps_per_epoch
    if schedule["name"] == "cosine":
        warmup = schedule["warmup_epochs"] * steps_per_epoch
        if warmup >= total:
            raise GaitError(
                f"a warm-up of {schedule['warmup_epochs']} epochs leaves nothing of {epochs} epochs. Train "
                "longer, or lower schedule.warmup_epochs"
            )
        rate = WarmupCosine(learning_rate, total, warmup)
    elif schedule["name"] == "constant":
        rate = learning_rate
    else:
        raise GaitError(f"unknown schedule {schedule['name']!r}. Known: constant, cosine")
    return OPTIMIZERS[name](rate, weight_decay, total)


def _adamw(rate, weight_decay, total):
    if isinstance(rate, float):
        rate = WarmupCosine(rate, total, least=min(rate, MIN_RATE))
    return FadingAdamW(rate, WarmupCosine(weight_decay, total, least=MIN_DECAY * weight_decay))


def _adabelief(rate, weight_decay, total):
    if isinstance(rate, float):
        rate = WarmupCosine(rate, total + 1, total // 10, least=min(rate, MIN_RATE))
    return AdaBelief(rate)


OPTIMIZERS = {
    "Adam": lambda rate, decay, total: keras.optimizers.Adam(rate),
    "SGD": lambda rate, decay, total: keras.optimizers.SGD(rate, momentum=0.9),
    "AMSGrad": lambda rate, decay, total: keras.optimizers.Adam(rate, amsgrad=True),
    "AdamW": _adamw,
    "AdaBelief": _adabelief,
    "LAMB": lambda rate, decay, total: keras.optimizers.Lamb(rate, weight_decay=decay),
}


@keras.saving.register_keras_serializable("keras_gait")
class FadingAdamW(keras.optimizers.Adam):
    """AdamW whose weight decay follows a schedule: ``w <- w - rate * decay(step) * w`` before Adam's step.

    Args:
        learning_rate: a rate or a schedule.
        decay: a schedule, for instance `WarmupCosine`.
    """

    def __init__(self, learning_rate, decay, name="fading_adamw", **kwargs):
        super().__init__(learning_rate, name=name, **kwargs)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        share = ops.cast(learning_rate * self.decay(self.iterations), variable.dtype)
        self.assign_sub(variable, share * variable)
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        decay = keras.optimizers.schedules.serialize(self.decay)
        return super().get_config() | {"decay": decay}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        decay = keras.optimizers.schedules.deserialize(config["decay"], custom_objects)
        return super().from_config(config | {"decay": decay}, custom_objects)


@keras.saving.register_keras_serializable("keras_gait")
class AdaBelief(keras.optimizers.Optimizer):
    """Adam by the belief in observed gradients (Zhuang et al. 2020), rectified (Liu et al. 2020).

    With ``m`` the mean of the gradients g: ``s <- b2 s + (1 - b2) (g - m)² + eps`` stands where Adam has the
    mean of g². While its variance is intractable (fewer than five steps' worth) the step is ``m`` alone.

    Args:
        learning_rate: a rate or a schedule.
        beta_1, beta_2: decay rates of the two means.
        epsilon: added inside and outside of the root.
    """

    def __init__(
        self, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="adabelief", **kwargs
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._means, self._beliefs = self.add_optimizer_variables(variables, ["mean", "belief"])

    def update_step(self, gradient, variable, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        gradient = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        mean, belief = self._means[index], self._beliefs[index]
        self.assign(mean, self.beta_1 * mean + (1 - self.beta_1) * gradient)
        surprise = (1 - self.beta_2) * ops.square(gradient - mean)
        self.assign(belief, self.beta_2 * belief + surprise + self.epsilon)

        power = ops.power(self.beta_2, step)
        corrected = mean / (1 - ops.power(self.beta_1, step))
        deviation = ops.sqrt(belief / (1 - power)) + self.epsilon
        limit = 2 / (1 - self.beta_2) - 1
        length = limit - 2 * step * power / (1 - power)
        safe = ops.maximum(length, 5.0)
        ratio = (safe - 4) / (limit - 4) * (safe - 2) / (limit - 2) * limit / safe
        change = ops.where(length >= 5, ops.sqrt(ratio) * corrected / deviation, corrected)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * ops.cast(change, variable.dtype))

    def get_config(self):
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
