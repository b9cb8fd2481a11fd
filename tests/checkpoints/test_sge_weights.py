"""SGE's published TensorFlow 1 checkpoints: read, put together out of their folders, refused in one line."""

import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from fixtures import reader
from tf1_checkpoints import recognition_state, write_models, write_tf1

from keras_gait.checkpoints import load_model
from keras_gait.checkpoints.sge_folders import parse_folder
from keras_gait.checkpoints.sge_models import recognition_from_state
from keras_gait.checkpoints.tf1 import find_prefix, read_tf1
from keras_gait.errors import GaitError
from keras_gait.models import SGE

PUBLISHED = Path(__file__).parents[1] / "fixtures" / "sge" / "recognition_published_ias.npz"
END = "20_0.15_0"
TINY = {"frames": 4, "joints": 5, "units": 3, "hidden": 6}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return SGE(3, ("0", "1", "2"), **TINY)


@pytest.fixture(scope="module")
def published(model, tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("published") / "Models", model)


@pytest.fixture
def copy(published, tmp_path):
    """The folders in a copy that a test may change -> the recognition network's checkpoint."""
    shutil.copytree(published.parents[2], tmp_path / "Models")
    return tmp_path / "Models" / published.relative_to(published.parents[2])


def outputs_of(model, name="embeddings"):
    """What a model makes of two sequences of noise."""
    values = np.random.default_rng(0).normal(size=(2, model.frames, model.joints, 3)).astype(np.float32)
    return keras.ops.convert_to_numpy(model(values)[name])


def test_recognition_network_and_encoders_become_the_model_that_they_are_of(model, published):
    loaded = load_model(published)
    assert loaded.subjects is None
    assert (loaded.nclasses, loaded.frames, loaded.joints, loaded.units, loaded.manner) == (3, 4, 5, 3, "ap")
    assert np.allclose(outputs_of(model), outputs_of(loaded), atol=1e-5)
    assert np.allclose(outputs_of(model, "logits"), outputs_of(loaded, "logits"), atol=1e-5)


def test_encoders_alone_become_a_model_without_classifier(model, published):
    encoder = published.parents[2] / "Gait_Encoding_models" / "BIWI_LA_y_4_0.1_0pre_rev_rec"
    loaded = load_model(encoder / "trained_model.ckpt")
    assert (loaded.nclasses, loaded.manner) == (0, "sc")
    ours = outputs_of(model).reshape(2, 4, 3, 3)
    theirs = outputs_of(loaded).reshape(2, 3, 4, 3)
    assert np.allclose(ours, theirs.swapaxes(1, 2), atol=1e-5)


def test_rev_rec_plus_has_the_weights_of_rev_rec_in_all_three_as_its_network_learned_from(tmp_path):
    keras.utils.set_random_seed(0)
    plus = SGE(3, pretext="rev_rec_plus", manner="sc", **TINY)
    name = "CASIA_B_RN_sc_4_0.15_0view_2pre_rev_rec_plus_double_rev_rec+pred"
    path = write_models(tmp_path, plus, name, "CASIA_B_LA_{}_4_0.15_0view_2pre_rev_rec_test_adj_2")
    loaded = load_model(path)
    assert (loaded.tasks, loaded.normalise) == (("rev_rec", "prediction", "sorting"), "joint")
    first, second, third = (loaded.get_layer(f"{task}-z").get_weights() for task in loaded.tasks)
    assert all((a == b).all() and (a == c).all() for a, b, c in zip(first, second, third, strict=True))


def test_the_version_of_ijcai_has_no_projection_head(tmp_path):
    keras.utils.set_random_seed(0)
    ages = SGE(3, **TINY | {"frames": 6}, contrast="none")
    loaded = load_model(write_models(tmp_path, ages, "BIWI_LA_RN_ap", "BIWI_LA_{}"))
    assert (loaded.frames, loaded.contrast) == (6, "none")
    assert np.allclose(outputs_of(ages, "logits"), outputs_of(loaded, "logits"), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BIWI_LA_RN_ap_6_0.1_0pre_rev_rec", ("BIWI", "LA", None, "ap", 6, "rev_rec", "6_0.1_0")),
        ("KS20_BA_RN_sc_9_0.1_0view_2pre_sorting", ("KS20", "BA", None, "sc", 9, "sorting", "9_0.1_0view_2")),
        ("IAS_RN_ap_8_0.1_0pre_rev_rec_plus", ("IAS", None, None, "ap", 8, "rev_rec_plus", "8_0.1_0")),
        ("CASIA_B_LA_x_20_0.15_0pre_rev_rec_mid_match", ("CASIA_B", "LA", "x", None, 20, "rev_rec", END)),
        ("CASIA_B_LA_z_20_0.15_0pre_sorting_L4_test_adj_2", ("CASIA_B", "LA", "z", None, 20, "sorting", END)),
        ("IAS_LA_RN_ap", ("IAS", "LA", None, "ap", 6, "rev_rec", "")),
    ],
)  # fmt: skip
def test_names_tell_what_weights_are(name, expected, tmp_path):
    found = parse_folder(tmp_path / name / "trained_model.ckpt")
    assert (
        found.dataset,
        found.attention,
        found.axis,
        found.manner,
        found.frames,
        found.model,
        found.settings,
    ) == expected


