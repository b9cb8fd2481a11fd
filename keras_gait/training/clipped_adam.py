"""Adam with every element of the gradient clipped, whatever number of devices shares a batch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class ClippedAdam(keras.optimizers.Adam):
    """Adam on the gradient brought into [-clip, clip], element by element (SGE, section 6).

    Keras's ``clipvalue`` clips what each replica of ``MirroredStrategy`` found before these are added up,
    so the update of a batch would hang on how many devices share it. As in the original, epsilon is added to
    ``sqrt(v)`` before its bias is corrected.

    Args:
        learning_rate: a rate or a schedule.
        clip: above 0.
        epsilon: as above.
    """

    def __init__(self, learning_rate=0.0005, clip=5.0, epsilon=1e-8, name="clipped_adam", **kwargs):
        super().__init__(learning_rate, epsilon=epsilon, name=name, **kwargs)
        if not clip > 0:
            raise ValueError(f"clip must be above 0. Received: clip={clip}")
        self.clip = clip

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(ops.clip(gradient, -self.clip, self.clip), variable, learning_rate)

    def get_config(self):
        return super().get_config() | {"clip": self.clip}
