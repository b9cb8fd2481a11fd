"""From raw sequences to folders of 64x64 flow images, AttenGait's first step, by `trees.write_tree`."""

from pathlib import Path

import cv2

from keras_gait.data.problems import Problem, few_frames
from keras_gait.data.trees import write_image
from keras_gait.vision.flow import NO_FRAME, NO_SILHOUETTE, SIZE, flow_frames
from keras_gait.vision.images import image_names, read_image


def casiab_flow(silhouettes, frames, relative, target):
    """Flow images of one sequence, from its silhouettes and RGB frames of the same names.

    The walker may come later and leave earlier than the RGB frames; in between each needs a silhouette.
    """
    cv2.setNumThreads(1)  # the processes share the cores already
    for tree, what in ((silhouettes, "missing silhouettes"), (frames, "missing RGB frames")):
        if not Path(tree, relative).is_dir():
            return [Problem(relative, what, mendable=True)]
    names = _names_between(image_names(Path(silhouettes, relative)), image_names(Path(frames, relative)))
    grey = (read_image(Path(frames, relative, name), cv2.IMREAD_GRAYSCALE) for name in names)
    masks = (read_image(Path(silhouettes, relative, name), cv2.IMREAD_GRAYSCALE) for name in names)
    problems, written = [], 0
    for index, image, reason in flow_frames(grey, masks):
        if image is None:
            unreadable = reason in (NO_FRAME, NO_SILHOUETTE)
            problems.append(Problem(f"{relative}/{names[index]}", reason, mendable=unreadable))
            continue
        write_image(target / f"{names[index].split('.')[0]}.png", image)
        written += 1
    return problems + few_frames(relative, written)


def _names_between(silhouettes, frames):
    """The names of the silhouettes, and of the frames between the first and the last of them, in order."""
    between = (name for name in frames if silhouettes and silhouettes[0] < name < silhouettes[-1])
    return sorted({*silhouettes, *between})


def grew_flow(flow, relative, target):
    """The delivered flow images of one GREW sequence, brought to 64x64."""
    cv2.setNumThreads(1)
    problems, written = [], 0
    for name in image_names(Path(flow, relative)):
        image = read_image(Path(flow, relative, name))
        if image is None:
            problems.append(Problem(f"{relative}/{name}", NO_FRAME, mendable=True))
            continue
        if image.shape[:2] != (SIZE, SIZE):
            image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        write_image(target / f"{name.split('.')[0]}.png", image)
        written += 1
    return problems + few_frames(relative, written)


def add_tree_flags(parser, layout):
    """The flags that both pretreatment commands share."""
    parser.add_argument("--input_path", default="", help=layout)
    parser.add_argument("--output_path", default="", help="folder of the flow images, same layout")
    parser.add_argument("--log_file", default="./pretreatment.log", help="problems are added to this file")
    parser.add_argument(
        "--log", default="false", type=str.lower, choices=("true", "false"), help="print each problem at once"
    )
