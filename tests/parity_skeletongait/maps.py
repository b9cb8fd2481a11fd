"""How the fixtures of skeleton maps and poses are computed (see `parity_attengait`)."""

import numpy as np
from fixtures import reader

from keras_gait.vision.gaussians import Segments, level, values
from keras_gait.vision.poses import fill_missing, normalise, to_coco17
from keras_gait.vision.skeleton_maps import align, draw, grey, read_settings, segments, skeleton_maps


def heatmap(meta, inputs, path):
    settings = read_settings(meta["config"], "the fixture")
    height = settings.heatmap_image_height
    coco17 = inputs["pose"].astype(np.float64)
    if settings.transfer_to_coco17:
        coco17 = to_coco17(coco17)
    padded = fill_missing(coco17, settings.pad_method, settings.missing)
    normalized = normalise(padded, height, settings.pose_format, settings.seen_only)
    limbs, joints = draw(normalized, settings)
    final = skeleton_maps(inputs["pose"], settings)
    assert (align(limbs, joints, settings) == final).all()
    limb_raw, joint_raw = (raw(part, height, settings.sigma) for part in segments(normalized, settings))
    computed = {
        "coco17": coco17,
        "padded": padded,
        "normalized": normalized,
        "limb_map": limbs[:, None],
        "joint_map": joints[:, None],
        "limb_raw": limb_raw,
        "joint_raw": joint_raw,
        "final": np.moveaxis(final, -1, 1),
    }
    if inputs["pose"].dtype == np.float32:
        meta["allowed"] = one_level(reader.load(path)[2], computed)
    return computed


def one_level(expected, computed):
    """The notes' exception: one grey level in at most 1 percent of the pixels.

    Used for float32 poses alone: there the published imputer's distances are float32 differences of large
    squares, and depend on the machine.
    """
    maps = {"limb_map", "joint_map", "final"} & set(expected)
    return {name: 1 for name in maps if (expected[name] != computed[name]).mean() <= 0.01}


def raw(part, height, sigma):
    """Three single maps, every second row and column."""
    grid = np.arange(0, height, 2)
    frames = part.score.shape[1]
    chosen = [(5, 0), (16, 0), (11, min(1, frames - 1))]
    maps = [values(Segments(*(field[at] for field in part)), grid, grid[:, None], sigma) for at in chosen]
    return np.stack(maps)


def colormap(meta, inputs, path):
    return {"grey": grey(level(inputs["value"]))}


def oumvlp(meta, inputs, path):
    return {"pose17": to_coco17(inputs["pose18"])}


FAMILIES = {"heatmap": heatmap, "heatmap_colormap": colormap, "oumvlp_18_to_17": oumvlp}
