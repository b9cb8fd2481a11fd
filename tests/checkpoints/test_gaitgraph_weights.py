"""Published GaitGraph weights: whole checkpoints of both versions load strictly by name, and run nothing."""

import argparse
import os
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from fixtures import reader
from keras import ops

from keras_gait.checkpoints import load_model, load_state, model_from_state, read_state
from keras_gait.checkpoints.by_name import published_variables
from keras_gait.checkpoints.gaitgraph_models import resgcn
from keras_gait.errors import GaitError
from keras_gait.layers.resgcn import read_network
from keras_gait.models import STGCN, GaitGraph, GaitGraph2

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "gaitgraph2"
NETWORKS = sorted(path.stem for path in FIXTURES.glob("*resgcn_*.npz"))


def fixture(name):
    """``(meta, weights, poses, outputs)``; the weights with the graph's buffers, as checkpoints have them."""
    meta, inputs, outputs = reader.load(FIXTURES / f"{name}.npz")
    x = inputs["x"].transpose(0, 3, 4, 1, 2) if name.startswith("v1_") else inputs["x"]
    return meta, with_graph(reader.state(meta)), x[..., 0, :3], outputs


def with_graph(state):
    """Weights and the adjacency that lies beside them."""
    edge = state.get("main_stream.0.edge", state.get("edge_importance.0"))
    name = {17: "graph_coco", 18: "graph_oumvlp"}[edge.shape[1]]
    adjacency = reader.load(FIXTURES / f"{name}.npz")[2]["A_float32"]
    branches = {name.split(".")[1] for name in state if name.startswith("input_branches.")}
    return state | {"A": adjacency} | {f"input_branches.{i}.A": adjacency for i in branches}


def tensors(state, prefix=""):
    torch = pytest.importorskip("torch")
    return {prefix + name: torch.tensor(value) for name, value in state.items()}


def schedule(optimizer):
    """What PyTorch 1 saves of the one-cycle schedule: with a method of it all of it, the optimizer too."""
    torch = pytest.importorskip("torch")
    weights = torch.nn.Linear(2, 1)
    optimizer = getattr(torch.optim, optimizer)(weights.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
    weights(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    of_class = torch.optim.lr_scheduler.OneCycleLR._annealing_cos
    return schedule.state_dict() | {"anneal_func": schedule.get_lr, "of_class": of_class}


def lightning_file(path, state):
    torch = pytest.importorskip("torch")
    best = {"best_model_score": torch.tensor(1.5), "best_model_path": "a.ckpt", "best_k_models": {}}
    content = {
        "epoch": 200,
        "global_step": 1800,
        "pytorch-lightning_version": "1.7.0",
        "state_dict": tensors(state, "backbone."),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 201}}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'val_loss_epoch'}": best},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}],
        "lr_schedulers": [schedule("AdamW")],
        "hparams_name": "kwargs",
        "hyper_parameters": {"backbone_name": "resgcn-n31-r8", "load_from_checkpoint": Path("a.pth")},
    }
    torch.save(content, path)
    return path


def version1_file(path, state):
    torch = pytest.importorskip("torch")
    content = {
        "opt": argparse.Namespace(dataset="casia-b", learning_rate=0.01, gpus="0"),
        "model": tensors(state),
        "optimizer": {"state": {}, "param_groups": []},
        "scheduler": schedule("Adam"),
        "scaler": {},
        "epoch": 300,
    }
    torch.save(content, path)
    return path


def embed(model, poses):
    return ops.convert_to_numpy(model.encoder(poses))[:, 0]


def assert_as_published(found, name, output="embedding"):
    meta, _, outputs = reader.load(FIXTURES / f"{name}.npz")
    limit = reader.tolerance(meta, output, outputs[output])
    np.testing.assert_allclose(found, outputs[output], rtol=0, atol=limit)


@pytest.mark.parametrize("name", ["resgcn_n39_r8_single15", "resgcn_psa_n21_r8", "st_gcn_oumvlp"])
def test_a_lightning_file_gives_the_published_embeddings(tmp_path, name):
    _, state, poses, _ = fixture(name)
    model = load_model(lightning_file(tmp_path / "gaitgraph.ckpt", state))
    assert type(model) is (STGCN if "st_gcn" in name else GaitGraph2)
    assert_as_published(embed(model, poses), name)


