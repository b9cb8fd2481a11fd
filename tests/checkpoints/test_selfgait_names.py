"""Published weights of SelfGait: modules by themselves, strip by strip, load strictly by name."""

import numpy as np
import pytest
from checks import Attack
from keras import ops

from keras_gait.checkpoints import load_model, load_state, model_from_state
from keras_gait.checkpoints.by_name import published_variables
from keras_gait.checkpoints.selfgait_models import target_from_state
from keras_gait.errors import GaitError
from keras_gait.models import SelfGait

SIZES = {"channels": (2, 3, 4), "hidden_dim": 5, "div": 2, "mlp_hidden_size": 6, "projection_size": 7}
TINY = SIZES | {"bins": (1, 2), "frame_shape": (8, 8, 1)}
OPTIONS = {"bins": (1, 2), "frame_shape": (8, 8, 1)}  # what weights do not tell
TARGET = {"online_network": "target_network", "TP_1": "TP_2", "projection_1": "projection_2"}


def published_state(model, rng, prefix="module."):
    """Random arrays as a checkpoint has them: by module, strip and step; the target has others."""
    state = {}
    for published in published_variables(model):
        module, _, name = published.name.partition(".")
        array = rng.normal(size=published.shape).astype("float32")
        if name.endswith("running_var"):
            array = np.abs(array) + np.float32(0.5)
            state[f"{module}_state_dict/{prefix}net.1.num_batches_tracked"] = np.array(7, np.int64)
        if module == "conv_trans":
            branch, _, step = name.partition(".")
            split = {f"{branch}.{strip}.{step}": values for strip, values in enumerate(array)}
        else:
            split = {name: array[..., None] if name.startswith("net") and array.ndim == 2 else array}
        state |= {f"{module}_state_dict/{prefix}{inner}": values for inner, values in split.items()}
    return state


def with_target(state, rng):
    """The state and a target of other weights beside; both encoders have maps that nothing uses."""
    found = dict(state)
    for name, array in state.items():
        module, _, inner = name.partition("_state_dict/")
        if module in TARGET:
            other = np.asarray(np.abs(rng.normal(size=array.shape)), array.dtype)
            found[f"{TARGET[module]}_state_dict/{inner}"] = other
    for module in ("online_network", "target_network"):
        found[f"{module}_state_dict/module.fc_bin"] = np.ones((3, 8, 5), "float32")
    return found


@pytest.fixture(scope="module")
def whole():
    """All modules of a checkpoint."""
    rng = np.random.default_rng(0)
    return with_target(published_state(SelfGait(**TINY), rng), rng)


def by_module(state, **beside):
    """What training saved: a dict of dicts, with what it kept beside."""
    content = dict(beside)
    for name, array in state.items():
        module, _, inner = name.partition("/")
        content.setdefault(module, {})[inner] = array
    return content


def torch_file(path, content):
    torch = pytest.importorskip("torch")

    def tensors(value):
        if isinstance(value, dict):
            return {key: tensors(entry) for key, entry in value.items()}
        return torch.from_numpy(value) if isinstance(value, np.ndarray) else value

    torch.save(tensors(content), path)
    return path


CLIPS = np.random.default_rng(3).integers(0, 256, (2, 3, 8, 8, 1)).astype("float32")


def outputs(model):
    return {name: ops.convert_to_numpy(value) for name, value in model(CLIPS).items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])


def refused(state, model=None):
    with pytest.raises(GaitError) as error:
        load_state(model or SelfGait(**TINY), state)
    assert "\n" not in str(error.value)
    return str(error.value)


def without(state, *modules):
    """The state without the modules of these names."""
    return {name: array for name, array in state.items() if name.split("_state_dict/")[0] not in modules}


OPTIMIZER = {"state": {0: {"momentum_buffer": np.ones(3, "float32")}}, "param_groups": [{"lr": 0.03}]}


