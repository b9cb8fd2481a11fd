"""Poses as a graph network takes them: joints, velocities and bones (GaitGraph2's MultiInput)."""

import keras
from keras import ops

from keras_gait.vision.joint_graphs import find_graph

INPUTS = ("branches", "concat", "plain")
CHANNELS = {"published": 5, "corrected": 5, "gaitgraph": 6}  # of a branch
SHORTEST_BONE = 1e-4  # pixels, added to every bone's length


@keras.saving.register_keras_serializable("keras_gait")
class PoseBranches(keras.layers.Layer):
    """Branches of a pose sequence.

    ``(batch, frames, joints, 3) -> (batch, frames, joints, branches, channels)``.

    Three branches: joint; velocity, 0 in the last two frames; and bone b, from the joint's connected joint to
    it. With the confidence c, the centre joint o, the differences d1 and d2 to the next frame and the next
    but one, and a bone's angle to an axis ``arccos(b / (|b| + 1e-4))``:

    | layout    | joint                        | velocity                       | bone                       |
    |-----------|------------------------------|--------------------------------|----------------------------|
    | published | x, y, c, x - xo, y - yo      | d1x, d1y, 0, c, d2y            | bx, by, 0, c, y angle      |
    | corrected | x, y, c, x - xo, y - yo      | d1x, d1y, c, d2x, d2y          | bx, by, c, x and y angle   |
    | gaitgraph | x, y, c, all three less o's  | d1x, d1y, d1c, d2x, d2y, d2c   | bx, by, bc, y angle, 0, 0  |

    "published" is GaitGraph2's, in which the confidence overwrites a channel of two branches; published
    weights hang on it. "gaitgraph" is the first GaitGraph's, with joint 1 as centre. Pixels and their
    differences are float32 whatever the policy: half precision knows quarters of a pixel only.

    Args:
        joints: name of the `JointGraph`.
        inputs: "branches"; "concat", all on the channels of one branch; or "plain", the pose as one branch.
        layout: as above.
        connect_joint: the joint that each joint's bone leads to, instead of the graph's (or, for "gaitgraph"
            and coco, instead of its own, in which the nose hangs on the left shoulder).
    """

    def __init__(self, joints="coco", inputs="branches", layout="published", connect_joint=None, **kwargs):
        super().__init__(**(kwargs | {"dtype": "float32"}))
        if inputs not in INPUTS:
            raise ValueError(f"inputs must be one of {', '.join(INPUTS)}. Received: {inputs!r}.")
        if layout not in CHANNELS:
            raise ValueError(f"layout must be one of {', '.join(CHANNELS)}. Received: {layout!r}.")
        self.joints, self.inputs, self.layout = joints, inputs, layout
        self.graph = find_graph(joints)
        self.connect_joint = None if connect_joint is None else tuple(connect_joint)
        if connect_joint is not None and len(connect_joint) != len(self.graph):
            raise ValueError(
                f"connect_joint needs one joint for each of the {len(self.graph)} joints of {joints!r}. "
                f"Received: connect_joint={connect_joint}."
            )

    def build(self, input_shape):
        if len(input_shape) != 4 or tuple(input_shape[2:]) != (len(self.graph), 3):
            raise ValueError(
                f"Poses must be (batch, frames, {len(self.graph)}, 3): the joints of {self.joints!r} with x, "
                f"y and confidence. Received: shape {tuple(input_shape)}."
            )

    def call(self, poses):
        if self.inputs == "plain":
            return ops.expand_dims(poses, axis=3)
        # one plane (batch, frames, joints) a channel, joined at once: the result is five times the poses
        planes = poses[..., 0], poses[..., 1], poses[..., 2]
        channels = [*self._joint(*planes), *self._velocity(*planes), *self._bone(*planes)]
        batch, frames = ops.shape(poses)[:2]
        shape = (batch, frames, *self.compute_output_shape(poses.shape)[2:])
        return ops.reshape(_joined(channels), shape)

    def _joint(self, *planes):
        old = self.layout == "gaitgraph"
        centre = 1 if old else self.graph.centre
        return *planes, *(plane - plane[:, :, centre : centre + 1] for plane in planes[: 3 if old else 2])

    def _velocity(self, x, y, confidence):
        ahead = ((0, 0), (0, 2), (0, 0))
        inner = ops.pad(ops.ones_like(x[:, :, :1]), ahead)[:, 2:]  # 0 in the last two frames

        def next_one(plane):
            return (ops.pad(plane, ahead)[:, 1:-1] - plane) * inner

        def next_two(plane):
            return (ops.pad(plane, ahead)[:, 2:] - plane) * inner

        if self.layout == "gaitgraph":
            planes = x, y, confidence
            return *map(next_one, planes), *map(next_two, planes)
        if self.layout == "corrected":
            return next_one(x), next_one(y), confidence, next_two(x), next_two(y)
        return next_one(x), next_one(y), ops.zeros_like(x), confidence, next_two(y)

    def _bone(self, x, y, confidence):
        connected = self._connected()
        bx, by = (plane - ops.take(plane, connected, axis=2) for plane in (x, y))
        length = ops.sqrt(bx * bx + by * by) + SHORTEST_BONE
        nothing = ops.zeros_like(x)
        if self.layout == "gaitgraph":
            apart = confidence - ops.take(confidence, connected, axis=2)
            return bx, by, apart, _angle(by, length), nothing, nothing
        if self.layout == "corrected":
            return bx, by, confidence, _angle(bx, length), _angle(by, length)
        return bx, by, nothing, confidence, _angle(by, length)

    def _connected(self):
        if self.connect_joint is not None:
            return self.connect_joint
        if self.layout == "gaitgraph" and self.graph.name == "coco":
            return (5, *self.graph.connect_joint[1:])
        return self.graph.connect_joint

    def compute_output_shape(self, input_shape):
        channels = CHANNELS[self.layout]
        last = {"branches": (3, channels), "concat": (1, 3 * channels), "plain": (1, 3)}[self.inputs]
        return (*input_shape[:3], *last)

    def get_config(self):
        return super().get_config() | {
            "joints": self.joints,
            "inputs": self.inputs,
            "layout": self.layout,
            "connect_joint": self.connect_joint,
        }


def _joined(planes):
    """Planes ``(batch, frames, joints)`` as the channels of one tensor."""
    if keras.backend.backend() == "jax":  # which compiles all of it to one loop
        return ops.stack(planes, axis=-1)
    # elsewhere rows of joints are copied faster than single numbers, the transposition included
    return ops.transpose(ops.stack(planes, axis=2), (0, 1, 3, 2))


def _angle(along, length):
    return ops.arccos(ops.clip(along / length, -1.0, 1.0))
