"""SGE's network of one coordinate axis, as it is trained."""

from functools import cached_property

import keras
import numpy as np
from keras import ops

from keras_gait.layers import SkeletonEncoder, SkeletonNormalisation
from keras_gait.layers.weight_decay import DecayFromStart
from keras_gait.models.clips import check_sizes


@keras.saving.register_keras_serializable("keras_gait")
class SGEAxis(keras.Model):
    """One axis encoder with what its losses need (SGE, sections 4 and 5).

    Takes ``{"skeletons": (batch, frames, joints), "targets": the same}``, raw coordinates in their natural
    order in time. Returns a dict, all float32:

    - "errors" ``(batch, frames, joints)``: the decoder's frames less the targets;
    - "alignment" ``(batch, t, u)``: attention of step t over frames u; only for attention "LA";
    - "projection" ``(batch, units)``: what contrast compares; not for contrast "none".

    Its layer "axis" is the `SkeletonEncoder`, "normalisation" the `SkeletonNormalisation`.

    Args:
        frames: frames of a sequence.
        joints: joints of a skeleton.
        units: width of all layers.
        attention: "LA", the alignment is an output for the locality loss; "BA", it is not.
        locality: where attention is to look: "reverse" or "forward" in time.
        reverse: the targets are put into reverse order.
        decoding: "zeros" or "teacher", as for `SkeletonEncoder`.
        contrast: "joint", "frozen" or "none", as for `SkeletonEncoder`.
        normalise: rule of `SkeletonNormalisation`, for skeletons and targets.
        l2: factor of half the sum of squares of the weights; 0 for none.
        decay: of which: "published", all and biases too, forget gates' counted from 1; "kernels".
    """

    def __init__(
        self,
        frames,
        joints=20,
        units=256,
        attention="LA",
        locality="reverse",
        reverse=True,
        decoding="zeros",
        contrast="joint",
        normalise="none",
        l2=0.02,
        decay="published",
        name=None,
        trainable=True,
    ):
        check_axis(frames=frames, joints=joints, units=units, attention=attention, locality=locality)
        if decay not in ("published", "kernels"):
            raise ValueError(f"decay must be published or kernels. Received: decay={decay!r}")
        names = ("skeletons", "targets")
        inputs = {name: keras.Input((frames, joints), name=name) for name in names}
        normalisation = SkeletonNormalisation(normalise, name="normalisation", dtype="float32")
        skeletons, targets = (normalisation(inputs[name]) for name in names)
        targets = ops.flip(targets, axis=1) if reverse else targets
        # sums of squares over a batch pass the range of half precision
        encoder = SkeletonEncoder(joints, units, decoding, contrast, name="axis", dtype="float32")
        found = encoder(skeletons, targets) if decoding == "teacher" else encoder(skeletons)
        outputs = {"errors": found["outputs"] - targets}
        if attention == "LA":
            outputs["alignment"] = found["attention"]
        if contrast != "none":
            outputs["projection"] = found["projection"]
        if l2:
            _add_decay(encoder, l2, decay)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self._arguments = {
            "frames": frames,
            "joints": joints,
            "units": units,
            "attention": attention,
            "locality": locality,
            "reverse": reverse,
            "decoding": decoding,
            "contrast": contrast,
            "normalise": normalise,
            "l2": l2,
            "decay": decay,
        }

    @cached_property
    def parts(self):
        """``skeletons (batch, frames, joints)`` to all that the `SkeletonEncoder` gives without targets, as
        its dict, and "free_running" ``(batch, frames, joints)``, of the decoder fed its own frames."""
        skeletons = self.input["skeletons"]
        encoder = self.get_layer("axis")
        normalised = self.get_layer("normalisation")(skeletons)
        free = encoder(normalised, free=True)["outputs"]
        return keras.Model(skeletons, encoder(normalised) | {"free_running": free}, name="parts")

    def get_config(self):
        return self._arguments | {"name": self.name, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def check_axis(attention, locality, **sizes):
    """Refuse, by its name, an argument that no axis of SGE takes."""
    check_sizes(**sizes)
    if attention not in ("LA", "BA"):
        raise ValueError(f"attention must be LA or BA. Received: attention={attention!r}")
    if locality not in ("reverse", "forward"):
        raise ValueError(f"locality must be reverse or forward. Received: locality={locality!r}")


def _add_decay(encoder, l2, decay):
    cells = [*(layer.cell for layer in encoder.layers), *encoder.decoder.cells]
    forget_gates = np.repeat([0.0, 1.0, 0.0, 0.0], encoder.units)
    starts = {cell.bias.path: forget_gates for cell in cells}
    for variable in encoder.trainable_variables:
        if decay == "published" or len(variable.shape) > 1:
            variable.regularizer = DecayFromStart(l2, starts.get(variable.path, 0.0))
