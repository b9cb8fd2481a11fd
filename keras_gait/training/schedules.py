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


@keras.saving.register_keras_serializable("keras_gait")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """PyTorch's ``OneCycleLR``: half a cosine from ``start`` to ``peak``, another one on to ``end``.

    Of update i, counted from 0, the peak is at ``0.3 total_steps - 1`` and the end at ``total_steps - 1``.
    Both the learning rate and Adam's beta_1 run so.

    Args:
        start, peak, end: the values.
        total_steps: updates in all, 1 or more.
    """

    def __init__(self, start, peak, end, total_steps):
        super().__init__()
        if total_steps < 1:
            raise ValueError(f"total_steps must be at least 1. Received: total_steps={total_steps}")
        self.start, self.peak, self.end, self.total_steps = start, peak, end, total_steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        top, last = 0.3 * self.total_steps - 1, self.total_steps - 1
        rise = _half_cosine(self.start, self.peak, step / top) if top > 0 else self.peak
        fall = _half_cosine(self.peak, self.end, (step - top) / (last - top))
        return ops.where(step <= top, rise, fall)

    def get_config(self):
        names = ("start", "peak", "end", "total_steps")
        return {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("keras_gait")
class StepsAside(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that is left at an update: epoch by epoch half a cosine from its value there to another.

    Args:
        schedule: followed until ``update``; or a number.
        update: the first of the epoch in which it is left.
        target: last value; None to keep that of the schedule.
        epochs: in which ``target`` is reached.
        steps_per_epoch: updates in each.
    """

    def __init__(self, schedule, update, target=None, epochs=10, steps_per_epoch=1):
        super().__init__()
        self.schedule, self.update, self.target = schedule, update, target
        self.epochs, self.steps_per_epoch = epochs, steps_per_epoch

    def __call__(self, step):
        step = ops.cast(step, "float32")
        left = self._followed(self.update)
        target = left if self.target is None else self.target
        epoch = ops.floor((step - self.update) / self.steps_per_epoch)
        aside = _half_cosine(left, target, epoch / max(self.epochs, 1))
        return ops.where(step < self.update, self._followed(step), aside)

    def _followed(self, step):
        return self.schedule(step) if callable(self.schedule) else self.schedule

    def get_config(self):
        return {
            "schedule": serialize(self.schedule),
            "update": self.update,
            "target": self.target,
            "epochs": self.epochs,
            "steps_per_epoch": self.steps_per_epoch,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config | {"schedule": deserialize(config["schedule"])})


def serialize(schedule):
    """A schedule as a dict for a ``get_config``; a number as it is."""
    return keras.optimizers.schedules.serialize(schedule) if callable(schedule) else schedule


def deserialize(config):
    """What `serialize` was given."""
    return keras.optimizers.schedules.deserialize(config) if isinstance(config, dict) else config


def _half_cosine(start, end, share):
    """From ``start`` at share 0 to ``end`` at 1, and there before and after."""
    share = ops.clip(ops.cast(share, "float32"), 0.0, 1.0)
    return end + 0.5 * (start - end) * (1.0 + ops.cos(math.pi * share))
