"""Class activations of joints: where on the body, and when, a pose model finds what its embedding says.

Zhou et al., Learning Deep Features for Discriminative Localization (CVPR 2016), as GaitGraph2 draws them:
the rows of the embedding's linear layer stand for the classes.
"""

import itertools
from typing import NamedTuple

import numpy as np

from keras_gait.vision.pose_sequences import centre_start, pad_indices

FRAMES_A_STEP = 4  # of the last feature map: two of the network's modules halve the frames
LEAST_CONFIDENCE = 0.025  # of a joint that is drawn
SEQUENCES_A_CELL = 8  # that a mean is taken over, at most
BATCH = 32  # sequences in a batch of the feature maps


class SeenWalk(NamedTuple):
    """The part of a sequence that a model looks at. F frames, V joints.

    Attributes:
        frames: ``(F,)`` their numbers in the sequence, from 0.
        poses: ``(F, V, 3)`` x, y in pixels and confidence.
        activation: ``(F, V)`` in 0..1.
    """

    frames: np.ndarray
    poses: np.ndarray
    activation: np.ndarray


def class_activation(features, kernel):
    """The strongest class's share of the greatest activation.

    Args:
        features: ``(..., steps, joints, channels)``, the last feature map.
        kernel: ``(channels, classes)`` of the linear layer that follows; its bias plays no part.

    Returns:
        ``(..., steps, joints)`` in 0..1; each sequence's greatest is 1. All 0 where none is positive.
    """
    strongest = np.maximum((features @ kernel).max(axis=-1), 0)
    greatest = strongest.max(axis=(-2, -1), keepdims=True)
    return strongest / np.where(greatest > 0, greatest, 1)


def joint_activation(features, kernel, frames):
    """`class_activation` of each of ``frames`` frames, ``(..., frames, joints)``."""
    return class_activation(features, kernel)[..., np.arange(frames) // FRAMES_A_STEP, :]


def model_activation(model, poses):
    """Activations ``(batch, frames, joints)`` of prepared ``poses (batch, frames, joints, 3)``."""
    features = np.asarray(model.feature_maps.predict_on_batch(poses), np.float32)
    kernel, *_ = model.get_layer("fcn").get_weights()
    return joint_activation(features, kernel, poses.shape[1])


def seen_walk(model, sequence):
    """`SeenWalk` of the raw ``sequence (n, joints, 3)``, walking forwards.

    The model takes the middle of a long sequence, and fills a short one up with frames in reverse: the
    longest stretch in order is what is left of it here.
    """
    order = pad_indices(len(sequence), model.frames)
    start = centre_start(len(order), model.frames)
    order = np.asarray(order)[start : start + model.frames]
    first, end = _longest_in_order(order)
    poses = model.prepare(sequence)
    activation = model_activation(model, poses[None])[0]
    return SeenWalk(order[first:end], poses[first:end], activation[first:end])


def _longest_in_order(numbers):
    """``(first, end)`` of the longest stretch in which each number is its predecessor plus 1."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(numbers) != 1) + 1, [len(numbers)]])
    longest = np.diff(edges).argmax()
    return edges[longest], edges[longest + 1]


def drawn_places(poses):
    """Where joints are drawn, y upwards: ``(frames, joints, 3) -> (frames, joints, 2)``, the mean at 0, 0."""
    places = poses[..., :2] - poses[..., :2].mean(axis=(0, 1))
    return places * np.array([1, -1], places.dtype)


def drawn_joints(poses, connect_joint):
    """Whether a joint is drawn, with its bone, bool ``(frames, joints)``: it and its other end are sure."""
    sure = poses[..., 2] >= LEAST_CONFIDENCE
    return sure & sure[:, np.asarray(connect_joint)]


def mean_activations(model, dataset):
    """The mean over frames of joints' activations, for every condition and view.

    Up to `SEQUENCES_A_CELL` sequences of each count, spread over its subjects, read batch by batch.

    Returns:
        ``cells``: list of (condition, view), by condition and then view; ``means (cells, joints)``.
    """
    cells, cell_of = _cells(dataset)
    members = np.concatenate([_spread(np.flatnonzero(cell_of == cell)) for cell in range(len(cells))])
    sums = np.zeros((len(cells), dataset.frame_shape[0]))
    for start in range(0, len(members), BATCH):
        batch = members[start : start + BATCH]
        poses = np.stack([model.prepare(dataset.read(int(i))) for i in batch])
        # one shape for all batches, since every shape is compiled anew
        filled = poses[np.minimum(np.arange(min(BATCH, len(members))), len(poses) - 1)]
        activation = model_activation(model, filled)[: len(batch)]
        np.add.at(sums, cell_of[batch], activation.mean(axis=1))
    return cells, sums / np.bincount(cell_of[members], minlength=len(cells))[:, None]


def _cells(dataset):
    """The (condition, view) that occur, and which of them each sequence has, ``(n,)``."""
    from keras_gait.evaluation.cross_view import sorted_views

    pairs = list(zip(dataset.condition.tolist(), dataset.view.tolist(), strict=True))
    conditions = list(dict.fromkeys(dataset.condition.tolist()))
    views = sorted_views(dataset.view)
    found = set(pairs)
    cells = [cell for cell in itertools.product(conditions, views) if cell in found]
    places = {cell: place for place, cell in enumerate(cells)}
    return cells, np.array([places[pair] for pair in pairs])


def _spread(members):
    """At most `SEQUENCES_A_CELL` of ``members``, evenly from the first to the last."""
    count = min(len(members), SEQUENCES_A_CELL)
    return members[np.linspace(0, len(members) - 1, count).round().astype(int)]
