"""OpenGait's own YAML files as recipes: what they say, and every key that nobody knows by name."""

from pathlib import Path

import pytest
import yaml

from keras_gait.errors import GaitError
from keras_gait.training.recipes import differences, load_recipe

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
GAIT3D = yaml.safe_load("""
data_cfg: {dataset_name: Gait3D, dataset_root: maps, num_workers: 1, data_in_use: [true, false]}
evaluator_cfg:
  {enable_float16: true, restore_hint: 60000, save_name: gait3d, eval_func: evaluate_Gait3D, metric: euc,
   sampler: {batch_size: 4, sample_type: all_ordered}, transform: [{type: BaseSilCuttingTransform}]}
loss_cfg:
  - {loss_term_weights: 1.0, margin: 0.2, type: TripletLoss, log_prefix: triplet}
  - {loss_term_weight: 1.0, scale: 16, type: CrossEntropyLoss, log_prefix: softmax, log_accuracy: true}
model_cfg:
  model: DeepGaitV2
  Backbone: {in_channels: 2, mode: p3d, layers: [1, 4, 4, 1], channels: [64, 128, 256, 512]}
  SeparateBNNecks: {class_num: 3000}
optimizer_cfg: {lr: 0.1, momentum: 0.9, solver: SGD, weight_decay: 0.0005}
scheduler_cfg: {gamma: 0.1, milestones: [20000, 30000, 40000], scheduler: MultiStepLR}
trainer_cfg:
  enable_float16: true
  log_iter: 100
  restore_hint: 0
  save_iter: 10000
  save_name: gait3d
  sync_BN: true
  total_iter: 60000
  sampler:
    {batch_shuffle: true, batch_size: [32, 4], frames_num_fixed: 30, frames_skip_num: 4,
     sample_type: fixed_ordered, type: TripletSampler}
  transform:
    - type: Compose
      trf_cfg:
        - {type: RandomPerspective, prob: 0.2}
        - {type: BaseSilCuttingTransform}
        - {type: RandomHorizontalFlip, prob: 0.2}
        - {type: RandomRotate, prob: 0.2}
""")


@pytest.fixture
def load(tmp_path):
    """``load(**{"trainer_cfg.fix_BN": True})``: the recipe of `GAIT3D` with these keys."""

    def load(**changes):
        content = yaml.safe_load(yaml.safe_dump(GAIT3D))
        for key, value in changes.items():
            *sections, name = key.split(".")
            table = content
            for section in sections:
                table = table.setdefault(section, {})
            table[name] = value
        path = tmp_path / "gait3d.yaml"
        path.write_text(yaml.safe_dump(content))
        return load_recipe(path)

    return load


def test_the_published_file_is_our_recipe(load):
    assert differences(load(), load_recipe(CONFIGS / "skeletongait" / "gait3d.yaml")) == {}


def test_the_silhouette_network_takes_silhouettes(load):
    recipe = load(**{"model_cfg.Backbone.in_channels": 1})
    assert recipe["method"] == "skeletongait"
    assert recipe["data"]["channels"] == ["silhouette"]


def test_both_modalities_make_skeletongait_plus_plus(load):
    recipe = load(
        **{"model_cfg.model": "SkeletonGaitPP", "model_cfg.Backbone": {"blocks": [1, 4, 4, 1], "C": 2}}
    )
    assert recipe["method"] == "skeletongaitplusplus"
    assert (recipe["model"]["blocks"], recipe["model"]["C"]) == ([1, 4, 4, 1], 2)