def test_a_folder_is_read_by_its_note_wherever_it_was_trained(published, copy):
    assert set(read_tf1(copy)) >= {"W1", "b1", "W", "Variable", "W1/Adam3", "learning_rate"}
    (copy.parent / "checkpoint").write_text('model_checkpoint_path: "/home/a/Models/x/trained_model.ckpt"\n')
    assert find_prefix(copy.parent) == copy
    assert load_model(copy.parent).nclasses == 3


def test_trained_weights_of_others_give_their_logits():
    if not PUBLISHED.is_file():
        pytest.skip("trained weights of others are not part of this project")
    meta, inputs, outputs = reader.load(PUBLISHED)
    weights = {name: inputs[f"weights/{name}"].astype(np.float32) for name in ("W1", "b1", "W", "Variable")}
    logits = recognition_from_state(weights).predict(inputs["X"], verbose=0)
    assert np.abs(logits - outputs["logits"]).max() <= reader.tolerance(meta, "logits", outputs["logits"])


def refusal(path):
    with pytest.raises(GaitError) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_encoders_the_line_says_which_is_missing(copy):
    shutil.rmtree(copy.parents[2] / "Gait_Encoding_models" / "BIWI_LA_y_4_0.1_0pre_rev_rec")
    message = refusal(copy)
    assert re.search(
        r"encoders x, y and z, but \S*BIWI_LA_y_4_0.1_0pre_rev_rec/trained_model.ckpt is missing", message
    )
    assert "val_X.npy" in message


def test_a_folder_of_another_name_is_refused(copy, tmp_path):
    other = shutil.copytree(copy.parent, tmp_path / "weights")
    assert "the folder's name 'weights' does not tell" in refusal(other / copy.name)


def test_missing_and_damaged_files_are_told(copy):
    data = copy.with_name("trained_model.ckpt.data-00000-of-00001")
    kept = data.read_bytes()
    data.write_bytes(kept[: len(kept) // 2])
    assert "does not open as a checkpoint of TensorFlow 1" in refusal(copy)
    data.unlink()
    assert "trained_model.ckpt.data-00000-of-00001 is missing" in refusal(copy)
    copy.with_name("trained_model.ckpt.index").write_bytes(b"no index")
    data.write_bytes(kept)
    assert "does not open as a checkpoint of TensorFlow 1" in refusal(copy)
    assert "no model file" in refusal(copy.with_name("other.ckpt"))
    with pytest.raises(GaitError, match="holds no file 'checkpoint'"):
        read_tf1(copy.parent)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W1": None}, "no recognition network: the weights W1 are missing"),
        ({"W1": np.zeros((7, 6), np.float32)}, r"W1 is \(7, 6\), but features and classes need \(9, 6\)"),
        ({"b1": np.full(6, np.nan, np.float32)}, "b1 has numbers that are not finite"),
        ({"W": np.zeros(6, np.float32)}, "W is no matrix of real numbers"),
    ],
)
def test_weights_that_do_not_fit_are_refused(model, copy, changes, message):
    state = recognition_state(model) | changes
    write_tf1(copy, {name: array for name, array in state.items() if array is not None})
    assert re.search(message, refusal(copy))


def test_an_encoder_that_is_none_is_refused(copy):
    encoder = copy.parents[2] / "Gait_Encoding_models" / "BIWI_LA_x_4_0.1_0pre_rev_rec" / copy.name
    write_tf1(encoder, {"W1": np.zeros((2, 2), np.float32)})
    assert "no weights of an SGE encoder" in refusal(copy)


def test_another_systems_name_is_refused(published):
    with pytest.raises(GaitError, match="a checkpoint of TensorFlow 1, SGE's, not of gaitgraph2"):
        load_model(published, method="gaitgraph2")
