"""SGE: self-supervised gait encoding of 3-D skeletons (Rao et al., TPAMI 2021)."""

from functools import cached_property

import keras
import numpy as np
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.layers import SkeletonEncoder, SkeletonNormalisation
from keras_gait.models.clips import ClipModel, check_sizes
from keras_gait.models.skeleton_axis import check_axis

AXES = "xyz"
TASKS = ("rev_rec", "prediction", "sorting")
PRETEXTS = {task: (task,) for task in TASKS} | {"rev_rec_plus": TASKS}
DOUBLE_PRETEXTS = {
    "rev_rec+pred": ("rev_rec", "prediction"),
    "rev_rec+sort": ("rev_rec", "sorting"),
    "pred+sort": ("prediction", "sorting"),
}


@keras.saving.register_keras_serializable("keras_gait")
class SGE(ClipModel):
    """Gait encodings of skeletons by one encoder an axis and pretext task, and who they are of.

    Takes raw skeletons ``(batch, frames, joints, 3)``. Returns ``{"embeddings": (batch, parts, dim)}`` and,
    where ``nclasses`` is not 0, ``"logits" (batch, parts, nclasses)``, float32. A part is a frame for manner
    "ap", the whole sequence otherwise. Embeddings run over x, y, z, within over tasks, within over (for
    manner "sc") frames. Encoders are the layers "rev_rec-x" and so on, trained as `SGEAxis`.

    Args:
        nclasses: people that the recognition network tells; 0 without one.
        subjects: their names, in the order of the classes.
        frames: frames of a sequence.
        joints: joints of a skeleton.
        units: width of the encoders.
        pretext: what encoders learn from: "rev_rec", "prediction", "sorting" or "rev_rec_plus", all three.
        double_pretext: two of these three: "rev_rec+pred", "rev_rec+sort", "pred+sort".
        attention: "LA" or "BA", as for `SGEAxis`; with "rev_rec_plus" that of rev_rec, the others have "BA".
        locality: "reverse" or "forward", as for `SGEAxis`.
        decoding: "zeros" or "teacher", as for `SkeletonEncoder`; here nothing but its own frames teaches it.
        contrast: "joint", "frozen" or "none", as for `SkeletonEncoder`.
        features: "attention" (the CAGEs) or "projection", what contrast compares.
        manner: "ap", logits of frames are averaged; "sc", the frames' features are joined.
        normalise: rule of `SkeletonNormalisation`.
        hidden: width of the recognition network.
    """

    not_in_recipes = ("nclasses", "subjects", "frames", "joints")
    masks_padding = False
    batch_frames = 8192  # of one batch of embeddings, at most

    def __init__(
        self,
        nclasses=0,
        subjects=None,
        frames=6,
        joints=20,
        units=256,
        pretext="rev_rec",
        double_pretext=None,
        attention="LA",
        locality="reverse",
        decoding="zeros",
        contrast="joint",
        features="attention",
        manner="ap",
        normalise="none",
        hidden=256,
        **kwargs,
    ):
        check_axis(frames=frames, joints=joints, units=units, attention=attention, locality=locality)
        _check_people(nclasses, subjects, hidden)
        _check_features(features, manner, contrast)
        skeletons = keras.Input((frames, joints, len(AXES)), name="skeletons")
        columns = []
        for n, axis in enumerate(AXES):
            rule = SkeletonNormalisation(normalise, name=f"normalisation-{axis}", dtype="float32")
            normalised = rule(skeletons[..., n])
            for task in tasks_of(pretext, double_pretext):
                encoder = SkeletonEncoder(
                    joints, units, decoding, contrast, name=f"{task}-{axis}", dtype="float32"
                )
                columns.append(encoder(normalised)["projection" if features == "projection" else "codes"])
        joined = ops.concatenate([_parts(each, manner) for each in columns], axis=-1)
        outputs = {"embeddings": keras.layers.Identity(name="embeddings", dtype="float32")(joined)}
        if nclasses:
            outputs["logits"] = _recognition(outputs["embeddings"], nclasses, hidden)
        super().__init__(
            skeletons,
            outputs,
            nclasses=nclasses,
            subjects=subjects,
            frames=frames,
            joints=joints,
            units=units,
            pretext=pretext,
            double_pretext=double_pretext,
            attention=attention,
            locality=locality,
            decoding=decoding,
            contrast=contrast,
            features=features,
            manner=manner,
            normalise=normalise,
            hidden=hidden,
            **kwargs,
        )

    @property
    def tasks(self):
        """The pretext tasks, each with an encoder an axis, in the order of the features."""
        return tasks_of(self.pretext, self.double_pretext)

    def axis_options(self, task):
        """Arguments of the `SGEAxis` that trains the encoders of ``task``."""
        shared = ("frames", "joints", "units", "locality", "decoding", "contrast", "normalise")
        published = "BA" if self.pretext == "rev_rec_plus" and task != "rev_rec" else self.attention
        options = {name: getattr(self, name) for name in shared}
        return options | {"attention": published, "reverse": task == "rev_rec"}

    def take_axis(self, task, axis, model):
        """Copy the weights of the `SGEAxis` ``model``, trained for ``task`` on ``axis`` 0, 1 or 2.

        Raises:
            ValueError: it is for other sequences or of another kind than this model's encoders.
        """
        wanted, given = self.axis_options(task), model.get_config()
        for name in ("frames", "joints", "units", "contrast", "decoding", "normalise"):
            if wanted[name] != given[name]:
                raise ValueError(
                    f"the encoder of {task}-{AXES[axis]} must have {name}={wanted[name]!r}. "
                    f"Received: {name}={given[name]!r}"
                )
        names = {f"{task}-{AXES[axis]}": "axis", f"normalisation-{AXES[axis]}": "normalisation"}
        for ours, theirs in names.items():
            self.get_layer(ours).set_weights(model.get_layer(theirs).get_weights())

    def prepare(self, sequence):
        """A sequence as it is; it must be what the model was trained on, ``(frames, joints, 3)``."""
        expected = (self.frames, self.joints, len(AXES))
        if sequence.shape != expected:
            raise GaitError(
                f"a sequence of {sequence.shape} (frames, joints, axes), but the model takes {expected}; use "
                f"a data set of skeletons with {self.frames} frames and {self.joints} joints"
            )
        return np.asarray(sequence, np.float32)

    @cached_property
    def scorer(self):
        """Skeletons to the logits, averaged over parts, ``(batch, 1, nclasses)``."""
        scores = ops.mean(self.output["logits"], axis=1, keepdims=True)
        return keras.Model(self.input, scores, name="scorer")

    @cached_property
    def attention_maps(self):
        """Skeletons to ``{"rev_rec-x": attention (batch, t, u), ...}`` of each encoder."""
        encoders = [self.get_layer(f"{task}-{axis}") for task in self.tasks for axis in AXES]
        maps = {encoder.name: encoder(encoder.input)["attention"] for encoder in encoders}
        return keras.Model(self.input, maps, name="attention_maps")