@pytest.mark.parametrize("prefix", ["module.", ""])
def test_a_checkpoint_gives_the_model_that_its_arrays_give(whole, tmp_path, prefix):
    named = {name.replace("module.", prefix): array for name, array in whole.items()}
    path = torch_file(tmp_path / "model_5000.pth", by_module(named, optimizer_state_dict=OPTIMIZER))
    model = load_model(path, **OPTIONS)
    assert type(model) is SelfGait
    assert_same(outputs(model), outputs(model_from_state(whole, **OPTIONS)))


def test_arrays_by_name_give_the_same(whole, tmp_path):
    np.savez(tmp_path / "model.npz", **whole)
    assert_same(
        outputs(load_model(tmp_path / "model.npz", **OPTIONS)), outputs(model_from_state(whole, **OPTIONS))
    )


@pytest.mark.backend
def test_every_strip_has_its_own_weights(whole):
    model = model_from_state(whole, **OPTIONS)
    layer = model.get_layer("conv_trans-conv_list_2-2")
    for strip in range(3):
        kernel = whole[f"conv_trans_state_dict/module.conv_list_2.{strip}.2.weight"]
        np.testing.assert_array_equal(ops.convert_to_numpy(layer.kernel)[strip], kernel.transpose(2, 1, 0))
        bias = whole[f"conv_trans_state_dict/module.conv_list_2.{strip}.2.bias"]
        np.testing.assert_array_equal(ops.convert_to_numpy(layer.bias)[strip], bias)


@pytest.mark.backend
def test_a_head_is_its_published_formula(whole):
    model = model_from_state(whole, **OPTIONS)
    found = outputs(model)
    w = {name.removeprefix("predictor_state_dict/module.net."): array for name, array in whole.items()}
    hidden = found["projection"] @ w["0.weight"][:, :, 0].T + w["0.bias"]
    hidden = (hidden - w["1.running_mean"]) / np.sqrt(w["1.running_var"] + 1e-5) * w["1.weight"] + w["1.bias"]
    expected = np.maximum(hidden, 0) @ w["3.weight"][:, :, 0].T + w["3.bias"]
    np.testing.assert_allclose(found["prediction"], expected, rtol=1e-4, atol=1e-4)


def test_shapes_tell_every_size(whole):
    found = model_from_state(whole, **OPTIONS)
    assert {name: getattr(found, name) for name in SIZES} == SIZES
    assert found.heads


def test_without_options_the_published_strips_and_frames_are_taken():
    state = published_state(SelfGait(**SIZES), np.random.default_rng(1))
    model = model_from_state(state)
    assert (model.bins, model.frame_shape) == ((1, 2, 4, 8, 16), (64, 44, 1))


def test_modules_of_retrieval_alone_give_a_model_without_heads(whole, tmp_path):
    state = without(whole, *TARGET.values(), "projection_1", "predictor")
    model = load_model(torch_file(tmp_path / "model.pth", by_module(state)), **OPTIONS)
    assert not model.heads
    np.testing.assert_array_equal(
        outputs(model)["embeddings"], outputs(model_from_state(whole, **OPTIONS))["embeddings"]
    )


def test_heads_are_left_out_where_the_model_shall_have_none(whole):
    model = model_from_state(whole, heads=False, **OPTIONS)
    assert list(outputs(model)) == ["embeddings"]


def test_a_target_is_no_part_that_must_be_there(whole):
    state = without(whole, *TARGET.values())
    assert_same(outputs(model_from_state(state, **OPTIONS)), outputs(model_from_state(whole, **OPTIONS)))


@pytest.mark.backend
def test_the_target_has_weights_of_its_own(whole):
    target = target_from_state(whole, **OPTIONS)
    values = {v.path: ops.convert_to_numpy(v) for v in target.weights}
    np.testing.assert_array_equal(values["TP_1/kernel"], whole["TP_2_state_dict/module.fc_bin"])
    np.testing.assert_array_equal(
        values["projection_1-net-1/moving_mean"], whole["projection_2_state_dict/module.net.1.running_mean"]
    )
    assert not np.array_equal(values["TP_1/kernel"], whole["TP_1_state_dict/module.fc_bin"])
    assert target(CLIPS).shape == (2, 3, 7)


