"""SelfGait's own config.yaml as a recipe: what it says, what it says in vain, and what it cannot say."""

from pathlib import Path

import pytest
import yaml

from keras_gait.errors import GaitError
from keras_gait.training.recipes import differences, load_recipe

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "selfgait"
PUBLISHED = """
network:
  hidden_dim: 128
  lr: 1e-5
  hard_or_full_trip: full
  batch_size: (8, 16)
  restore_iter: 0
  restore_path: 'None'
  total_iter: 80000
  margin: 0.2
  num_workers: 3
  frame_num: 30
  model_name: SelfGait
  fine_tune_from: 'None'
  projection_head: {mlp_hidden_size: 256, projection_size: 128}
data:
  dataset_path: ../CASIA-B-64
  dataset: CASIA-B
  resolution: '64'
  f_length: 30
  pid_num: 73
  pid_shuffle: False
  partition_rate: 0.8
  label_rate: 0.0
data_transforms:
  s: 1
  input_shape: (96,96,3)
trainer:
  batch_size: (8, 16)
  m: 0.996
  checkpoint_interval: 5000
  max_epochs: 40
  num_workers: 4
optimizer: {params: {lr: 0.03, momentum: 0.9, weight_decay: 0.0004}}
CUDA_VISIBLE_DEVICES: '1,0'
"""
IN_VAIN = (
    *("network.lr", "network.batch_size", "network.restore_path", "network.restore_iter"),
    *("network.total_iter", "network.num_workers", "network.frame_num", "network.model_name"),
    *("data.dataset_path", "data.partition_rate", "data.pid_num", "data.pid_shuffle"),
    *("data_transforms.input_shape", "trainer.batch_size", "trainer.max_epochs"),
    *("trainer.checkpoint_interval", "trainer.num_workers", "CUDA_VISIBLE_DEVICES"),
)


@pytest.fixture
def load(tmp_path):
    """``load(**{"data.f_length": 20})``: the recipe of `PUBLISHED` with these keys."""

    def load(**changes):
        content = yaml.safe_load(PUBLISHED)
        for key, value in changes.items():
            *sections, name = key.split(".")
            table = content
            for section in sections:
                table = table.setdefault(section, {})
            table[name] = value
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(content))
        return load_recipe(path)

    return load


@pytest.mark.parametrize(("dataset", "ours"), [("CASIA-B", "casiab"), ("OUMVLP", "oumvlp")])
def test_the_published_file_is_our_recipe(load, dataset, ours):
    found = differences(load(**{"data.dataset": dataset}), load_recipe(CONFIGS / f"{ours}.yaml"))
    found.pop("data.nclasses")  # which is told by the converted set
    assert found == {}


def test_what_has_no_effect_is_told_in_a_line_each(load, capsys):
    load()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1].removesuffix(" is passed over") for line in lines] == list(IN_VAIN)


def test_a_file_of_few_keys_is_told_nothing(tmp_path, capsys):
    path = tmp_path / "config.yaml"
    path.write_text("network: {hidden_dim: 64}\ntrainer: {m: 0.99}\n")
    recipe = load_recipe(path)
    assert (recipe["method"], recipe["model"]["hidden_dim"]) == ("selfgait", 64)
    assert recipe["target"]["momentum"] == 0.99
    assert capsys.readouterr().out == ""


def test_keys_with_an_effect_are_taken(load):
    recipe = load(
        **{
            "network.hidden_dim": "64",
            "network.hard_or_full_trip": "hard",
            "network.margin": "0.5",
            "network.projection_head": {"mlp_hidden_size": 32, "projection_size": 16},
            "data.f_length": 20,
            "data_transforms.s": 0.5,
            "trainer.m": 0.9,
            "optimizer.params": {"lr": "1e-5", "momentum": 0, "weight_decay": 0},
        }
    )
    model = {name: recipe["model"][name] for name in ("hidden_dim", "mlp_hidden_size", "projection_size")}
    assert model == {"hidden_dim": 64, "mlp_hidden_size": 32, "projection_size": 16}
    assert (recipe["losses"]["triplets"], recipe["losses"]["margin"]) == ("hard", 0.5)
    assert recipe["sampler"]["frames"] == 20
    assert recipe["augmentation"]["strength"] == 0.5
    assert recipe["target"]["momentum"] == 0.9
    rates = {name: recipe["optimizer"][name] for name in ("learning_rate", "momentum", "weight_decay")}
    assert rates == {"learning_rate": 1e-5, "momentum": 0.0, "weight_decay": 0.0}


def test_labels_are_a_share_of_the_training_set_here(load):
    recipe = load(**{"data.label_rate": 0.2})  # of all walks there, of which 0.8 are trained on
    assert (recipe["data"]["label_rate"], recipe["data"]["label_by"]) == (0.25, "sequences")


def test_no_label_rate_leaves_the_share_to_the_loss(load):
    assert load()["data"]["label_rate"] is None


def test_a_run_to_start_from_is_its_published_checkpoint(load):
    recipe = load(**{"network.fine_tune_from": "Mar01_pc"})
    assert recipe["train"]["init_net"] == "runs/Mar01_pc/checkpoints/model.pth"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network.depth": 3, "trainer.n": 0.9}, r"unknown keys in .*: network\.depth, trainer\.n\."),
        ({"model": {"hidden_dim": 3}}, r"unknown keys in .*: model\.hidden_dim"),
        ({"optimizer.lr": 0.1}, r"unknown keys in .*: optimizer\.lr"),
        ({"data.dataset": "GREW"}, "data.dataset must be CASIA-B or OUMVLP to be trained here"),
        ({"data.resolution": "128"}, r"data\.resolution must be 64, .* Received: '128'"),
        ({"network.hard_or_full_trip": "both"}, "hard_or_full_trip must be full or hard"),
        ({"network.hidden_dim": 12.5}, r"network\.hidden_dim must be a whole number. Received: 12\.5"),
        ({"optimizer.params.lr": "fast"}, r"optimizer\.params\.lr must be a number. Received: 'fast'"),
        ({"network.margin": True}, r"network\.margin must be a number. Received: True"),
        ({"network.margin": None}, r"network\.margin must be a number. Received: None"),
        (
            {"data.label_rate": 0.9},
            r"must be from 0 to data\.partition_rate, 0\.8. Received: 0\.9",
        ),
        ({"optimizer": 3}, "optimizer.params should be a section with keys. Received: 3"),
        ({"data.f_length": 0}, r"'sampler\.frames' in .*config\.yaml must be at least 1"),
        ({"network.fine_tune_from": 3}, r"network\.fine_tune_from must be of type str. Received: 3"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_not_known_is_refused_by_name(load, change, message):
    with pytest.raises(GaitError, match=message) as error:
        load(**change)
    assert "\n" not in str(error.value)
