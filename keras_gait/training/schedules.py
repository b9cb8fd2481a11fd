"""Learning-rate schedules."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up from 0, then a half cosine to ``least`` (AttenGait, section 5).

    For step s, counted from 0: ``s < W: target s / W``; ``target`` while ``s <= W + H``; else
    ``least + (target - least) / 2 (1 + cos(pi (s - W - H) / (T - W - H)))``, which reaches ``least`` at T.

    Args:
        target: highest learning rate.
        total_steps: T.
        warmup_steps: W.
        hold_steps: H, steps at the highest rate.
        least: the rate at T.
    """

    def __init__(self, target, total_steps, warmup_steps=0, hold_steps=0, least=0.0):
        super().__init__()
        if total_steps <= warmup_steps + hold_steps:
            raise ValueError(
                "total_steps must exceed warmup_steps + hold_steps. Received: "
                f"total_steps={total_steps}, warmup_steps={warmup_steps}, hold_steps={hold_steps}"
            )
        self.target = target
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps
        self.hold_steps = hold_steps
        self.least = least

    def __call__(self, step):
        step = ops.cast(step, "float32")
        flat_until = self.warmup_steps + self.hold_steps
        progress = ops.maximum((step - flat_until) / (self.total_steps - flat_until), 0.0)
        cosine = self.least + 0.5 * (self.target - self.least) * (1.0 + ops.cos(math.pi * progress))
        warmup = self.target * step / max(self.warmup_steps, 1)
        return ops.where(step < self.warmup_steps, warmup, cosine)

    def get_config(self):
        return {
            "target": self.target,
            "total_steps": self.total_steps,
            "warmup_steps": self.warmup_steps,
            "hold_steps": self.hold_steps,
            "least": self.least,
        }


@keras.saving.register_keras_serializable("keras_gait")
class MultiStep(keras.optimizers.schedules.LearningRateSchedule):
    """PyTorch's ``MultiStepLR``: update i, counted from 0, uses ``rate * gamma^(number of milestones <= i)``.

    Args:
        rate: the first learning rate.
        milestones: updates at which it changes.
        gamma: factor at each.
    """

    def __init__(self, rate, milestones, gamma=0.1):
        super().__init__()
        self.rate, self.milestones, self.gamma = rate, tuple(milestones), gamma

    def __call__(self, step):
        step = ops.cast(step, "float32")
        passed = sum(ops.cast(step >= milestone, "float32") for milestone in self.milestones)
        return self.rate * ops.power(ops.cast(self.gamma, "float32"), passed)

    def get_config(self):
        return {"rate": self.rate, "milestones": self.milestones, "gamma": self.gamma}