def test_without_a_target_there_is_none_to_load(whole):
    with pytest.raises(GaitError, match="hold no target network"):
        target_from_state(without(whole, *TARGET.values()), **OPTIONS)


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (
            "online_network_state_dict/module.set_layer3.forward_block.conv.weight",
            "online_network.set_layer3.forward_block.conv.weight",
        ),
        ("projection_1_state_dict/module.net.0.bias", "projection_1.net.0.bias"),
        ("predictor_state_dict/module.net.1.running_var", "predictor.net.1.running_var"),
        ("TP_2_state_dict/module.fc_bin", "TP_2.fc_bin"),
        ("projection_2_state_dict/module.net.3.weight", "projection_2.net.3.weight"),
    ],
)
def test_what_is_missing_is_named(whole, gone, told):
    line = refused({name: array for name, array in whole.items() if name != gone})
    assert line == f"the weights do not fit SelfGait: 1 missing ({told})"


@pytest.mark.parametrize("module", ["TP_1", "conv_trans", "target_network", "predictor"])
def test_what_is_not_expected_is_named(whole, module):
    line = refused(whole | {f"{module}_state_dict/module.extra": np.ones(2, "float32")})
    assert line == f"the weights do not fit SelfGait: 1 unexpected ({module}.extra)"


def test_what_has_another_shape_is_named(whole):
    changed = {"TP_1_state_dict/module.fc_bin": np.ones((3, 4, 9), "float32")}
    changed["projection_2_state_dict/module.net.0.bias"] = np.ones(4, "float32")
    line = refused(whole | changed)
    assert "2 of another shape (TP_1.fc_bin: (3, 4, 9) for (3, 4, 5)" in line
    assert line.endswith("projection_2.net.0.bias: (4,) for (6,))")


def test_nothing_is_loaded_where_something_does_not_fit(whole):
    model = SelfGait(**TINY)
    before = outputs(model)
    refused(without(whole, "predictor"), model)
    assert_same(outputs(model), before)


@pytest.mark.parametrize(
    ("strip", "line"),
    [
        (1, "not one array of one shape"),
        (2, r"\(2, 2, 4, 3\) for \(3, 2"),
    ],
)
def test_a_strip_that_is_missing_is_told(whole, strip, line):
    prefix = f"conv_trans_state_dict/module.conv_list_1.{strip}."
    with pytest.raises(GaitError, match=line):
        model_from_state({k: v for k, v in whole.items() if not k.startswith(prefix)}, **OPTIONS)


@pytest.mark.parametrize("module", ["conv_trans", "TP_1"])
def test_weights_without_a_module_of_retrieval_are_refused(whole, module):
    with pytest.raises(GaitError, match=f"no whole weights of SelfGait: '{module}"):
        model_from_state(without(whole, module), **OPTIONS)


@pytest.mark.parametrize("shape", [(0, 4, 3), (9, 4, 3), (2,)])
def test_weights_of_no_possible_size_are_refused(whole, shape):
    names = [f"conv_trans_state_dict/module.conv_list_1.{strip}.0.weight" for strip in range(3)]
    with pytest.raises(GaitError, match=r"no whole weights of SelfGait|do not fit SelfGait"):
        model_from_state(whole | {name: np.ones(shape, "float32") for name in names}, **OPTIONS)


def test_another_system_is_refused(whole):
    with pytest.raises(GaitError, match="these are the weights of a SelfGait, not of gaitset"):
        model_from_state(whole, method="gaitset")


def test_weights_that_are_not_finite_are_refused(whole):
    name = "conv_trans_state_dict/module.conv_list_1.0.0.bias"
    with pytest.raises(GaitError, match=f"weights of {name} are no finite real numbers"):
        model_from_state(whole | {name: np.full(2, np.nan, "float32")}, **OPTIONS)


def test_nothing_beside_the_weights_runs(whole, tmp_path):
    made = tmp_path / "made"
    path = torch_file(tmp_path / "model.pth", by_module(whole, optimizer_state_dict=Attack(made)))
    with pytest.raises(GaitError, match=r"model\.pth is refused"):
        load_model(path)
    assert not made.exists()