def test_lengths_augmentations_and_metric_come_along(load):
    sampler = {"sample_type": "unfixed_unordered", "frames_num_min": 20, "frames_num_max": 40}
    recipe = load(
        **{f"trainer_cfg.sampler.{key}": value for key, value in sampler.items()},
        **{"trainer_cfg.transform": [{"type": "RandomRotate", "degree": 5}, {"type": "RandomErasing"}]},
        **{"evaluator_cfg.metric": "cos"},
    )
    assert {key: recipe["sampler"][key] for key in ("lengths", "order", "frames_min", "frames_max")} == {
        "lengths": "unfixed",
        "order": "unordered",
        "frames_min": 20,
        "frames_max": 40,
    }
    augmentation = recipe["augmentation"]
    assert (augmentation["rotate"], augmentation["rotate_degree"], augmentation["erasing"]) == (0.5, 5.0, 0.5)
    assert recipe["evaluation"]["metric"] == "cos"


def test_what_is_left_out_is_as_in_the_published_defaults(tmp_path):
    path = tmp_path / "short.yaml"
    path.write_text("model_cfg: {model: GaitSet}")
    recipe = load_recipe(path)
    assert (recipe["schedule"]["milestones"], recipe["train"]["iterations"]) == ([20000, 40000, 60000], 80000)
    assert recipe["train"]["mixed_precision"]
    assert (recipe["sampler"]["p"], recipe["sampler"]["k"], recipe["sampler"]["order"]) == (
        8,
        16,
        "unordered",
    )
    assert recipe["losses"]["cross_weight"] == 0.0


TRIPLET = {"type": "TripletLoss", "margin": 0.2}
SGD = {"solver": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0005}
BASELINES = {
    "gaitset": {
        "model_cfg": {
            "model": "GaitSet",
            "in_channels": [1, 32, 64, 128],
            "SeparateFCs": {"in_channels": 128, "out_channels": 256, "parts_num": 62},
            "bin_num": [16, 8, 4, 2, 1],
        },
        "loss_cfg": TRIPLET,
        "optimizer_cfg": SGD,
        "scheduler_cfg": {"milestones": [10000, 20000, 30000]},
        "trainer_cfg": {"total_iter": 40000},
        "sampler": {"batch_size": [8, 16], "sample_type": "fixed_unordered"},
    },
    "gaitpart": {
        "model_cfg": {
            "model": "GaitPart",
            "backbone_cfg": {
                "in_channels": 1,
                "layers_cfg": ["BC-32", "BC-32", "M", "FC-64-2", "FC-64-2", "M", "FC-128-3", "FC-128-3"],
                "type": "Plain",
            },
            "SeparateFCs": {"in_channels": 128, "out_channels": 128, "parts_num": 16},
            "bin_num": [16],
        },
        "loss_cfg": TRIPLET,
        "optimizer_cfg": {"solver": "Adam", "lr": 0.0001, "weight_decay": 0.0},
        "scheduler_cfg": {"milestones": [100000]},
        "trainer_cfg": {"total_iter": 120000},
        "sampler": {"batch_size": [8, 16], "sample_type": "fixed_ordered", "frames_skip_num": 10},
    },
    "gaitgl": {
        "model_cfg": {"model": "GaitGL", "channels": [32, 64, 128], "class_num": 74},
        "loss_cfg": [TRIPLET, {"type": "CrossEntropyLoss", "scale": 1, "label_smooth": False}],
        "optimizer_cfg": {"solver": "Adam", "lr": 0.0001, "weight_decay": 0.0005},
        "scheduler_cfg": {"milestones": [70000]},
        "trainer_cfg": {"total_iter": 80000},
        "sampler": {"batch_size": [8, 8], "sample_type": "fixed_ordered", "frames_skip_num": 0},
    },
    "gaitbase": {
        "model_cfg": {
            "model": "Baseline",
            "backbone_cfg": {
                "type": "ResNet9",
                "block": "BasicBlock",
                "channels": [64, 128, 256, 512],
                "layers": [1, 1, 1, 1],
                "strides": [1, 2, 2, 1],
                "maxpool": False,
            },
            "SeparateFCs": {"in_channels": 512, "out_channels": 256, "parts_num": 16},
            "SeparateBNNecks": {"class_num": 74, "in_channels": 256, "parts_num": 16},
            "bin_num": [16],
        },
        "loss_cfg": [TRIPLET, {"type": "CrossEntropyLoss", "scale": 16}],
        "optimizer_cfg": SGD,
        "scheduler_cfg": {"milestones": [20000, 40000, 50000]},
        "trainer_cfg": {
            "total_iter": 60000,
            "transform": [
                {"type": "BaseSilCuttingTransform"},
                {"type": "RandomRotate", "prob": 0.3},
                {"type": "RandomErasing", "prob": 0.3},
            ],
        },
        "sampler": {"batch_size": [8, 16], "sample_type": "fixed_unordered", "frames_num_fixed": 30},
    },
}


