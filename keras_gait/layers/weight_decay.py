"""Weight decay as a term of the loss, for parameters that do not start at 0."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("keras_gait")
class DecayFromStart(keras.regularizers.Regularizer):
    """``l2 / 2 * sum (v - start)^2`` of a variable v (SGE, section 5).

    Where the published code adds a constant at run time, to the forget gates for instance, and ours has it
    in the variable, the decay is towards that constant.

    Args:
        l2: 0 or above.
        start: a number, or a list of them that spreads over v's last axis.
    """

    def __init__(self, l2=0.02, start=0.0):
        if not l2 >= 0:
            raise ValueError(f"l2 must be 0 or above. Received: l2={l2}")
        self.l2, self.start = l2, np.asarray(start, "float32").tolist()

    def __call__(self, x):
        return 0.5 * self.l2 * ops.sum(ops.square(x - ops.convert_to_tensor(self.start, x.dtype)))

    def get_config(self):
        return {"l2": self.l2, "start": self.start}