def test_three_branches_and_views_of_a_sequence(tmp_path):
    _, state, poses, _ = fixture("tta_casia_b")
    model = load_model(lightning_file(tmp_path / "gaitgraph.ckpt", state))
    told = model.get_config()
    assert (told["network"], told["inputs"], told["embedding_size"]) == ("resgcn-n21-r8", "branches", 64)
    found = ops.convert_to_numpy(model.tta_encoder(poses))[:, 0]
    assert_as_published(found, "tta_casia_b")


@pytest.mark.parametrize("name", ["v1_resgcn_n39_r8", "v1_resgcn_n39_r8_branches"])
def test_a_file_of_the_first_version_gives_its_embeddings_of_unit_length(tmp_path, name):
    _, state, poses, _ = fixture(name)
    model = load_model(version1_file(tmp_path / "gaitgraph.pth", state))
    assert type(model) is GaitGraph
    assert_as_published(embed(model, poses), name)


def test_an_archive_of_arrays_by_name_is_the_second_version_unless_told(tmp_path):
    _, state, poses, outputs = fixture("v1_resgcn_n39_r8")
    np.savez(tmp_path / "weights.npz", **state)
    second = load_model(tmp_path / "weights.npz")
    first = load_model(tmp_path / "weights.npz", method="gaitgraph")
    assert (type(first), type(second)) == (GaitGraph, GaitGraph2)
    found = embed(second, poses)
    lengths = np.linalg.norm(found, axis=-1, keepdims=True)
    assert abs(lengths - 1).min() > 0.01
    np.testing.assert_allclose(found / lengths, outputs["embedding"], atol=1e-4)


def test_the_second_version_goes_on_from_weights_of_the_first(tmp_path):
    path = version1_file(tmp_path / "a.pth", fixture("v1_resgcn_n39_r8")[1])
    assert type(load_model(path, method="gaitgraph2")) is GaitGraph2
    path = version1_file(tmp_path / "b.pth", fixture("v1_resgcn_n39_r8_branches")[1])
    with pytest.raises(GaitError, match=r"b\.pth: these are the weights of a GaitGraph, not of gaitgraph2"):
        load_model(path, method="gaitgraph2")


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_tell_the_network(name):
    meta, state, *_ = fixture(name)
    config, told = meta["config"], resgcn(state)
    attention, kind, counts, reduction = read_network(config["model_type"])
    assert read_network(told["network"])[:3] == (attention, kind, counts)
    assert kind == "b" or read_network(told["network"])[3] == reduction
    inputs = {(1, 3): "plain", (1, 15): "concat", (3, 5): "branches", (3, 6): "branches"}
    assert told["inputs"] == inputs[config["num_input"], config["num_channel"]]
    assert told["joints"] == config.get("dataset", "coco")
    assert told["embedding_size"] == config["num_class"]
    assert (told["frames"], told["fill_empty"]) == ((60, False) if told["joints"] == "coco" else (30, True))


SMALL = {"network": "resgcn-n2.1.1.2-r4", "inputs": "plain", "embedding_size": 8, "joints": "coco"}


@pytest.fixture(scope="module")
def small():
    """A model of a structure that has no name, with random weights by their published names."""
    model = GaitGraph2(**SMALL)
    rng = np.random.default_rng(0)
    state = {p.name: rng.uniform(0.5, 1.5, p.shape).astype("float32") for p in published_variables(model)}
    return with_graph(state)


@pytest.mark.backend
def test_a_structure_without_a_name_loads_all_the_same(small, tmp_path):
    path = lightning_file(tmp_path / "n31.ckpt", small)
    model = load_model(path, method="gaitgraph2", frames=40)
    assert {name: model.get_config()[name] for name in SMALL} == SMALL
    assert model.frames == 40
    poses = np.random.default_rng(1).uniform(0, 1, (1, 8, 17, 3)).astype("float32")
    other = GaitGraph2(**SMALL)
    load_state(other, path)
    np.testing.assert_array_equal(embed(model, poses), embed(other, poses))
    assert [p.name for p in published_variables(model) if p.name.endswith("edge")] == [
        f"{module}.edge"
        for module in (
            *(f"input_branches.0.layers.{i}" for i in range(3)),
            *(f"main_stream.{i}" for i in range(3)),
        )
    ]


