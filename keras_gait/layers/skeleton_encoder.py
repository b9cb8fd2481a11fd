"""SGE's network for one coordinate axis: encoder, decoder and projection head."""

import keras
from keras import ops

from keras_gait.layers.attention_decoder import AttentionDecoder, lstm


@keras.saving.register_keras_serializable("keras_gait")
class SkeletonEncoder(keras.layers.Layer):
    """One axis of skeletons ``(batch, frames, joints)`` to its gait encoding (SGE, section 4).

    A call returns a dict:

    - "encoded" ``(batch, frames, units)``: states of the upper LSTM layer, E;
    - "outputs" ``(batch, frames, joints)``: the decoder's frames;
    - "attention" ``(batch, t, u)``: of the decoder's step t over E's frames u;
    - "codes" ``(batch, frames, units)``: attention times E, the published CAGEs;
    - "projection" ``(batch, units)``: what contrast compares; not for contrast "none".

    Args:
        joints: joints of a skeleton.
        units: width of all layers.
        decoding: what the decoder is fed: "zeros" (published; its outputs then depend on E alone) or
            "teacher", the frames ``forced`` one step late, after a frame of zeros. Where a call is not given
            these, the decoder is fed its own frames.
        contrast: "joint", the projection trains the whole network; "frozen", its head alone; "none".
    """

    def __init__(self, joints, units=256, decoding="zeros", contrast="joint", **kwargs):
        super().__init__(**kwargs)
        if decoding not in ("zeros", "teacher"):
            raise ValueError(f"decoding must be zeros or teacher. Received: decoding={decoding!r}")
        if contrast not in ("joint", "frozen", "none"):
            raise ValueError(f"contrast must be joint, frozen or none. Received: contrast={contrast!r}")
        self.joints = joints
        self.units = units
        self.decoding = decoding
        self.contrast = contrast
        precision = {"dtype": self.dtype_policy}
        whole = {"return_sequences": True, "return_state": True, **precision}
        self.layers = [lstm(keras.layers.LSTM, units, name=f"lstm_{n}", **whole) for n in (0, 1)]
        self.decoder = AttentionDecoder(joints, units, name="decoder", **precision)
        self.head = [] if contrast == "none" else _projection_head(units, **precision)

    def build(self, skeletons_shape):
        _, frames, joints = skeletons_shape
        if joints != self.joints:
            raise ValueError(f"skeletons must have {self.joints} joints. Received: shape={skeletons_shape}")
        self.layers[0].build((None, frames, joints))
        self.layers[1].build((None, frames, self.units))
        self.decoder.build((None, frames, self.units))
        for layer, width in zip(self.head, (frames * self.units, self.units), strict=False):
            layer.build((None, width))

    def encode(self, skeletons):
        """E ``(batch, frames, units)`` and the last states ``[(h, c), (h, c)]``, lower layer first."""
        lower, *lower_states = self.layers[0](skeletons)
        encoded, *upper_states = self.layers[1](lower)
        return encoded, [tuple(lower_states), tuple(upper_states)]

    def call(self, skeletons, forced=None, free=False):
        encoded, states = self.encode(skeletons)
        if self.decoding == "teacher" and forced is not None and not free:
            forced = ops.concatenate([ops.zeros_like(forced[:, :1]), forced[:, :-1]], axis=1)
            outputs, attention = self.decoder(encoded, states, forced)
        else:
            outputs, attention = self.decoder(encoded, states, free=free or self.decoding == "teacher")
        codes = ops.matmul(attention, encoded)
        found = {"encoded": encoded, "outputs": outputs, "attention": attention, "codes": codes}
        return found | ({"projection": self._project(codes)} if self.head else {})

    def _project(self, codes):
        codes = ops.stop_gradient(codes) if self.contrast == "frozen" else codes
        vectors = ops.reshape(codes, (-1, codes.shape[1] * self.units))
        for layer in self.head:
            vectors = layer(vectors)
        return vectors

    def compute_output_shape(self, skeletons_shape):
        batch, frames, joints = skeletons_shape
        wide = (batch, frames, self.units)
        shapes = {"encoded": wide, "outputs": (batch, frames, joints)}
        shapes |= {"attention": (batch, frames, frames), "codes": wide}
        return shapes | ({"projection": (batch, self.units)} if self.head else {})

    def get_config(self):
        return super().get_config() | {
            "joints": self.joints,
            "units": self.units,
            "decoding": self.decoding,
            "contrast": self.contrast,
        }


def _projection_head(units, **options):
    def dense(name, activation=None):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        return keras.layers.Dense(units, activation, kernel_initializer=normal, name=name, **options)

    return [dense("hidden", "relu"), dense("projection")]
