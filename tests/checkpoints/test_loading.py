"""Model files of every kind open, and whatever is no model is refused by one clear line."""

import re
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from fixtures import reader
from keras import ops

from keras_gait.checkpoints import attengait_from_weights, load_model
from keras_gait.checkpoints.attengait import published_variables
from keras_gait.checkpoints.legacy_hdf5 import read_weights
from keras_gait.errors import GaitError
from keras_gait.models import AttenGait

pytestmark = pytest.mark.backend

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
WHOLE = FIXTURES / "attengait" / "model-final.hdf5"
WEIGHTS = FIXTURES / "attengait" / "model-state-0100_weights.hdf5"


@pytest.fixture
def weights():
    """The arrays of a published weight file, by their published names."""
    return read_weights(WEIGHTS)[0]


def arrays(model):
    return [ops.convert_to_numpy(w) for w in model.weights]


def refused(path):
    with pytest.raises(GaitError) as error:
        load_model(path)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("path", [WHOLE, WEIGHTS], ids=["whole model", "weights alone"])
def test_a_published_file_tells_its_architecture(path):
    model = load_model(path)
    meta, inputs, _ = reader.load(path.with_suffix(".npz"))
    config = meta["config"]
    assert list(model.n_filters) == config["n_filters"]
    assert model.combined_output_length == config["combined_output_length"]
    assert model.split_crossentropy == config["split_crossentropy"]
    assert tuple(model(inputs["frames"])["embeddings"].shape[1:]) == (62, config["combined_output_length"])


def test_a_whole_model_tells_its_attention_and_weights_alone_do_not():
    assert (
        load_model(WHOLE).softmax_attention
        is reader.load(WHOLE.with_suffix(".npz"))[0]["config"]["softmax_attention"]
    )
    assert load_model(WEIGHTS).softmax_attention is False
    assert load_model(WEIGHTS, softmax_attention=True).softmax_attention is True


def test_numbers_in_names_may_start_anywhere(weights):
    # what a second model built in the same process is called
    def renamed(name):
        layer, rest = name.split("/", 1)
        kind, number = re.fullmatch(r"(.*?)(?:_(\d+))?", layer).groups()
        return f"{kind}_{int(number or 0) + 7}/{rest}"

    moved = {renamed(name): value for name, value in weights.items()}
    assert "time_distributed_7/kernel:0" in moved
    for a, b in zip(
        arrays(attengait_from_weights(weights)), arrays(attengait_from_weights(moved)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_layers_are_taken_by_number_not_by_their_order_in_the_file(weights):
    turned = dict(sorted(weights.items(), reverse=True, key=lambda item: item[0].split("/")[0]))
    assert list(turned) != list(weights)
    for a, b in zip(
        arrays(attengait_from_weights(weights)), arrays(attengait_from_weights(turned)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("hpp", "no layer of kind hpp"),
        ("attention_conv_3", "attention_conv: 18 arrays in the file, 21 in the model"),
        ("time_distributed_3", "7 or 13 convolutions and 2 part maps expected, found 6 and 2"),
        ("mat_mul_1", "found 7 and 1"),
    ],
)
def test_a_missing_layer_is_named(weights, layer, message):
    left = {name: value for name, value in weights.items() if name.split("/")[0] != layer}
    assert len(left) < len(weights)
    with pytest.raises(GaitError, match=message):
        attengait_from_weights(left)


def test_an_extra_layer_is_named(weights):
    with pytest.raises(GaitError, match="unknown layer 'lstm_1'"):
        attengait_from_weights(weights | {"lstm_1/kernel:0": np.zeros((2, 2))})
    with pytest.raises(GaitError, match="hpp: 6 arrays in the file, 5 in the model"):
        attengait_from_weights(weights | {"hpp/conv2d_9/kernel:0": np.zeros((2, 2))})


def test_every_wrong_shape_is_listed(weights):
    wrong = dict(weights)
    gamma = next(name for name in weights if name.startswith("attention_hpp/") and "gamma" in name)
    wrong[gamma] = wrong[gamma][:1]
    wrong["time_distributed_2/kernel:0"] = np.zeros((5, 3, 1, 1))
    with pytest.raises(GaitError, match=r"time_distributed array 2: .*; attention_hpp array 1: \(1,\) in"):
        attengait_from_weights(wrong)


@pytest.mark.parametrize(
    "name", ["time_distributed/kernel:0", "hpp/conv2d/kernel:0", "mat_mul_1/matmul_kernel:0"]
)
def test_a_weight_of_another_rank_is_refused(weights, name):
    assert name in weights
    with pytest.raises(GaitError, match="AttenGait"):
        attengait_from_weights(weights | {name: np.zeros(3)})


def test_our_own_file_opens():
    model = load_model(FIXTURES / "attengait_small.keras")
    assert type(model) is AttenGait
    assert not model.compiled


def test_a_missing_file_is_refused(tmp_path):
    assert "no model file" in refused(tmp_path / "model.keras")


def test_a_folder_is_refused(tmp_path):
    assert "no model file" in refused(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("not a model")
    assert "expected a .keras file, Keras HDF5 (.hdf5, .h5), or .pt" in refused(tmp_path / "notes.txt")


@pytest.mark.parametrize("kept", [100, 0.5, 0.999])
@pytest.mark.parametrize("source", [FIXTURES / "attengait_small.keras", WHOLE, WEIGHTS], ids=lambda p: p.name)
def test_a_file_that_is_cut_off_is_refused(tmp_path, source, kept):
    content = source.read_bytes()
    cut = tmp_path / source.name
    cut.write_bytes(content[: kept if kept > 1 else int(kept * len(content))])
    refused(cut)


def test_an_archive_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    refused(tmp_path / "model.keras")


def test_a_damaged_archive_is_refused(tmp_path):
    content = bytearray((FIXTURES / "attengait_small.keras").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20000] = bytes(20000)  # in the midst of the weights
    (tmp_path / "model.keras").write_bytes(content)
    refused(tmp_path / "model.keras")


def test_hdf5_without_weights_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["frames"] = np.zeros(3)
    assert "layer_names" in refused(tmp_path / "data.h5")


def test_a_keras_model_of_another_kind_is_refused_by_its_name(tmp_path):
    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Dense(1)(inputs)).save(tmp_path / "other.keras")
    assert "Functional" in refused(tmp_path / "other.keras")
    assert "AttenGait" in refused(tmp_path / "other.keras")


@pytest.mark.parametrize("shape", [(64, 44, 1), (65, 43, 2)])
def test_the_weights_tell_frames_on_which_they_run(shape):
    tiny = {"n_filters": (2, 3, 2, 3), "combined_output_length": 2}
    model = AttenGait(frame_shape=shape, **tiny)
    kinds = {"hpp": 5, "temporal_hpp": 5, "attention_conv": 3, "attention_hpp": 3}
    weights = {}
    for kind, variables in published_variables(model).items():
        for i, variable in enumerate(variables):
            layer, place = divmod(i, kinds.get(kind, 1))
            weights[f"{kind}_{layer}/{place}:0"] = ops.convert_to_numpy(variable)
    found = attengait_from_weights(weights)
    assert found.frame_shape[2] == shape[2]
    assert found.frame_shape[1] == shape[1]
    assert attengait_from_weights(weights, frame_shape=shape).frame_shape == shape
