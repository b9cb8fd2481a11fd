"""Graph convolution on maps of joints (Yan et al., AAAI 2018; the learnt edges of ResGCN and ST-GCN)."""

import keras
import numpy as np
from keras import ops

from keras_gait.vision.joint_graphs import find_graph


@keras.saving.register_keras_serializable("keras_gait")
class GraphConvolution(keras.layers.Layer):
    """Every joint becomes a linear map of its neighbours, one map for each distance in bones.

    ``(batch, frames, joints, channels) -> (batch, frames, joints, filters)``:

        out[w] = sum_k sum_v A[k, v, w] edge[k, v, w] (x[v] kernel[k] + bias[k])

    with A the graph's adjacency, k the hops between the joints v and w, and ``edge (4, joints, joints)``
    learnt. The joints are gathered before the channels are mixed: there are fewer of them then.

    Args:
        filters: channels out.
        joints: name of the `JointGraph`.
        hops: slices of the adjacency that count: the first 3 in ResGCN, all 4 in ST-GCN. ``edge`` has all.
        kernel_initializer: of ``kernel (1, 1, channels, hops * filters)``, hop by hop.
        bias_initializer: of ``bias (hops * filters,)``.
    """

    def __init__(
        self,
        filters,
        joints="coco",
        hops=3,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.adjacency = np.asarray(find_graph(joints).adjacency(), np.float32)
        if hops not in range(1, len(self.adjacency) + 1):
            raise ValueError(f"hops must be 1 to {len(self.adjacency)}. Received: hops={hops!r}")
        self.filters = filters
        self.joints = joints
        self.hops = hops
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        count = self.adjacency.shape[-1]
        if len(input_shape) != 4 or input_shape[2] != count:
            raise ValueError(
                f"Maps must be (batch, frames, {count}, channels): the joints of {self.joints!r}. Received: "
                f"shape {tuple(input_shape)}"
            )
        filters = self.hops * self.filters
        self.kernel = self.add_weight(
            name="kernel", shape=(1, 1, input_shape[-1], filters), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(filters,), initializer=self.bias_initializer)
        self.edge = self.add_weight(name="edge", shape=self.adjacency.shape, initializer="ones")

    def call(self, maps):
        _, frames, joints, channels = ops.shape(maps)
        adjacency = ops.convert_to_tensor(self.adjacency[: self.hops], self.compute_dtype)
        weights = adjacency * ops.convert_to_tensor(self.edge)[: self.hops]
        # einsum "kvw,btvc->btwkc" as one matrix product: on TensorFlow a third of the time
        stack = ops.reshape(ops.transpose(weights, (2, 0, 1)), (joints * self.hops, joints))
        gathered = ops.reshape(ops.matmul(stack, maps), (-1, frames, joints, self.hops * channels))
        kernel = ops.reshape(self.kernel, (channels, self.hops, self.filters))
        kernel = ops.reshape(ops.transpose(kernel, (1, 0, 2)), (1, 1, self.hops * channels, self.filters))
        bias = ops.einsum("kvw,kf->wf", weights, ops.reshape(self.bias, (self.hops, self.filters)))
        return ops.conv(gathered, kernel) + bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "joints": self.joints,
            "hops": self.hops,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
