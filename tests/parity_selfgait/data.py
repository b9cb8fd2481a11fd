"""Splits, windows, frames of SelfGait."""

import numpy as np
from keras import ops

from keras_gait.data.dataset import GaitDataset
from keras_gait.data.label_split import by_rates, walking_order, windows, without
from keras_gait.layers.frames import CentreColumns
from keras_gait.vision.silhouette import gaitset_silhouette

LEFT_OUT = {"CASIA-B": ["005"]}


def _listed(tree):
    """A data set of the sequences ``"<subject>/<type>/<view>:<number of frames>"``, without their frames."""
    names, counts = zip(*(str(entry).rsplit(":", 1) for entry in tree), strict=True)
    subject, kind, view = zip(*(name.split("/") for name in names), strict=True)
    index = {"subject": subject, "condition": kind, "view": view, "video": [""] * len(names)}
    index |= {"frames": list(map(int, counts))}
    return GaitDataset("tree", {"frame_shape": (64, 64, 1), "dtype": "uint8"}, index, None, "tree")


def split(meta, inputs, path):
    config = meta["config"]
    dataset = without(_listed(inputs["tree"]), LEFT_OUT.get(config.get("dataset", "CASIA-B"), []))
    dataset = dataset.select(walking_order(dataset))
    random = np.random.RandomState(config["numpy_seed"])
    rows, starts = windows(dataset.frames, config.get("f_length", 30), random)
    dataset = dataset.select(rows)
    rates = config.get("partition_rate", 0.8), config.get("label_rate", 0.0)
    sets = by_rates(dataset.subject, *rates, by="sequences", published=True)
    parts = zip(dataset.subject, dataset.types, dataset.view, strict=True)
    names = np.array(list(map("/".join, parts)))
    computed = {role: names[rows] for role, rows in sets._asdict().items()}
    return computed | {f"{role}_first_frame": starts[rows] + 1 for role, rows in sets._asdict().items()}


def item(meta, inputs, path):
    frames = np.asarray(inputs["frames"])
    size = int(meta["config"].get("resolution", 64))
    clip = CentreColumns(frames.shape[2] - 2 * int(size / 64 * 10))(frames[None, ..., None])
    return {"clip": ops.convert_to_numpy(clip)[0, ..., 0]}


def pretreatment(meta, inputs, path):
    cuts = {name.replace("image", "cut"): gaitset_silhouette(image) for name, image in inputs.items()}
    meta.setdefault("allowed", {}).update(dict.fromkeys(cuts, meta["atol"]))  # grey levels, as the notes say
    return {name: np.zeros((0, 0), np.uint8) if cut is None else cut for name, cut in cuts.items()}


FAMILIES = {"split": split, "item": item, "pretreatment": pretreatment}
