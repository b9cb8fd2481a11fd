"""GaitGraph2's own YAML files for Lightning as recipes: what they say, and what they cannot say."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from keras_gait.errors import GaitError
from keras_gait.training.averaging import first_averaged
from keras_gait.training.recipes import differences, load_recipe

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
CASIAB = yaml.safe_load("""
seed_everything: 5318008
model:
  learning_rate: 0.005
  lr_div_factor: 25
  loss_temperature: 0.01
  embedding_layer_size: 128
  backbone_name: resgcn-n21-r8
  tta: true
data: {data_path: ../data, batch_size: 768, num_workers: 8, sequence_length: 60}
trainer:
  gpus: 1
  max_epochs: 200
  check_val_every_n_epoch: 5
  log_every_n_steps: 5
  callbacks:
    - class_path: pytorch_lightning.callbacks.LearningRateMonitor
      init_args: {logging_interval: step}
    - class_path: pytorch_lightning.callbacks.ModelCheckpoint
      init_args: {monitor: val_loss_epoch, mode: min, save_last: true}
""")
OUMVLP = yaml.safe_load("""
seed_everything: 5318008
model:
  learning_rate: 0.005
  loss_temperature: 0.01
  embedding_layer_size: 128
  backbone_name: resgcn-n51-r4
data:
  data_path: ../data
  dataset_path: ../data/OUMVLP-Pose
  keypoints: openpose
  batch_size: 768
  num_workers: 8
  sequence_length: 30
trainer:
  gpus: 1
  max_epochs: 750
  check_val_every_n_epoch: 10
  log_every_n_steps: 25
  callbacks:
    - class_path: pytorch_lightning.callbacks.LearningRateMonitor
      init_args: {logging_interval: step}
    - class_path: pytorch_lightning.callbacks.ModelCheckpoint
    - class_path: pytorch_lightning.callbacks.StochasticWeightAveraging