def baseline(tmp_path, method, **changes):
    """The recipe of a silhouette baseline's settings on CASIA-B, as OpenGait's YAML, with these sections."""
    content = {"data_cfg": {"dataset_name": "CASIA-B"}} | BASELINES[method] | changes
    trainer = {"save_name": "casiab", "save_iter": 10000, "sampler": content.pop("sampler")}
    path = tmp_path / f"{method}.yaml"
    path.write_text(yaml.safe_dump(content | {"trainer_cfg": content["trainer_cfg"] | trainer}))
    return load_recipe(path)


@pytest.mark.parametrize("method", BASELINES)
def test_the_silhouette_baselines_are_our_recipes(method, tmp_path):
    ours = load_recipe(CONFIGS / method / "casiab.yaml")
    unlike = differences(baseline(tmp_path, method), ours)
    unused = {"sampler.skip"} if ours["sampler"]["order"] == "unordered" else set()
    if method in ("gaitset", "gaitpart"):  # no class count in the published files of triplets alone
        unused |= {"data.nclasses", "losses.scale", "losses.smoothing"}
    assert set(unlike) <= unused


def test_a_deeper_gaitgl_is_told_by_its_data_set_and_widths(tmp_path):
    model = {"model": "GaitGL", "channels": [32, 64, 128, 256], "SeparateBNNecks": {"class_num": 20000}}
    recipe = baseline(tmp_path, "gaitgl", model_cfg=model, data_cfg={"dataset_name": "GREW"})
    assert (recipe["model"]["bn_necks"], recipe["data"]["nclasses"]) == (True, 20000)
    assert recipe["model"]["channels"] == [32, 64, 128, 256]
    with pytest.raises(GaitError, match=r"channels must be 3 widths, .* Received: \[32, 64, 128, 256\]"):
        baseline(tmp_path, "gaitgl", model_cfg=model)


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("gaitset", {"in_channels": [2, 32, 64, 128]}, "in_channels must be 1, for silhouettes"),
        ("gaitpart", {"backbone_cfg": {"type": "ResNet9"}}, "backbone_cfg.type must be Plain"),
        ("gaitbase", {"backbone_cfg": {"type": "Plain"}}, "backbone_cfg.type must be ResNet9"),
        ("gaitset", {"use_emb2": True}, "unknown keys in .*: model_cfg.use_emb2"),
    ],
)
def test_a_baseline_that_is_not_ours_is_refused(method, change, message, tmp_path):
    with pytest.raises(GaitError, match=message):
        baseline(tmp_path, method, model_cfg=BASELINES[method]["model_cfg"] | change)


def test_a_stale_restore_hint_is_ignored_with_a_line_and_a_path_is_not(load, capsys):
    recipe = load(**{"trainer_cfg.restore_hint": 90000})
    assert recipe["train"]["init_net"] is None
    assert "restore_hint 90000 is ignored" in capsys.readouterr().out
    assert load(**{"trainer_cfg.restore_hint": "a.pt"})["train"]["init_net"] == "a.pt"


