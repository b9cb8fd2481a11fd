"""What the models of pose sequences share: their input, their embedding, their length, test-time views."""

from functools import cached_property

import keras
from keras import initializers

from keras_gait.layers.pose_branches import PoseBranches
from keras_gait.layers.pose_views import PoseViews
from keras_gait.models.clips import ClipModel, check_sizes
from keras_gait.vision.joint_graphs import find_graph
from keras_gait.vision.pose_sequences import prepare


class PoseModel(ClipModel):
    """A functional model of poses ``(batch, frames, joints, 3)``: x, y in pixels, confidence 0..1.

    A subclass has, among its arguments, ``joints``, the name of the `JointGraph`; ``frames``, the length of
    the sequences; ``fill_empty``, whether joints that were not found are filled in. Its last map goes into
    a layer "pool", its embedding comes from a dense layer "fcn".

    Attributes:
        batch_frames: frames of one batch of embeddings, at most.
    """

    has_classifier = False
    masks_padding = False
    batch_frames = 8192

    @property
    def graph(self):
        """The `JointGraph` of the poses."""
        return find_graph(self.joints)

    def prepare(self, sequence):
        """A sequence of any length as the model was trained on, ``(n, joints, 3) -> (frames, joints, 3)``."""
        return prepare(sequence, self.frames, fill=self.fill_empty)

    @cached_property
    def tta_encoder(self):
        """Poses to the joined embeddings of three views of them, ``(batch, 1, 3 * embedding_size)``.

        As given, backwards, and with left and right joints exchanged (nothing is mirrored).
        """
        views = PoseViews(self.graph.flip_index, name="views", dtype="float32")(self.input)
        embeddings = [self.encoder(view) for view in views]
        joined = keras.layers.Concatenate(name="joined", dtype="float32")(embeddings)
        return keras.Model(self.input, joined, name="tta_encoder")

    @cached_property
    def feature_maps(self):
        """Poses to the last map, ``(batch, about a quarter of the frames, joints, 256)``."""
        return keras.Model(self.input, self.get_layer("pool").input, name="feature_maps")


def pose_input(joints, frames, embedding_size, **branches):
    """The input ``poses (batch, frames, joints, 3)`` of a model, and its branches: see `PoseBranches`.

    Raises:
        ValueError: names the argument that is wrong.
    """
    check_sizes(frames=frames, embedding_size=embedding_size)
    if not isinstance(joints, str):
        raise ValueError(f"joints must be the name of a graph. Received: joints={joints!r}")
    poses = keras.Input((None, len(find_graph(joints).joints), 3), name="poses")
    return poses, PoseBranches(joints, name="branches", **branches)(poses)


def embedding(maps, size, kernel=None, bias="zeros"):
    """``maps (batch, frames, joints, channels) -> (batch, 1, size)``: a linear map of their mean, float32."""
    pooled = keras.layers.GlobalAveragePooling2D(name="pool", dtype="float32")(maps)
    kernel = kernel or initializers.RandomNormal(stddev=0.001)
    settings = {"kernel_initializer": kernel, "bias_initializer": bias}
    vectors = keras.layers.Dense(size, name="fcn", dtype="float32", **settings)(pooled)
    return keras.layers.Reshape((1, size), name="embeddings", dtype="float32")(vectors)