def refused(state, **options):
    with pytest.raises(GaitError) as error:
        model_from_state(state, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_option_that_the_weights_deny_is_refused_with_both(small):
    line = refused(small, network="resgcn-n21-r8")
    assert "network resgcn-n2.1.1.2-r4, not resgcn-n21-r8" in line
    assert "inputs plain, not branches" in refused(small, inputs="branches")
    assert "joints coco, not oumvlp: name the recipe that they were" in refused(small, joints="oumvlp")


def test_another_model_is_refused_with_both_shapes(small):
    with pytest.raises(
        GaitError, match=r"fit GaitGraph2: 2 of another .*fcn\.weight: \(8, 256\) for \(9, 256\)"
    ):
        load_state(GaitGraph2(**SMALL | {"embedding_size": 9}), small)
    _, state, *_ = fixture("st_gcn_oumvlp")
    with pytest.raises(GaitError, match=r"A: \(4, 17, 17\) for \(4, 18, 18\) of the oumvlp joints"):
        load_state(STGCN(joints="oumvlp"), small)
    with pytest.raises(GaitError, match=r"A: \(4, 18, 18\) for \(4, 17, 17\) of the coco joints"):
        load_state(STGCN(joints="coco"), state)


@pytest.mark.parametrize("name", ["A", "input_branches.0.A"])
def test_another_graph_of_joints_is_refused_with_the_first_that_differs(small, name):
    changed = small[name].copy()
    changed[1, 0, 2] = 0.7  # nose and right eye
    line = refused(small | {name: changed})
    assert line.startswith(f"{name} is not the graph of the coco joints: 0.7 for ")
    assert line.endswith("from nose to right eye at 1 edges")


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_weights_of_half_precision_load_with_their_graph(small, tmp_path, kind):
    torch = pytest.importorskip("torch")
    state = {name: tensor.to(getattr(torch, kind)) for name, tensor in tensors(small, "backbone.").items()}
    torch.save({"state_dict": state}, tmp_path / "half.ckpt")
    model = load_model(tmp_path / "half.ckpt")
    found = ops.convert_to_numpy(model.get_layer("fcn").kernel)
    np.testing.assert_allclose(found, small["fcn.weight"].T, rtol=2**-8)


@pytest.mark.parametrize("prefix", ["module.backbone.", "backbone.module.", "module."])
def test_prefixes_of_all_names_do_not_matter(small, prefix):
    assert model_from_state({prefix + name: array for name, array in small.items()})


def test_a_graph_beside_no_branch_is_unexpected(small):
    assert "1 unexpected (input_branches.1.A)" in refused(small | {"input_branches.1.A": small["A"]})


def test_weights_without_the_graph_and_with_step_counters_load(small):
    plain = {name: value for name, value in small.items() if not name.endswith("A")}
    assert model_from_state(plain | {"main_stream.0.scn.bn.num_batches_tracked": np.array(3)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"main_stream.1.tcn.bn.weight": None}, r"1 missing \(main_stream\.1\.tcn\.bn\.weight\)"),
        ({"main_stream.7.edge": np.ones((4, 17, 17))}, r"missing .*main_stream.*unexpected|no whole weights"),
        ({"main_stream.0.edge": None}, "no whole weights of GaitGraph2: 'main_stream.0.edge'"),
        (
            {"main_stream.0.edge": np.ones((4, 25, 25))},
            r"one of 25 joints. Known: 17 \(coco\), 18 \(oumvlp\)",
        ),
        (
            {"input_branches.0.bn.weight": np.ones(4)},
            "1 input branches of 4 channels. Known: 1 of 3, 1 of 15",
        ),
        ({"input_branches.0.bn.weight": np.ones(())}, "1 input branches of 1 channels"),
        ({"main_stream.0.edge": np.ones(())}, "no whole weights of GaitGraph2"),
        ({"fcn.weight": np.ones((8, 200))}, r"fcn\.weight: \(8, 200\) for \(8, 256\)"),
        (
            {"main_stream.0.scn.conv_down.weight": np.ones((20, 32, 1, 1))},
            "128 channels to 20, not to 128, 64",
        ),
        ({"classifier.weight": np.ones((8, 200))}, r"1 unexpected \(classifier\.weight\)"),
        ({"fcn.bias": np.full(8, np.nan)}, r"fcn\.bias are no finite real numbers"),
    ],
)
def test_weights_that_are_not_whole_are_refused_by_name(small, change, message):
    changed = {name: value for name, value in (small | change).items() if value is not None}
    assert re.search(message, refused(changed)), refused(changed)


