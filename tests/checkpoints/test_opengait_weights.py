"""Published OpenGait weights: they load strictly by name, and a hostile file runs nothing."""

import os
import pickle
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.checkpoints import load_model, load_state, model_from_state, read_state
from keras_gait.checkpoints.by_name import published_variables
from keras_gait.errors import GaitError
from keras_gait.models import SkeletonGait, SkeletonGaitPlusPlus

pytestmark = pytest.mark.backend

FRAME = (16, 16, 2)
TINY = {"nclasses": 3, "layers": (1, 2, 1, 1), "channels": (2, 3, 4, 5), "frame_shape": FRAME}


def state_of(model, seed=0):
    """Random arrays by the published names and shapes, as a checkpoint of this model has them."""
    rng = np.random.default_rng(seed)
    state = {}
    for published in published_variables(model):
        state[published.name] = (0.5 + rng.random(published.shape)).astype("float32")
        if published.name.endswith("running_var"):
            counter = published.name.replace("running_var", "num_batches_tracked")
            state[counter] = np.array(7, np.int64)
    return state


@pytest.fixture(scope="module")
def state():
    return state_of(SkeletonGait(**TINY))


def torch_file(path, content):
    torch = pytest.importorskip("torch")

    def tensors(value):
        if isinstance(value, dict):
            return {key: tensors(entry) for key, entry in value.items()}
        return torch.from_numpy(value) if isinstance(value, np.ndarray) else value

    torch.save(tensors(content), path)
    return path


def embed(model):
    frames = np.random.default_rng(3).integers(0, 256, (1, 3, *model.frame_shape), np.uint8)
    return ops.convert_to_numpy(model.encoder(frames))