@pytest.mark.parametrize("key", ["loss_term_weight", "loss_term_weights"])
def test_either_spelling_of_the_weight_counts(load, key):
    triplet = {"type": "TripletLoss", "margin": 0.3}
    recipe = load(loss_cfg=[triplet, {"type": "CrossEntropyLoss", key: 0.5, "label_smooth": False}])
    assert recipe["losses"] == {"margin": 0.3, "cross_weight": 0.5, "scale": 16.0, "smoothing": 0.0}
    assert load(loss_cfg=triplet)["losses"]["cross_weight"] == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"trainer_cfg.itres": 3, "model_cfg.Backbone.depth": 9},
            r"model_cfg.Backbone.depth, trainer_cfg.itres",
        ),
        ({"sampler_cfg": {"p": 3}}, "unknown keys in .*: sampler_cfg.p"),
        ({"loss_cfg": [{"type": "TripletLoss", "magrin": 0.2}]}, "unknown keys in .*: loss_cfg.magrin"),
        ({"loss_cfg": [{"type": "ArcLoss"}]}, "loss_cfg has 'ArcLoss'; trained here are TripletLoss"),
        (
            {"loss_cfg": [{"type": "TripletLoss", "loss_term_weight": 2.0}]},
            "the triplet loss has the weight 1",
        ),
        ({"model_cfg.model": "GaitNet"}, "model must be one of DeepGaitV2, .* Received: 'GaitNet'"),
        ({"model_cfg.model": None}, "model_cfg.model must be of type str. Received: None"),
        ({"trainer_cfg.total_iter": "60k"}, "total_iter must be of type int. Received: '60k'"),
        ({"trainer_cfg.save_iter": 0}, "total_iter and save_iter must be positive"),
        ({"trainer_cfg.transform": None}, "transform must be of type list. Received: None"),
        ({"trainer_cfg.transform": ["RandomRotate"]}, "each with a type. Received: 'RandomRotate'"),
        ({"trainer_cfg.transform": [{"type": "Compose", "trf_cfg": None}]}, "each with a type. Received"),
        (
            {"trainer_cfg.transform": [{"type": "BaseSilCuttingTransform", "cutting": 0}]},
            "BaseSilCuttingTransform has keys that are not known here: cutting",
        ),
        (
            {"trainer_cfg.transform": [{"type": "RandomRotate"}, {"type": "RandomPerspective"}]},
            "done here in the order .* Received: RandomRotate, RandomPerspective",
        ),
        ({"loss_cfg": ["TripletLoss"]}, "loss_cfg should list keys, each with a type"),
        ({"loss_cfg": [{"type": "CrossEntropyLoss"}]}, "loss_cfg must have one TripletLoss"),
        (
            {"trainer_cfg.sampler": {"batch_size": [8, 8], "sample_type": "fixed_ordered"}},
            "frames_skip_num is missing, which ordered frames need",
        ),
        ({"model_cfg.Backbone": 5}, "model_cfg.Backbone should be a section with keys. Received: 5"),
        ({"trainer_cfg.fix_BN": True}, "fix_BN must be false to be trained here. Received: True"),
        ({"trainer_cfg.sampler.sample_type": "all_ordered"}, "sample_type must be fixed or unfixed"),
        ({"trainer_cfg.sampler.batch_size": 4}, "batch_size must be of type list"),
        ({"trainer_cfg.sampler.batch_size": [4]}, r"batch_size must be \[subjects"),
        ({"trainer_cfg.transform": [{"type": "Blur"}]}, "transform 'Blur' is not known here"),
        (
            {"trainer_cfg.transform": [{"type": "RandomErasing", "per_frame": True}]},
            "RandomErasing has keys that are not known here: per_frame",
        ),
        ({"scheduler_cfg.scheduler": "StepLR"}, "scheduler must be MultiStepLR"),
        ({"evaluator_cfg.metric": "hamming"}, "metric must be euc or cos"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_not_known_is_refused_by_name(load, change, message):
    with pytest.raises(GaitError, match=message):
        load(**change)
