"""mains/test.py with SGE's published folders: on data sets of ours, and on the features saved beside them."""

import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from checks import refused
from skeleton_sets import write_sets
from tf1_checkpoints import recognition_state, write_models, write_tf1

from keras_gait.models import SGE

pytestmark = pytest.mark.usefixtures("step_by_step")

NAME = "IAS_LA_RN_ap_4_0.1_0pre_rev_rec"


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return SGE(3, ("0", "1", "2"), frames=4, joints=20, units=3, hidden=6)


@pytest.fixture(scope="module")
def place(model, tmp_path_factory):
    """Sets like IAS in ``sets``, the published folders in ``Models``."""
    place = tmp_path_factory.mktemp("published")
    write_sets(place / "sets")
    write_models(place / "Models", model, NAME, "IAS_LA_{}_4_0.1_0pre_rev_rec")
    return place


@pytest.fixture
def test_py(place, tmp_path, command, monkeypatch):
    """The command in a copy of the place."""
    monkeypatch.chdir(shutil.copytree(place, tmp_path / "place"))
    return lambda *arguments: command("mains/test.py", *arguments)


def save_features(model, begin, right):
    """Frames' features and one-hot labels beside the network, which names the sequences of the mask ``right``
    as labelled."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4 * len(right), 9)).astype(np.float32)
    logits = scores_of(model, features)
    one_hot = np.eye(3)[np.repeat(np.where(right, logits, (logits + 1) % 3), 4)]
    np.save(f"Models/CAGEs_RN_models/{NAME}/{begin}_X.npy", features)
    np.save(f"Models/CAGEs_RN_models/{NAME}/{begin}_y.npy", one_hot)


def scores_of(model, features):
    """Whom the recognition network of a model names of each four rows."""
    hidden = np.maximum(features @ weights(model, "hidden")[0] + weights(model, "hidden")[1], 0)
    logits = hidden @ weights(model, "logits")[0] + weights(model, "logits")[1]
    return logits.reshape(-1, 4, 3).mean(axis=1).argmax(axis=1)


def weights(model, layer):
    return model.get_layer(layer).get_weights()


@pytest.mark.parametrize("end", ["", "/trained_model.ckpt", "/trained_model.ckpt.index"])
def test_published_weights_are_evaluated_on_a_data_set(test_py, end):
    result = test_py("--model", f"Models/CAGEs_RN_models/{NAME}{end}", "--datadir", "sets")
    assert result.code == 0, result.err
    assert "IAS-B: 9 sequences of 3 people, 3 known" in result.out
    assert "Nearest neighbours" in result.out


def test_embeddings_of_other_encoders_are_not_taken_for_these(test_py, model):
    flags = ("--model", f"Models/CAGEs_RN_models/{NAME}", "--datadir", "sets")
    test_py(*flags)
    assert "gallery: embeddings taken from" in test_py(*flags).out
    source, other = (Path(f"Models/Gait_Encoding_models/IAS_LA_{axis}_4_0.1_0pre_rev_rec") for axis in "xy")
    shutil.rmtree(other)
    shutil.copytree(source, other)
    assert "taken from" not in test_py(*flags).out


def test_encoders_alone_are_evaluated_by_neighbours(test_py):
    encoder = "Models/Gait_Encoding_models/IAS_LA_z_4_0.1_0pre_rev_rec"
    result = test_py("--model", encoder, "--datadir", "sets")
    assert result.code == 0, result.err
    assert "Nearest neighbours" in result.out
    assert "nAUC" not in result.out


def test_saved_features_are_scored_without_encoders(test_py, model):
    shutil.rmtree("Models/Gait_Encoding_models")
    save_features(model, "val", [True, True, True, False])
    result = test_py("--model", f"Models/CAGEs_RN_models/{NAME}")
    assert result.code == 0, result.err
    assert "IAS: 4 sequences" in result.out
    assert "Rank-1: 75.00 %" in result.out


def test_both_sets_of_ias_are_scored_by_their_own_networks(test_py, model):
    keras.utils.set_random_seed(1)
    other = SGE(3, frames=4, joints=20, units=3, hidden=6)
    write_tf1(Path(f"Models/CAGEs_RN_models/{NAME}/B_trained_model.ckpt"), recognition_state(other))
    save_features(model, "val", [True, True, False, False])
    save_features(other, "val_2", [True, True, True, True, False])
    result = test_py("--model", f"Models/CAGEs_RN_models/{NAME}")
    assert re.findall(r"^(IAS-\w): (\d)", result.out, re.MULTILINE) == [("IAS-A", "4"), ("IAS-B", "5")]
    assert re.findall(r"^Rank-1: (\S+) %", result.out, re.MULTILINE) == ["50.00", "80.00"]


def test_neither_data_nor_saved_features_is_one_line(test_py):
    message = refused(test_py("--model", f"Models/CAGEs_RN_models/{NAME}"), "test.py")
    assert "where is the data? Give --datadir" in message
    assert "no saved features (val_X.npy) lie beside" in message


def test_missing_encoders_are_named(test_py):
    shutil.rmtree("Models/Gait_Encoding_models/IAS_LA_y_4_0.1_0pre_rev_rec")
    flags = ("--model", f"Models/CAGEs_RN_models/{NAME}", "--datadir", "sets")
    message = refused(test_py(*flags), "test.py")
    assert "IAS_LA_y_4_0.1_0pre_rev_rec/trained_model.ckpt is missing" in message


def test_pointers_and_features_of_another_network_are_refused(test_py, model):
    folder = f"Models/CAGEs_RN_models/{NAME}"
    save_features(model, "val", [True] * 4)
    np.save(f"{folder}/val_y.npy", np.eye(4)[[0] * 16])
    assert "they are not of this network" in refused(test_py("--model", folder), "test.py")
    np.save(f"{folder}/val_y.npy", np.array(["a"]))
    assert "expected numbers (rows, columns)" in refused(test_py("--model", folder), "test.py")
    with open(f"{folder}/val_X.npy", "w") as file:
        file.write("version https://git-lfs.github.com/spec/v1\n")
    assert "a pointer of Git LFS is none" in refused(test_py("--model", folder), "test.py")


def test_training_people_of_another_number_are_refused(test_py, place):
    write_sets(place / "four", people=(0, 1, 2, 3))
    flags = ("--model", f"Models/CAGEs_RN_models/{NAME}", "--datadir", place / "four")
    message = refused(test_py(*flags), "test.py")
    assert "the model knows 3 people and does not tell whom" in message
    assert "has 4: give its own training set by --gallery" in message
