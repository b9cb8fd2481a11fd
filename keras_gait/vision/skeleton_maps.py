"""Skeleton maps: limbs and joints of a pose sequence as two grey images a frame (SkeletonGait's input).

Fan, Ma, Jin, Shen and Yu, "SkeletonGait: Gait Recognition Using Skeleton Maps" (AAAI 2024). Published
weights hang on details that are kept here by default: where a score is ignored, what is truncated, and that
the two images are cut and scaled each by itself. `MapSettings` names what can be had otherwise.
"""

import difflib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import yaml

from keras_gait.errors import GaitError
from keras_gait.vision.gaussians import CHUNK, brightest, make_segments
from keras_gait.vision.poses import (
    COCO_JOINTS,
    FAINTEST,
    HIPS,
    OPENPOSE_JOINTS,
    check_pose,
    fill_missing,
    normalise,
    to_coco17,
)

LIMBS = (  # COCO joints, in the order of the maps
    *((0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (5, 7), (7, 9), (0, 6), (6, 8), (8, 10)),
    *((5, 11), (11, 13), (13, 15), (6, 12), (12, 14), (14, 16), (11, 12)),
)

# Published maps went through a plot's grey colours, which lose one level here and there.
GREY = np.arange(256, dtype=np.uint8)
GREY[[33, 37, 41, 45, 49, 53, 57, 61, 66, 74, 82, 90, 98, 106, 114, 122, 132, 148, 164, 180, 196]] -= 1
GREY[[212, 228, 244]] -= 1
_UNIT = np.arange(256) / 255.0


@dataclass(frozen=True)
class MapSettings:
    """How skeleton maps are drawn; defaults as published for sets with 17 joints.

    Attributes:
        transfer_to_coco17: the poses have OpenPose's 18 joints (OU-MVLP, CCPG).
        pad_method, missing: as ``method`` and ``missing`` of `poses.fill_missing`.
        pose_format, seen_only: as in `poses.normalise`.
        heatmap_image_height: pixels of the square maps before they are cut out.
        sigma: pixels, of the Gaussians around limbs and joints.
        use_score: a joint is as bright as its score; otherwise 1.
        align: cut the body's rows out and scale them to the whole height; otherwise only scale.
        together: cut both maps by the rows that either of them has; as published each has its own cut, so
            that limbs and joints do not lie on each other.
        final_img_size: pixels of the square maps.
        offset: rows to leave above and below when cutting.
    """

    transfer_to_coco17: bool = False
    pad_method: str = "knn"
    missing: str = "coordinate"
    pose_format: str = "coco"
    seen_only: bool = False
    heatmap_image_height: int = 128
    sigma: float = 8.0
    use_score: bool = True
    align: bool = True
    together: bool = False
    final_img_size: int = 64
    offset: int = 0

    def __post_init__(self):
        for field in fields(self):
            self._check(field)

    def _check(self, field):
        name, value = field.name, getattr(self, field.name)
        if field.type is float and type(value) is int:
            object.__setattr__(self, name, value := float(value))
        if type(value) is not field.type:
            raise GaitError(f"{name} must be of type {field.type.__name__}. Received: {value!r}")
        if name in WORDS and value not in WORDS[name]:
            raise GaitError(f"{name} must be one of {', '.join(WORDS[name])}. Received: {value!r}")
        if name in RANGES and not RANGES[name][0] <= value <= RANGES[name][1]:
            least, most = RANGES[name]
            raise GaitError(f"{name} must be {least} to {most}. Received: {value!r}")


WORDS = {
    "pad_method": ("knn", "simple"),
    "missing": ("coordinate", "joint"),
    "pose_format": tuple(HIPS),
}
RANGES = {
    "heatmap_image_height": (8, 1024),
    "sigma": (0.1, 100.0),
    "final_img_size": (8, 1024),
    "offset": (0, 1024),
}


# Where OpenGait's YAML has the settings. A tuple: the only values that it may have there.
SECTIONS = {
    "coco18tococo17_args": {"transfer_to_coco17": "transfer_to_coco17"},
    "padkeypoints_args": {"pad_method": "pad_method", "use_conf": (True,), "missing": "missing"},
    "norm_args": {
        "pose_format": "pose_format",
        "use_conf": (True,),
        "heatmap_image_height": "heatmap_image_height",
        "seen_only": "seen_only",
    },
    "heatmap_generator_args": {
        "sigma": "sigma",
        "use_score": "use_score",
        "img_h": "heatmap_image_height",
        "img_w": "heatmap_image_height",
        "with_limb": (None,),
        "with_kp": (None,),
    },
    "align_args": {
        "align": "align",
        "final_img_size": "final_img_size",
        "offset": "offset",
        "heatmap_image_size": "heatmap_image_height",
        "together": "together",
    },
}


def settings_from_yaml(path):
    """`MapSettings` from a file as ``configs/skeletongait/pretreatment_heatmap.yaml``.

    ``${section.key}`` stands for that key's value; what is left out has its default.

    Raises:
        GaitError: no such file, not YAML, an unknown key (the nearest known one is named), a wrong value.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GaitError(f"no settings of skeleton maps at {path}") from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise GaitError(f"{path} is not a readable YAML file: {reason}") from error
    return read_settings(content, path)


def read_settings(content, path):
    """`MapSettings` from the YAML's content, a dict of sections; ``path`` is for the messages."""
    if not isinstance(content, dict):
        raise GaitError(f"{path} holds no settings of skeleton maps: expected {', '.join(SECTIONS)}")
    found = {}
    for section, keys in content.items():
        known = _known(section, SECTIONS, f"section {section!r} in {path}")
        if not isinstance(keys, dict | None):
            raise GaitError(f"{section} in {path} must have keys of its own. Received: {keys!r}")
        for key, value in (keys or {}).items():
            where = f"{section}.{key} in {path}"
            rule, value = _known(key, known, where), _resolved(value, content, where)
            if not isinstance(rule, str):
                if value not in rule:
                    only = "null" if rule[0] is None else rule[0]
                    raise GaitError(f"{where} must be {only}. Received: {value!r}")
            elif rule in found and found[rule][0] != value:
                raise GaitError(f"{where} must be the same as {found[rule][1]}. Received: {value!r}")
            else:
                found.setdefault(rule, (value, where))
    settings = MapSettings()
    for name, (value, where) in found.items():
        try:
            settings = replace(settings, **{name: value})
        except GaitError as error:
            raise GaitError(f"{where}: {error}") from None
    return settings


def _known(name, table, where):
    if name not in table:
        nearest = difflib.get_close_matches(str(name), table, 1, 0.0)[0]
        raise GaitError(f"unknown {where}; the nearest known one is {nearest!r}")
    return table[name]


def _resolved(value, content, where):
    """The value that ``${section.key}`` stands for; any other value as it is."""
    seen = []
    while isinstance(value, str) and (match := re.fullmatch(r"\$\{(\w+)\.(\w+)\}", value)):
        section = content.get(match[1])
        if value in seen or not isinstance(section, dict) or match[2] not in section:
            raise GaitError(f"{where} points to {value}, which has no value")
        seen.append(value)
        value = section[match[2]]
    return value


def skeleton_maps(pose, settings=MapSettings()):
    """The limb and the joint map of every frame of a pose sequence, in as many threads as OpenCV may use.

    Args:
        pose: ``(T, 17, 3)``, or ``(T, 18, 3)`` with ``transfer_to_coco17``: x, y in pixels and score.

    Returns:
        ``(T, size, size, 2)`` uint8, channel 0 limbs, 1 joints. A frame without a joint, or with all joints
        at one height, is blank.

    Raises:
        GaitError: another shape or number of joints, no frames, NaN, or no valid joint in any frame. The
            caller adds the file's name.
    """
    joints = OPENPOSE_JOINTS if settings.transfer_to_coco17 else COCO_JOINTS
    pose = check_pose(pose, joints, settings.use_score)
    if settings.transfer_to_coco17:
        pose = to_coco17(pose)
    pose = fill_missing(pose, settings.pad_method, settings.missing)
    pose = normalise(pose, settings.heatmap_image_height, settings.pose_format, settings.seen_only)
    parts = np.array_split(pose, min(cv2.getNumThreads(), -(-len(pose) // CHUNK)) or 1)
    if len(parts) == 1:
        return _draw_and_align(settings, pose)
    with ThreadPoolExecutor(len(parts)) as pool:
        return np.concatenate(list(pool.map(partial(_draw_and_align, settings), parts)))


def _draw_and_align(settings, pose):
    return align(*draw(pose, settings), settings)


def segments(pose, settings):
    """A normalised pose ``(T, 17, 3)`` -> the `Segments` ``(17, T)`` of the limb and of the joint maps."""
    places, scores = pose[..., :2].swapaxes(0, 1), pose[..., 2].T
    if not settings.use_score:
        scores = np.ones_like(scores)
    how = settings.heatmap_image_height, settings.sigma, FAINTEST
    start, end = np.transpose(LIMBS)
    limbs = make_segments(places[start], places[end], scores[start], scores[end], *how)
    return limbs, make_segments(places, places, scores, scores, *how)


def draw(pose, settings):
    """A normalised pose ``(T, 17, 3)`` -> limb and joint maps, ``(T, height, height)`` uint8 each."""
    how = settings.heatmap_image_height, settings.sigma
    return tuple(grey(brightest(part, *how)) for part in segments(pose, settings))


def grey(level):
    """Levels 0..255 -> the grey values of the published maps."""
    return cv2.LUT(np.ascontiguousarray(level).reshape(1, -1), GREY).reshape(level.shape)


def align(limbs, joints, settings):
    """Maps ``(T, height, height)`` cut and scaled -> ``(T, size, size, 2)`` uint8."""
    size, height = settings.final_img_size, settings.heatmap_image_height
    maps = np.concatenate([limbs, joints])
    filled = maps.any(axis=2)
    if settings.together:
        filled = np.tile(filled.reshape(2, -1, height).any(axis=0), (2, 1))
    out = np.zeros((len(maps), size, size), np.uint8)
    places = np.flatnonzero(filled.any(axis=1))
    groups = {}
    for place, cut in zip(places, _cuts(maps, places, filled[places], settings), strict=True):
        groups.setdefault(cut.shape, []).append((place, cut))
    for group in groups.values():
        for first in range(0, len(group), 4):  # as four channels of one image, which takes half the time
            places, cuts = zip(*group[first : first + 4], strict=True)
            scaled = cv2.resize(cv2.LUT(cv2.merge(cuts), _UNIT), (size, size), interpolation=cv2.INTER_AREA)
            for place, image in zip(places, cv2.split((scaled * 255).astype(np.uint8)), strict=True):
                out[place] = image
    return cv2.merge(out.reshape(2, -1, size)).reshape(-1, size, size, 2)


def _cuts(maps, places, filled, settings):
    """Of the maps at ``places``, the rows with anything in them and around the middle as many columns.

    One column more for an even number of rows.
    """
    if not settings.align:
        return [maps[place] for place in places]
    height = maps.shape[1]
    tops, bottoms = filled.argmax(axis=1), height - filled[:, ::-1].argmax(axis=1)
    half, middle, offset = (bottoms - tops) // 2, height // 2, settings.offset
    edges = np.maximum(tops - offset, 0), bottoms + offset, np.maximum(middle - half, 0), middle + half + 1
    return [
        maps[place, top:bottom, left:right]
        for place, top, bottom, left, right in zip(places, *(edge.tolist() for edge in edges), strict=True)
    ]
