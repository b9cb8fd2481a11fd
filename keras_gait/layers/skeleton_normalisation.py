"""How SGE brings skeletons to one place or one range."""

import keras
import numpy as np


@keras.saving.register_keras_serializable("keras_gait")
class SkeletonNormalisation(keras.layers.Layer):
    """One axis of skeletons ``(batch, frames, joints)`` by a published rule (SGE, section 2.3).

    Args:
        rule: "none"; "joint", positions from joint 0 of the same frame; "range",
            ``(v - low) / (high - low + 1)`` with bounds of each frame's place and joint, from `set_range`.
    """

    def __init__(self, rule="none", **kwargs):
        super().__init__(**kwargs)
        if rule not in ("none", "joint", "range"):
            raise ValueError(f"rule must be none, joint or range. Received: rule={rule!r}")
        self.rule = rule

    def build(self, skeletons_shape):
        if self.rule == "range":
            add = {"shape": skeletons_shape[1:], "initializer": "zeros", "trainable": False}
            self.low, self.high = (self.add_weight(name=name, **add) for name in ("low", "high"))

    def set_range(self, low, high):
        """The smallest and largest values of the training set, each ``(frames, joints)``."""
        if not np.all(np.asarray(low) <= np.asarray(high)):
            raise ValueError(
                "low must not be above high. Received: values of low that are, or are no numbers"
            )
        self.low.assign(low)
        self.high.assign(high)

    def call(self, skeletons):
        if self.rule == "joint":
            return skeletons - skeletons[:, :, :1]
        if self.rule == "range":
            return (skeletons - self.low) / (self.high - self.low + 1.0)
        return skeletons

    def compute_output_shape(self, skeletons_shape):
        return skeletons_shape

    def get_config(self):
        return super().get_config() | {"rule": self.rule}
