"""A walking skeleton whose joints show how much a pose model goes by them (GaitGraph2's drawing)."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from keras_gait.evaluation.activations import drawn_joints, drawn_places
from keras_gait.evaluation.films import film

LARGEST = 128  # area of a joint of activation 1, in square points
SIZE = (6.4, 4.8)  # inches, at 100 dots each
ASPECT = 1.25  # width of the part with the walker over its height
MARGIN = 0.08  # around the walk, as a share of its size


def skeleton_film(walk, graph, titles, note=None):
    """The pictures of a `SeenWalk`, as `films.film` yields them.

    A joint is hidden, with its bone, where it or the joint that it hangs on is not sure. All pictures have
    one scale, and the middle of the walk is theirs.

    Args:
        graph: `JointGraph` of the poses.
        titles: one for each frame.
        note: a line at the bottom of each picture.
    """
    places, drawn = drawn_places(walk.poses), drawn_joints(walk.poses, graph.connect_joint)
    pairs, shown = bones_of(graph, drawn)
    figure = Figure(SIZE, dpi=100, layout="constrained")
    axes = figure.subplots()
    _fit(axes, places[drawn])
    bones = axes.add_collection(LineCollection([], colors="0.1", alpha=0.5, linewidths=3, capstyle="round"))
    joints = axes.scatter([], [], c=[], cmap="plasma", vmin=0, vmax=1, edgecolors="0.1", linewidths=0.5)
    figure.colorbar(joints, ax=axes, shrink=0.5, aspect=10, label="class activation of the joint")
    title = axes.set_title(titles[0], fontsize=11)
    if note:
        figure.supxlabel(note, fontsize=9, color="0.35")

    def update(number):
        seen, place = drawn[number], places[number]
        activation = walk.activation[number, seen]
        bones.set_segments(place[pairs[shown[number]]])
        joints.set_offsets(place[seen])
        joints.set_array(activation)
        joints.set_sizes(LARGEST * activation)
        title.set_text(titles[number])

    return film(figure, [bones, joints, title], update, len(places))


def bones_of(graph, drawn):
    """Lines between joints, ``(B, 2)``, and whether each is drawn, ``(frames, B)``.

    Every joint's to the joint that it hangs on, which is drawn with it, and one from hip to hip.
    ``drawn (frames, joints)`` is from `drawn_joints`.
    """
    ends = np.array(graph.connect_joint)
    hanging = np.flatnonzero(ends != np.arange(len(ends)))
    hips = [graph.joints.index("left hip"), graph.joints.index("right hip")]
    pairs = np.concatenate([np.stack([hanging, ends[hanging]], axis=1), [hips]])
    return pairs, np.column_stack([drawn[:, hanging], drawn[:, hips].all(axis=1)])


def _fit(axes, places):
    """Axes without lines about ``places (n, 2)``, both on one scale; of the same shape whatever the walk."""
    low, high = (places.min(axis=0), places.max(axis=0)) if len(places) else (-np.ones(2), np.ones(2))
    middle, half = (low + high) / 2, (high - low) / 2
    room = max((1 + MARGIN) * max(half[0] / ASPECT, half[1]), 1)
    axes.set_xlim(middle[0] - room * ASPECT, middle[0] + room * ASPECT)
    axes.set_ylim(middle[1] - room, middle[1] + room)
    axes.set_aspect("equal")
    axes.axis("off")