@pytest.mark.parametrize("wrapped", [True, False], ids=["whole checkpoint", "weights alone"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_pt_file_gives_the_model_that_its_arrays_give(state, tmp_path, wrapped, prefix):
    named = {prefix + name: value for name, value in state.items()}
    whole = {"model": named, "optimizer": {"state": {}, "lr": 0.1}, "iteration": 60000}
    path = torch_file(tmp_path / "SkeletonGait-60000.pt", whole if wrapped else named)
    model = load_model(path, frame_shape=FRAME)
    assert type(model) is SkeletonGait
    np.testing.assert_array_equal(embed(model), embed(model_from_state(state, frame_shape=FRAME)))


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="the backend itself needs PyTorch")
def test_arrays_by_name_need_no_pytorch(state, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    np.savez(tmp_path / "weights.npz", **state)
    model = load_model(tmp_path / "weights.npz", frame_shape=FRAME)
    np.testing.assert_array_equal(embed(model), embed(model_from_state(state, frame_shape=FRAME)))
    (tmp_path / "weights.pt").write_bytes(b"")
    with pytest.raises(GaitError, match=r"weights\.pt needs PyTorch to open"):
        load_model(tmp_path / "weights.pt")


@pytest.mark.parametrize("mode", ["2d", "3d", "p3d"])
def test_names_and_shapes_tell_mode_blocks_widths_and_classes(mode):
    settings = TINY | {"mode": mode}
    found = model_from_state(state_of(SkeletonGait(**settings)), frame_shape=FRAME).get_config()
    assert {name: found[name] for name in settings} == settings


def test_without_a_frame_shape_the_published_one_is_taken(state):
    assert model_from_state(state).frame_shape == (64, 44, 2)


def test_names_and_shapes_tell_skeletongait_plusplus():
    settings = {"nclasses": 4, "blocks": (2, 1, 1, 1), "C": 1, "frame_shape": (16, 16, 3)}
    found = model_from_state(state_of(SkeletonGaitPlusPlus(**settings)), frame_shape=(16, 16, 3))
    assert type(found) is SkeletonGaitPlusPlus
    assert {name: getattr(found, name) for name in settings} == settings


def test_what_weights_do_not_tell_is_an_option(state):
    assert model_from_state(state, use_emb2=True, frame_shape=FRAME).use_emb2


def test_one_normalisation_a_part_is_the_same_as_one_for_all(state):
    split = {name: value for name, value in state.items() if "bn1d" not in name}
    for suffix in ("weight", "bias", "running_mean", "running_var"):
        columns = state[f"BNNecks.bn1d.{suffix}"].reshape(4, 16)  # channels, parts
        split |= {f"BNNecks.bn1d.{part}.{suffix}": columns[:, part] for part in range(16)}
    one, other = (model_from_state(each, use_emb2=True, frame_shape=FRAME) for each in (state, split))
    np.testing.assert_array_equal(embed(one), embed(other))


def refused(state, model=None):
    with pytest.raises(GaitError) as error:
        load_state(model or SkeletonGait(**TINY), state)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_another_width_is_refused_in_one_line_with_the_first_names(state):
    line = refused(state, SkeletonGait(**TINY | {"channels": (3, 3, 4, 5)}))
    assert line.startswith("the weights do not fit SkeletonGait: ")
    assert "layer0.forward_block.0.weight: (2, 2, 3, 3) for (3, 2, 3, 3)" in line
    assert line.endswith(", ...)")
    assert len(line) < 400


def test_what_is_missing_and_what_is_not_expected_is_named(state):
    changed = dict(state)
    changed["layer3.0.sbn.scale"] = changed.pop("layer3.0.sbn.weight")
    line = refused(changed)
    assert "1 missing (layer3.0.sbn.weight)" in line
    assert "1 unexpected (layer3.0.sbn.scale)" in line


def test_nothing_is_loaded_where_something_does_not_fit(state):
    model = SkeletonGait(**TINY)
    before = embed(model)
    refused({name: value for name, value in state.items() if name != "FCs.fc_bin"}, model)
    np.testing.assert_array_equal(embed(model), before)


@pytest.mark.parametrize("gone", ["layer1", "layer2", "layer4", "FCs"])
def test_a_checkpoint_without_a_part_of_the_network_is_refused(state, gone):
    with pytest.raises(GaitError, match="SkeletonGait"):
        model_from_state({name: value for name, value in state.items() if not name.startswith(gone)})


def test_weights_of_another_system_are_refused_with_those_known():
    with pytest.raises(GaitError, match=r"not the weights of .*SkeletonGait.*'encoder\.weight'"):
        model_from_state({"encoder.weight": np.zeros((2, 2))})


def test_the_recipes_method_must_be_that_of_the_weights(state, tmp_path):
    np.savez(tmp_path / "weights.npz", **state)
    assert load_model(tmp_path / "weights.npz", method="skeletongait", frame_shape=FRAME)
    options = {"frame_shape": FRAME, "channels": (32, 64, 128)}  # which SkeletonGait would refuse itself
    with pytest.raises(GaitError, match=r"npz: these are the weights of a SkeletonGait, not of gaitset"):
        load_model(tmp_path / "weights.npz", method="gaitset", **options)


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_hostile_pt_file_is_refused_and_runs_nothing(state, tmp_path):
    torch = pytest.importorskip("torch")
    weights = {name: torch.tensor(value) for name, value in state.items()}
    torch.save({"model": weights, "extra": Hostile(tmp_path / "pwned")}, tmp_path / "zipped.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Hostile(tmp_path / "pwned"), protocol=2))
    for name in ("zipped.pt", "plain.pt"):
        with pytest.raises(GaitError, match=rf"{name} is refused") as error:
            load_model(tmp_path / name)
        assert "\n" not in str(error.value)
        assert str(error.value).endswith(f"(it asks for {os.mkdir.__module__}.mkdir)")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("content", [[1, 2], {"model": {}}, {"model": {"layer0": "text"}}, {"epoch": 3}])
def test_a_pt_file_without_weights_is_refused(tmp_path, content):
    with pytest.raises(GaitError, match=r"x\.pt"):
        load_model(torch_file(tmp_path / "x.pt", content))


@pytest.mark.parametrize("kind", ["nan", "complex", "sparse", "number"])
def test_what_are_no_numbers_by_name_is_refused(state, tmp_path, kind):
    torch = pytest.importorskip("torch")
    whole = torch.tensor(state["FCs.fc_bin"])
    changed = {
        "nan": {"FCs.fc_bin": whole * float("nan")},
        "complex": {"FCs.fc_bin": whole.to(torch.complex64)},
        "sparse": {"FCs.fc_bin": whole.to_sparse()},
        "number": {1: whole},
    }[kind]
    content = {name: torch.tensor(value) for name, value in state.items()} | changed
    with pytest.raises(
        GaitError, match=r"x\.pt: .*(FCs\.fc_bin are no finite|not a dense array by its name)"
    ):
        load_model(torch_file(tmp_path / "x.pt", content), frame_shape=FRAME)


def test_half_precision_parameters_load(state, tmp_path):
    torch = pytest.importorskip("torch")
    content = {name: torch.tensor(value) for name, value in state.items()}
    content |= {"FCs.fc_bin": torch.nn.Parameter(content["FCs.fc_bin"].bfloat16())}
    model = load_model(torch_file(tmp_path / "x.pt", content), frame_shape=FRAME)
    found = ops.convert_to_numpy(model.get_layer("FCs").kernel)
    np.testing.assert_allclose(found, state["FCs.fc_bin"], rtol=1e-2)


def test_the_weights_of_a_small_plusplus_tell_its_width():
    options = {"C": 0.5, "frame_shape": (16, 16, 3)}
    found = model_from_state(state_of(SkeletonGaitPlusPlus(**options)), frame_shape=(16, 16, 3))
    assert found.C == 0.5


@pytest.mark.parametrize("ending", ["pt", "npz"])
def test_a_damaged_file_is_refused_by_one_line_that_names_it(state, tmp_path, ending):
    path = tmp_path / f"weights.{ending}"
    torch_file(path, state) if ending == "pt" else np.savez(path, **state)
    content = path.read_bytes()
    refusals = []
    for number in range(40):
        rng = np.random.default_rng(number)
        copy = bytearray(content)
        for place in rng.integers(0, len(copy), 20):
            copy[place] = rng.integers(256)
        path.write_bytes(copy[: rng.integers(0, len(copy))] if number % 4 == 0 else copy)
        try:
            read_state(path)
        except GaitError as error:
            refusals.append(str(error))
    assert len(refusals) >= 10
    assert all(str(path) in refusal and "\n" not in refusal for refusal in refusals)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(GaitError, match="no checkpoint at"):
        read_state(tmp_path / "none.pt")


def test_a_model_loads_into_itself_what_it_is_made_of():
    keras.utils.set_random_seed(1)
    model, other = (SkeletonGait(**TINY) for _ in range(2))
    names = [published.name for published in published_variables(model)]
    assert len(set(names)) == len(names) == len(model.weights)
    state = state_of(model)
    load_state(model, state)
    load_state(other, state)
    np.testing.assert_array_equal(embed(model), embed(other))
