"""Poses to pickles of skeleton maps as OpenGait reads them, the job of ``pretreatment_heatmap.py``."""

from pathlib import Path
from typing import NamedTuple

import cv2

from keras_gait.data.opengait.pickles import note_frames, write_array_pickle
from keras_gait.data.opengait.pose_files import SELECTION, read_poses
from keras_gait.data.opengait.raw_trees import RawTree
from keras_gait.data.problems import Problem, few_frames
from keras_gait.data.trees import write_image
from keras_gait.data.unpickle import RefusedPickle
from keras_gait.errors import GaitError
from keras_gait.vision.skeleton_maps import MapSettings, skeleton_maps

PICTURED = 10  # sequences that are written as images, too


class HeatmapJob(NamedTuple):
    """What every sequence's job needs to know; small, since each job carries it.

    Attributes:
        poses: the tree of poses. output: root of the pickles.
        settings: of the maps. pattern: names of the pickles that hold poses.
        selections: tree of ``<id>/<type>/<view>/pose_selection_idx.pkl``, or "".
        silhouettes: `RawTree` of the silhouettes that choose among several people, or "".
        pictured: the sequences to write as images, too, beside ``output``.
    """

    poses: RawTree
    output: Path
    settings: MapSettings
    pattern: str
    selections: str = ""
    silhouettes: RawTree | str = ""
    pictured: tuple = ()


def heatmap_sequence(job, relative, target):
    """Job of `write_tree`: the poses of one sequence to uint8 ``[T, 2, 64, 64]``, limbs before joints.

    Returns a list of `Problem`: what cannot be read or drawn costs only its sequence.
    """
    cv2.setNumThreads(1)  # the processes share the cores already
    view, source = relative.rpartition("/")[2], job.poses.source(relative)
    selection = Path(job.selections, relative, SELECTION) if job.selections else None
    silhouettes = job.silhouettes and job.silhouettes.source(relative)
    problems = []
    try:
        found = read_poses(source, view, job.pattern, selection, silhouettes)
        maps = [skeleton_maps(poses.joints, job.settings) for poses in found]
    except RefusedPickle:
        raise
    except GaitError as error:
        what = str(error).removeprefix(f"{source}: ")
        return [Problem(relative, what, mendable=True)]
    for poses, drawn in zip(found, maps, strict=True):
        note_frames(job.output, relative, poses.kept, poses.count)
        dropped = poses.count - len(poses.kept)
        problems += [Problem(relative, "frame without people: dropped")] * dropped
        problems += few_frames(relative, len(drawn))
        if relative in job.pictured:
            _write_images(job.output.parent / "images" / relative, drawn)
        write_array_pickle(target / poses.name, drawn.transpose(0, 3, 1, 2))
    return problems


def _write_images(folder, maps):
    for number, frame in enumerate(maps):
        for channel, name in enumerate(("bone", "pose")):
            write_image(folder / f"{name}_{number}.jpg", frame[..., channel])