""")
PLAIN = {"model.multi_input": False, "data.multi_input": False}
STILL = {
    "data.flip_sequence_p": 0,
    "data.flip_lr_p": 0,
    "data.joint_noise": 0,
    "data.point_noise": 0,
    "data.random_move": 0,
}
ALPHAPOSE = {"model.tta": False, "data.keypoints": "alphapose"}
NO_NOISE = {
    **{"augmentation.flip_sequence": 0.0, "augmentation.flip_lr": 0.0},
    **{"augmentation.joint_noise": 0.0, "augmentation.point_noise": 0.0, "augmentation.random_move": 0},
}
UNLIKE = {"evaluation.tta": False, "data.keypoints": "alphapose"}
STGCN = {"method": "stgcn", "model.network": None, "model.inputs": None, "model.layout": None}
# published file -> the base that it stands on, its own keys, and in what its recipe is unlike the base's
PUBLISHED = {
    "oumvlp_ablation_0_base": (
        OUMVLP,
        ALPHAPOSE | PLAIN | STILL,
        UNLIKE | NO_NOISE | {"model.inputs": "plain"},
    ),
    "oumvlp_ablation_1+multi_input": (OUMVLP, ALPHAPOSE | STILL, UNLIKE | NO_NOISE),
    "oumvlp_ablation_2+augmentation": (OUMVLP, ALPHAPOSE, UNLIKE),
    "oumvlp_ablation_st_gcn": (OUMVLP, ALPHAPOSE | PLAIN | {"model.backbone_name": "st-gcn"}, UNLIKE | STGCN),
    "single_branch": (
        OUMVLP,
        PLAIN | {"model.tta": False},
        {"model.inputs": "plain", "evaluation.tta": False},
    ),
    "temp_base": (
        OUMVLP,
        PLAIN | {"model.tta": False, "data.flip_sequence_p": 0, "data.flip_lr_p": 0},
        {"model.inputs": "plain", "evaluation.tta": False}
        | {"augmentation.flip_sequence": 0.0, "augmentation.flip_lr": 0.0},
    ),
    "temp_shuffle": (
        OUMVLP,
        PLAIN | {"model.tta": False, "data.train_shuffle_sequence": True},
        {"model.inputs": "plain", "evaluation.tta": False, "augmentation.shuffle": True},
    ),
}


@pytest.fixture
def load(tmp_path):
    """``load(CASIAB, {"model.tta": False})``: the recipe of a file with these keys; None takes one out."""

    def load(base, changes):
        content = copy.deepcopy(base)
        for key, value in changes.items():
            *sections, name = key.split(".")
            table = content
            for section in sections:
                table = table.setdefault(section, {})
            table[name] = value
            if value is None:
                del table[name]
        path = tmp_path / "published.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return load_recipe(path)

    return load


def refused(load, base, changes):
    with pytest.raises(GaitError) as error:
        load(base, changes)
    assert "published.yaml" in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_ablation_says_what_it_changes(load, name):
    base, changes, unlike = PUBLISHED[name]
    found = differences(load(base, {}), load(base, changes))
    assert {key: value for key, (_, value) in found.items()} == unlike


OURS = {
    "gaitgraph2/casiab": (CASIAB, {"model.multi_branch": True, "data.multi_branch": True}),
    "gaitgraph2/oumvlp": (OUMVLP, {}),
    "gaitgraph2/oumvlp_alphapose": (OUMVLP, {"data.keypoints": "alphapose"}),
    "gaitgraph2/oumvlp_ablation_0_base": PUBLISHED["oumvlp_ablation_0_base"][:2],
    "gaitgraph2/oumvlp_ablation_1+multi_input": PUBLISHED["oumvlp_ablation_1+multi_input"][:2],
    "gaitgraph2/oumvlp_ablation_2+augmentation": PUBLISHED["oumvlp_ablation_2+augmentation"][:2],
    "stgcn/oumvlp_ablation_st_gcn": PUBLISHED["oumvlp_ablation_st_gcn"][:2],
    "gaitgraph2/oumvlp_single_branch": PUBLISHED["single_branch"][:2],
    "gaitgraph2/oumvlp_temp_base": PUBLISHED["temp_base"][:2],
    "gaitgraph2/oumvlp_temp_shuffle": PUBLISHED["temp_shuffle"][:2],
}
OF_THE_RUN = {"train.prefix", "train.save_epoch", "train.seed", "train.validate_every"}


@pytest.mark.parametrize("name", OURS)
def test_our_recipe_says_what_the_published_file_says(load, name):
    found = differences(load(*OURS[name]), load_recipe(CONFIGS / f"{name}.yaml"))
    assert set(found) <= OF_THE_RUN, found


def test_the_published_casia_b_is_read_whole(load):
    recipe = load(CASIAB, {})
    assert recipe["method"] == "gaitgraph2"
    assert recipe["model"] == {
        "network": "resgcn-n21-r8",
        "embedding_size": 128,
        "inputs": "concat",
        "layout": "published",
        "joints": "coco",
        "frames": 60,
        "fill_empty": False,
    }
    assert recipe["sampler"]["batch_size"] == 768
    assert recipe["optimizer"] == {"name": "AdamW", "learning_rate": 0.005, "weight_decay": 1e-5}
    assert recipe["losses"]["temperature"] == 0.01
    assert recipe["averaging"]["start"] is None
    assert (recipe["train"]["epochs"], recipe["train"]["validate_every"]) == (200, 5)
    assert recipe["train"]["seed"] == 5318008


def test_the_published_oumvlp_averages_weights_and_has_no_decay(load):
    recipe = load(OUMVLP, {})
    assert recipe["averaging"] == {"start": 0.8, "rate": None, "anneal_epochs": 10}
    assert recipe["optimizer"] == {"name": "Adam", "learning_rate": 0.005, "weight_decay": 0.0}
    assert recipe["model"]["inputs"] == "branches"
    assert (recipe["model"]["joints"], recipe["model"]["fill_empty"]) == ("oumvlp", True)
    assert recipe["data"]["keypoints"] == "openpose"
    assert recipe["evaluation"]["protocol"] == "oumvlp-pose"


def test_keys_that_are_absent_are_the_originals_own_for_each_data_set(load):
    casiab = load({"data": {"data_path": "a"}}, {})
    oumvlp = load({"data": {"data_path": "a", "dataset_path": "b"}}, {})
    found = [
        (
            recipe["optimizer"]["learning_rate"],
            recipe["losses"]["temperature"],
            recipe["model"]["embedding_size"],
            recipe["model"]["network"],
            recipe["model"]["inputs"],
            recipe["model"]["frames"],
            recipe["sampler"]["batch_size"],
            recipe["train"]["epochs"],
        )
        for recipe in (casiab, oumvlp)
    ]
    assert found[0] == (0.005, 0.07, 128, "resgcn-n39-r8", "concat", 60, 256, 1000)
    assert found[1] == (0.01, 0.07, 64, "resgcn-n51-r4", "branches", 30, 512, 1000)
    augmentation = casiab["augmentation"]
    assert (augmentation["joint_noise"], augmentation["point_noise"]) == (0.1, 0.05)
    assert augmentation["random_move"] == [3.0, 1.0]


def test_the_merged_file_of_a_run_with_all_keys_of_lightning_is_read(load):
    none = "default_root_dir devices gradient_clip_val ipus tpu_cores max_time min_epochs min_steps strategy"
    defaults = dict.fromkeys(none.split()) | {
        **{"logger": True, "enable_checkpointing": True, "num_nodes": 1, "overfit_batches": 0.0},
        **{"max_steps": -1, "limit_train_batches": 1.0, "accelerator": "gpu", "precision": 32},
        **{"accumulate_grad_batches": None, "fast_dev_run": False, "detect_anomaly": False},
    }
    merged = copy.deepcopy(CASIAB)
    merged["trainer"] |= defaults
    merged["model"] |= {"load_from_checkpoint": None, "multi_input": True}
    merged |= {"ckpt_path": None}
    assert differences(load(merged, {}), load(CASIAB, {})) == {}


BRANCHES = {"model.multi_branch": True, "data.multi_branch": True}


def test_multi_branch_gives_three_branches(load):
    assert load(CASIAB, BRANCHES)["model"]["inputs"] == "branches"


@pytest.mark.parametrize("section", ["model", "data"])
@pytest.mark.parametrize(
    ("key", "value", "received"),
    [("multi_input", False, ("false", "true")), ("multi_branch", True, ("true", "false"))],
)
def test_switches_of_one_side_alone_are_refused_with_both(load, section, key, value, received):
    line = refused(load, CASIAB, {f"{section}.{key}": value})
    both = received if section == "model" else received[::-1]
    assert f"model.{key} and data.{key} must be the same. Received: {both[0]} and {both[1]}" in line


def test_branches_need_their_input(load):
    assert "multi_branch true needs multi_input true" in refused(load, CASIAB, BRANCHES | PLAIN)
    assert "st-gcn needs multi_input false" in refused(load, OUMVLP, {"model.backbone_name": "st-gcn"})


def test_weights_to_start_from_are_those_of_the_run(load):
    assert load(CASIAB, {"model.load_from_checkpoint": "a.pth"})["train"]["init_net"] == "a.pth"


@pytest.mark.parametrize(("precision", "mixed"), [(16, True), ("bf16", True), (32, False)])
def test_precision(load, precision, mixed):
    assert load(CASIAB, {"trainer.precision": precision})["train"]["mixed_precision"] is mixed


def callbacks(name, **arguments):
    return {
        "trainer.callbacks": [{"class_path": f"pytorch_lightning.callbacks.{name}", "init_args": arguments}]
    }


def test_weight_averaging_from_an_epoch_with_a_rate_of_its_own(load):
    changes = callbacks("StochasticWeightAveraging", swa_epoch_start=150, swa_lrs=[0.001], annealing_epochs=5)
    assert load(CASIAB, changes)["averaging"] == {"start": 0.75, "rate": 0.001, "anneal_epochs": 5}
    assert load(CASIAB, {"trainer.stochastic_weight_avg": True})["averaging"]["start"] == 0.8


@pytest.mark.parametrize(("start", "epochs"), [(57, 100), (113, 200), (150, 200)])
def test_weight_averaging_starts_at_just_that_epoch(load, start, epochs):
    changes = callbacks("StochasticWeightAveraging", swa_epoch_start=start)
    found = load(CASIAB, changes | {"trainer.max_epochs": epochs})["averaging"]
    assert first_averaged(found, epochs) == start


def test_a_section_without_keys_is_as_there_by_default(load, tmp_path):
    text = yaml.safe_dump({"data": {"data_path": "data"}}) + "model:\ntrainer:\n"
    (tmp_path / "empty.yaml").write_text(text)
    assert load_recipe(tmp_path / "empty.yaml")["train"]["epochs"] == 1000


def test_the_callback_that_draws_is_pointed_to_the_command_that_does(load, capsys):
    changes = {
        "trainer.callbacks": [{"class_path": "callbacks.DrawActivationCallback"}],
        "data.num_workers": 0,
    }
    assert differences(load(OUMVLP, changes), load(OUMVLP, {})) == {
        "averaging.start": (None, 0.8),
    }
    assert "mains/visualize.py draws" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model.learning_rat": 0.1, "data.sequence": 3},
            "unknown keys in .*model.learning_rat, data.sequence",
        ),
        ({"data.test_shuffle_sequence": True}, "data.test_shuffle_sequence must be false .* Received: True"),
        ({"trainer.gradient_clip_val": 0.5}, "trainer.gradient_clip_val must be null or 0 .* Received: 0.5"),
        ({"trainer.accumulate_grad_batches": 4}, "trainer.accumulate_grad_batches must be null or 1"),
        ({"trainer.precision": 64}, "trainer.precision must be 16 or 32"),
        ({"trainer.precision": [16]}, "trainer.precision must be 16 or 32"),
        ({"ckpt_path": "a.ckpt"}, "ckpt_path must be null"),
        ({"trainer": 3}, "trainer should be a section with keys. Received: 3"),
        ({"model": [1]}, "model should be a section with keys"),
        ({"model.multi_input": "yes"}, "model.multi_input must be of type bool. Received: 'yes'"),
        ({"model.learning_rate": "fast"}, "'optimizer.learning_rate' in .* must be of type float"),
        ({"model.weight_decay": 1, "data.keypoints": "openpose"}, "unknown keys in .*model.weight_decay"),
        ({"data.keypoints": "kinect"}, "'data.keypoints' in .* must be one of openpose"),
        ({"data.random_move": "far"}, "'augmentation.random_move' in .* must be of type"),
        (callbacks("EarlyStopping"), "callback EarlyStopping is not known here"),
        (callbacks("StochasticWeightAveraging", swa_rate=1), "not known here: swa_rate"),
        (callbacks("StochasticWeightAveraging", annealing_strategy="linear"), "with the strategy cos"),
        ({"trainer.callbacks": ["EarlyStopping"]}, "should list keys, each with a class_path"),
        (callbacks("StochasticWeightAveraging", swa_epoch_start="late"), "'averaging.start' .* type float"),
        (
            {"trainer.callbacks": {"class_path": "StochasticWeightAveraging", "init_args": [1]}},
            r"init_args of StochasticWeightAveraging should be keys. Received: \[1\]",
        ),
        ({"trainer.max_epochs": -1}, "trainer.max_epochs must be a number from 1 .* Received: -1"),
        ({"trainer.max_epochs": "many"}, "trainer.max_epochs must be a number from 1"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_key(load, changes, message):
    line = refused(load, CASIAB, changes)
    assert re.search(message, line), line
