"""How the fixtures of pose files are computed (see `parity_gaitgraph2`)."""

import tempfile
from pathlib import Path

import numpy as np

from keras_gait.data.poses.casiab import FILE, STATUSES, casiab_splits, index_rows, load_rows
from keras_gait.data.poses.oumvlp import ID_LIST, list_sequences, read_id_list, read_sequence


def csv_casia_b(meta, inputs, path):
    keys, computed = [], {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, FILE)
        file.write_text("\n".join(map(str, inputs["lines"])) + "\n")
        splits, _ = casiab_splits(index_rows(file)[0])
        for number, sequence in enumerate(splits[meta["config"]["split"]][1]):
            subject, status, take, view = sequence.source.walk
            keys.append((subject, STATUSES.index(status), take, view))
            computed[f"x_{number}"], _ = load_rows(sequence.source)
    return {"keys": np.array(keys), **computed}


def json_oumvlp(meta, inputs, path):
    config, keys, computed = meta["config"], [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(inputs["paths"].tolist(), inputs["texts"].tolist(), strict=True):
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        Path(folder, ID_LIST).write_text(str(inputs["id_list"]))
        subjects, _ = read_id_list(Path(folder, ID_LIST))
        root = Path(folder, config.get("keypoints", "openpose"))
        for sequence in list_sequences(root, subjects[config["split"]])[0]:
            poses, numbers, _ = read_sequence(sequence.source)
            if len(poses):
                computed[f"x_{len(keys)}"], computed[f"frame_num_{len(keys)}"] = poses, numbers
                keys.append((int(sequence.subject), int(sequence.view), int(sequence.video)))
    return {"keys": np.array(keys), **computed}


FAMILIES = {"csv_casia_b": csv_casia_b, "json_oumvlp": json_oumvlp}