@pytest.mark.parametrize("zipped", [True, False])
def test_numbers_of_numpy_and_lightnings_own_dicts_may_lie_beside_the_weights(tmp_path, monkeypatch, zipped):
    torch = pytest.importorskip("torch")
    module = types.ModuleType("pytorch_lightning.utilities.parsing")
    module.AttributeDict = type("AttributeDict", (dict,), {"__module__": module.__name__})
    for name in ("pytorch_lightning", "pytorch_lightning.utilities", module.__name__):
        monkeypatch.setitem(sys.modules, name, module)
    content = {
        "callbacks": {"best_model_score": np.float64(1.5), "epoch": np.int64(3)},
        "hyper_parameters": module.AttributeDict(backbone_name="resgcn-n21-r8", load_from_checkpoint=None),
        "state_dict": {"backbone.A": torch.ones(2)},
    }
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    assert read_state(tmp_path / "a.ckpt")["backbone.A"].tolist() == [1, 1]


def test_a_class_beside_the_weights_is_refused_unless_it_is_known_to_lie_there(small, tmp_path):
    torch = pytest.importorskip("torch")

    class Hostile:
        def __init__(self, function, *arguments):
            self.call = function, arguments

        def __reduce__(self):
            return self.call

    made = tmp_path / "made"
    for name, call in (("mkdir", Hostile(os.mkdir, str(made))), ("exec", Hostile(exec, "1"))):
        torch.save({"state_dict": tensors(small, "backbone."), "x": call}, tmp_path / "a.ckpt")
        with pytest.raises(GaitError, match=rf"a\.ckpt is refused: .*save its weights alone .*{name}\)$"):
            load_model(tmp_path / "a.ckpt")
    called = Hostile(getattr, made, "mkdir")  # known, but nothing is called for it
    torch.save({"state_dict": tensors(small, "backbone."), "x": called}, tmp_path / "b.ckpt")
    assert read_state(tmp_path / "b.ckpt")
    assert not made.exists()
    state = tensors(small, "backbone.") | {"backbone.A": argparse.Namespace(a=1)}
    torch.save({"state_dict": state}, tmp_path / "c.ckpt")
    with pytest.raises(GaitError, match=r"c\.ckpt: 'backbone\.A' holds a Namespace, not a dense array"):
        load_model(tmp_path / "c.ckpt")


@pytest.mark.parametrize("write", [lightning_file, version1_file])
def test_a_file_with_wrong_bytes_opens_or_is_refused_by_one_line(small, tmp_path, write):
    path = write(tmp_path / "weights.ckpt", {name: small[name] for name in list(small)[:20]})
    content = path.read_bytes()
    refusals = []
    for number in range(60):
        rng = np.random.default_rng(number)
        copy = bytearray(content)
        for place in rng.integers(0, len(copy) if number % 2 else 6000, 12):
            copy[place] = rng.integers(256)
        path.write_bytes(copy[: rng.integers(1, len(copy))] if number % 5 == 0 else copy)
        try:
            read_state(path)
        except GaitError as error:
            refusals.append(str(error))
    assert len(refusals) > 20
    assert all(str(path) in refusal and "\n" not in refusal for refusal in refusals)
