"""How the fixtures of data on disk and silhouettes are computed (see `parity_attengait`)."""

import pickle
import tempfile
from pathlib import Path

import numpy as np

from keras_gait.data.opengait.pose_files import SELECTION, read_poses, silhouette_scores
from keras_gait.data.opengait.sets import list_sequences, published_labels
from keras_gait.data.opengait.silhouettes import align_silhouette
from keras_gait.vision.silhouette import ccpg_silhouette


def _numbered(inputs, stem):
    """The inputs ``stem0``, ``stem1``, ... in order."""
    return [inputs[f"{stem}{number}"] for number in range(sum(name.startswith(stem) for name in inputs))]


def silhouette_pretreatment(meta, inputs, path):
    config = meta["config"]
    # The published command knows two ways; CCPG's own belongs to another command and its own fixtures.
    dataset = "grew" if config["dataset"].lower() == "grew" else "casiab"
    aligned = [align_silhouette(frame, config["img_size"], dataset) for frame in _numbered(inputs, "frame_")]
    kept = np.array([frame is not None for frame in aligned])
    _allow_single_pixels(meta, "aligned")
    return {"kept": kept, "aligned": np.array([frame for frame in aligned if frame is not None], np.uint8)}


def silhouette_cut_img_ccpg(meta, inputs, path):
    config, computed = meta["config"], {}
    aligned = [ccpg_silhouette(frame, config["T_H"], config["T_W"]) for frame in _numbered(inputs, "frame_")]
    for number, frame in enumerate(aligned):
        if frame is not None:
            computed[f"aligned_{number}"] = frame
            _allow_single_pixels(meta, f"aligned_{number}")
    return {"is_none": np.array([frame is None for frame in aligned]), **computed}


def _allow_single_pixels(meta, name):
    """The notes: at most one grey level off."""
    meta.setdefault("allowed", {})[name] = 1


def pose_files(meta, inputs, path):
    with tempfile.TemporaryDirectory() as folder:
        texts, jsons = Path(folder, "texts"), Path(folder, "jsons")
        texts.mkdir()
        jsons.mkdir()
        for number, text in enumerate(_numbered(inputs, "txt_")):
            (texts / f"{number:04d}.txt").write_text(str(text))
        for name, text in zip(meta["config"]["json_names"], _numbered(inputs, "json_"), strict=True):
            (jsons / name).write_text(str(text))
        selection = zip(inputs["selection_frames"].tolist(), inputs["selection_index"].tolist(), strict=True)
        (jsons / SELECTION).write_bytes(pickle.dumps(dict(selection)))
        (from_texts,), (from_jsons,) = read_poses(texts, "view"), read_poses(jsons, "view")
    return {"txt_keypoints": from_texts.joints, "json_keypoints": from_jsons.joints}


def pose_selection(meta, inputs, path):
    scores = silhouette_scores(inputs["poses"], inputs["silhouette"])
    return {"score": scores, "best": scores.argmax()}


def dataset_listing(meta, inputs, path):
    config, computed = meta["config"], {}
    with tempfile.TemporaryDirectory() as root:
        for name in map(str, inputs["paths"]):
            place = Path(root, name)
            (place if name.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                place.touch()
        for variant, options in config["variants"].items():
            training, name = options["training"], options["dataset_name"]
            ids = config["partition"]["TRAIN_SET" if training else "TEST_SET"]
            listed = list_sequences(root, ids, options["data_in_use"], name)
            labels = published_labels(listed, name if training else "", options["self_supervised"])
            computed[f"{variant}_sequences"] = np.array(
                [
                    "|".join((label, entry.kind, entry.view, ",".join(entry.files)))
                    for label, entry in zip(labels, listed, strict=True)
                ]
            )
            computed[f"{variant}_label_set"] = np.array(sorted(set(labels)))
    return computed


FAMILIES = {
    "dataset_listing": dataset_listing,
    "silhouette_pretreatment": silhouette_pretreatment,
    "silhouette_cut_img_ccpg": silhouette_cut_img_ccpg,
    "pose_files": pose_files,
    "pose_selection": pose_selection,
}