def recognition_network(dim, nclasses, hidden=256):
    """SGE's recognition network alone: ``features (rows, dim)`` to logits ``(rows, nclasses)``.

    Its layers "hidden" and "logits" are those of `SGE` (SGE, section 8).
    """
    check_sizes(dim=dim, nclasses=nclasses, hidden=hidden)
    features = keras.Input((dim,), name="features")
    return keras.Model(features, _recognition(features, nclasses, hidden), name="recognition")


def tasks_of(pretext, double_pretext=None):
    """The tasks of a pretext, all or, for "rev_rec_plus", the two of ``double_pretext``."""
    if pretext not in PRETEXTS:
        raise ValueError(f"pretext must be one of {', '.join(PRETEXTS)}. Received: pretext={pretext!r}")
    if double_pretext is None:
        return PRETEXTS[pretext]
    if double_pretext not in DOUBLE_PRETEXTS or pretext != "rev_rec_plus":
        raise ValueError(
            f"double_pretext must be one of {', '.join(DOUBLE_PRETEXTS)}, with pretext rev_rec_plus. "
            f"Received: double_pretext={double_pretext!r}, pretext={pretext!r}"
        )
    return DOUBLE_PRETEXTS[double_pretext]


def _recognition(features, nclasses, hidden):
    for name, width, activation in (("hidden", hidden, "relu"), ("logits", nclasses, None)):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        dense = keras.layers.Dense(width, activation, kernel_initializer=normal, name=name, dtype="float32")
        features = dense(features)
    return features


def _parts(columns, manner):
    """Features of one encoder, of a sequence or of each of its frames, as ``(batch, parts, values)``."""
    if len(columns.shape) == 3 and manner == "ap":
        return columns
    return ops.reshape(columns, (-1, 1, int(np.prod(columns.shape[1:]))))


def _check_people(nclasses, subjects, hidden):
    check_sizes(hidden=hidden)
    if subjects is not None and len(subjects) != nclasses:
        raise ValueError(
            f"subjects must be the {nclasses} names of the classes. Received: {len(subjects)} names"
        )


def _check_features(features, manner, contrast):
    if manner not in ("ap", "sc"):
        raise ValueError(f"manner must be ap or sc. Received: manner={manner!r}")
    if features not in ("attention", "projection"):
        raise ValueError(f"features must be attention or projection. Received: features={features!r}")
    if features == "projection" and contrast == "none":
        raise ValueError("features projection needs contrast joint or frozen. Received: contrast='none'")
