"""GaitGraph2: a residual graph network on pose sequences (Teepe et al., CVPR Workshops 2022)."""

import keras

from keras_gait.layers.resgcn import resgcn
from keras_gait.models.poses import PoseModel, embedding, pose_input


@keras.saving.register_keras_serializable("keras_gait")
class GaitGraph2(PoseModel):
    """Joints, velocities and bones of a walk through a ResGCN, one embedding.

    Takes poses ``(batch, frames, joints, 3)``, x and y in pixels and the confidence. Returns
    ``{"embeddings": (batch, 1, embedding_size)}``, float32, not of unit length: distances are those of the
    unit vectors.

    Args:
        nclasses: 0; GaitGraph2 learns from distances and has no classifier.
        network: name of the ResGCN, ``[pa|ca|fa|ja|pca|psa-]resgcn-<structure>[-<reduction>]``, see
            `keras_gait.layers.resgcn.read_network`.
        embedding_size: length of the embedding.
        inputs: ``"branches"`` (three input branches), ``"concat"`` (the same joined on channels) or
            ``"plain"`` (coordinates and confidence alone).
        layout: ``"published"``, which published weights need, or ``"corrected"``: see `PoseBranches`.
        joints: ``"coco"`` or ``"oumvlp"``.
        frames: length that `prepare` brings sequences to; 30 for OU-MVLP.
        fill_empty: `prepare` fills in the joints that were not found; as published for OU-MVLP.
    """

    def __init__(
        self,
        nclasses=0,
        network="resgcn-n39-r8",
        embedding_size=128,
        inputs="branches",
        layout="published",
        joints="coco",
        frames=60,
        fill_empty=False,
        **kwargs,
    ):
        if layout not in ("published", "corrected"):
            raise ValueError(f"layout must be published or corrected. Received: layout={layout!r}")
        poses, branches = pose_input(joints, frames, embedding_size, inputs=inputs, layout=layout)
        maps = resgcn(branches, network, joints)
        super().__init__(
            poses,
            {"embeddings": embedding(maps, embedding_size)},
            nclasses=nclasses,
            network=network,
            embedding_size=embedding_size,
            inputs=inputs,
            layout=layout,
            joints=joints,
            frames=frames,
            fill_empty=fill_empty,
            **kwargs,
        )
