"""Model files with a few wrong bytes anywhere: they open, or are refused by one line that names them."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from keras_gait.checkpoints import load_model
from keras_gait.errors import GaitError
from keras_gait.training.checkpointing import export

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
WHOLE = FIXTURES / "attengait" / "model-final.hdf5"
OURS = FIXTURES / "attengait_small.keras"
COPIES = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Model files of three kinds: published, ours as ``.hdf5`` and as ``.keras``."""
    ours = tmp_path_factory.mktemp("ours") / "ours.hdf5"
    export(load_model(OURS), ours)
    return {"published": WHOLE, "hdf5": ours, "keras": OURS}


def damaged(content, number):
    """A copy with six random bytes changed, most of them where the file tells its structure; some cut off."""
    rng = np.random.default_rng(number)
    copy = bytearray(content)
    for place in rng.integers(0, len(copy) if number % 2 else min(len(copy), 30_000), 6):
        copy[place] = rng.integers(256)
    return copy[: rng.integers(1, len(copy))] if number % 5 == 0 else copy


@pytest.mark.parametrize("kind", ["published", "hdf5", "keras"])
def test_a_file_with_wrong_bytes_opens_or_is_refused_by_one_line(files, tmp_path, kind):
    content = files[kind].read_bytes()
    path = tmp_path / f"model{files[kind].suffix}"
    refusals = []
    for number in range(COPIES):
        path.write_bytes(damaged(content, number))
        try:
            load_model(path)
        except GaitError as error:
            refusals.append(str(error))
    assert len(refusals) > COPIES // 4
    assert all(str(path) in refusal and "\n" not in refusal for refusal in refusals)


@pytest.mark.parametrize(
    "layer",
    [
        {},
        {"class_name": "HPP", "config": {}},
        {"class_name": "AttentionConv", "config": {"softmax": True, "dropout_rate": "much"}},
        {"class_name": "InputLayer", "config": {"batch_input_shape": 3}},
        "HPP",
    ],
)
def test_a_damaged_configuration_is_refused(tmp_path, layer):
    path = Path(shutil.copy(WHOLE, tmp_path))
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": [layer]}})
    with pytest.raises(GaitError, match=r"model-final\.hdf5: the file's model_config is damaged"):
        load_model(path)
