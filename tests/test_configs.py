"""Every recipe that the repository offers is complete and known, and says what was published."""

from pathlib import Path

import pytest

from keras_gait.training.recipes import load_recipe

FOLDER = Path(__file__).resolve().parent.parent / "configs"
CONFIGS = [path for path in sorted(FOLDER.rglob("*.yaml")) if not path.stem.startswith("pretreatment")]

# OpenGait's YAML files: blocks, classes, subjects x sequences, frames, order, frames skipped, thousands of
# updates at which the rate falls and in all, updates between checkpoints, whether all augmentations
PUBLISHED = {
    "skeletongait/ccpg": ([1, 1, 1, 1], 100, (8, 16), (30, "ordered", 4), [20, 30, 40], 60, 10, True),
    "skeletongait/grew": ([1, 4, 4, 1], 20000, (32, 4), (30, "ordered", 4), [80, 120, 150], 180, 30, True),
    "skeletongait/gait3d": ([1, 4, 4, 1], 3000, (32, 4), (30, "ordered", 4), [20, 30, 40], 60, 10, True),
    "skeletongait/oumvlp": ([1, 1, 1, 1], 5153, (32, 8), (30, "ordered", 4), [60, 80, 100], 120, 20, False),
    "skeletongait/sustech1k": ([1, 1, 1, 1], 250, (8, 8), (10, "unordered", 4), [20, 30, 40], 50, 10, True),
    "skeletongait/casiab": ([1, 1, 1, 1], 74, (8, 16), (30, "ordered", 4), [20, 40, 50], 60, 30, True),
    "skeletongaitplusplus/ccpg": ([1, 1, 1, 1], 100, (8, 16), (30, "ordered", 4), [20, 30, 40], 60, 10, True),
    "skeletongaitplusplus/grew": (
        [1, 4, 4, 1], 20000, (32, 4), (30, "ordered", 4), [80, 120, 150], 180, 30, True
    ),
    "skeletongaitplusplus/gait3d": (
        [1, 4, 4, 1], 3000, (32, 4), (30, "ordered", 4), [20, 30, 40], 60, 10, True
    ),
    "skeletongaitplusplus/sustech1k": (
        [1, 1, 1, 1], 250, (8, 8), (10, "ordered", 4), [20, 30, 40], 50, 10, True
    ),
    "skeletongaitplusplus/casiab": (
        [1, 1, 1, 1], 74, (8, 16), (30, "ordered", 4), [20, 40, 50], 60, 30, True
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recipe_loads(path):
    assert load_recipe(path)["method"] == path.parent.name


def test_there_are_recipes():
    assert CONFIGS


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_says_what_was_published(name):
    blocks, classes, batch, frames, milestones, iterations, save, augmented = PUBLISHED[name]
    recipe = load_recipe(FOLDER / f"{name}.yaml")
    plus = name.startswith("skeletongaitplusplus")
    model, sampler, train = recipe["model"], recipe["sampler"], recipe["train"]
    assert model["blocks" if plus else "layers"] == blocks
    assert model["use_emb2"] == (name == "skeletongait/ccpg")
    assert recipe["data"]["nclasses"] == classes
    assert recipe["data"]["channels"] == ["limb", "joint"] + ["silhouette"] * plus
    assert (sampler["p"], sampler["k"]) == batch
    assert (sampler["frames"], sampler["order"], sampler["skip"], sampler["lengths"]) == (*frames, "fixed")
    assert recipe["schedule"]["milestones"] == [1000 * milestone for milestone in milestones]
    assert train["iterations"] == 1000 * iterations
    assert train["steps_per_epoch"] * train["save_epoch"] == 1000 * save
    assert train["mixed_precision"]
    augmentation = {"perspective": 0.2, "flip": 0.2, "rotate": 0.2} if augmented else {"flip": 0.5}
    assert {key: value for key, value in recipe["augmentation"].items() if value} == augmentation | {
        "rotate_degree": 10.0,
        "rotate_centre": "published",
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_all_have_the_common_settings(name):
    recipe = load_recipe(FOLDER / f"{name}.yaml")
    assert recipe["optimizer"] == {
        "name": "SGD", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-4
    }  # fmt: skip
    assert recipe["losses"] == {"margin": 0.2, "cross_weight": 1.0, "scale": 16.0, "smoothing": 0.1}
    assert recipe["schedule"]["gamma"] == 0.1
    assert recipe["evaluation"]["metric"] == "parts"


# SGE's spec, sections 2, 5, 6 and 8: frames, temperature, epochs of encoders; epochs, rows of a batch and
# rate of the recognition network
PUBLISHED_SGE = {
    "biwi": (6, 0.1, 400, 300, 128, 0.0005),
    "biwi_rev_rec_plus": (6, 0.1, 400, 300, 128, 0.0005),
    "ias": (6, 0.1, 400, 300, 128, 0.0005),
    "kgbd": (6, 0.5, 150, 200, 128, 0.0005),
    "ks20": (6, 0.1, 400, 800, 128, 0.0005),
    "kinectreid": (6, 0.1, 400, 300, 128, 0.0005),
    "casiab_cve": (20, 0.15, 100, 1000, 1280, 0.005),
    "casiab_cme": (50, 0.15, 100, 0, 128, 0.0005),
}


@pytest.mark.parametrize("name", PUBLISHED_SGE)
def test_sges_recipes_say_what_was_published(name):
    recipe = load_recipe(FOLDER / "sge" / f"{name}.yaml")
    asked = recipe["recognition"]
    assert PUBLISHED_SGE[name] == (
        recipe["data"]["length"],
        recipe["losses"]["temperature"],
        recipe["train"]["epochs"],
        *(asked[key] for key in ("epochs", "batch_size", "learning_rate")),
    )
    casiab = name.startswith("casiab")
    model = recipe["model"]
    assert model["manner"] == ("sc" if name == "casiab_cme" else "ap")
    assert (model["normalise"], model["units"], model["attention"]) == (
        "joint" if casiab else "none",
        256,
        "LA",
    )
    assert model["pretext"] == ("rev_rec_plus" if name.endswith("plus") else "rev_rec")
    assert (recipe["sampler"]["batch_size"], recipe["losses"]["l2"]) == (128, 0.02)
    assert recipe["optimizer"] == {"learning_rate": 0.0005, "clip": 5.0}


# SelfGait's spec, sections 5 and 6: loss, updates, updates between checkpoints
PUBLISHED_SELFGAIT = {
    "casiab": ("byol", 10000, 5000),
    "casiab_mixed": ("mixed", 10000, 1000),
    "casiab_finetune": ("triplet", 50000, 5000),
    "oumvlp": ("byol", 10000, 5000),
    "oumvlp_finetune": ("triplet", 50000, 5000),
}


@pytest.mark.parametrize("name", PUBLISHED_SELFGAIT)
def test_selfgaits_recipes_say_what_was_published(name):
    recipe = load_recipe(FOLDER / "selfgait" / f"{name}.yaml")
    losses, train, model = recipe["losses"], recipe["train"], recipe["model"]
    saved = train["steps_per_epoch"] * train["save_epoch"]
    assert PUBLISHED_SELFGAIT[name] == (losses["name"], train["iterations"], saved)
    assert train["steps_per_epoch"] == 500  # its tests
    assert (recipe["sampler"]["p"], recipe["sampler"]["k"], recipe["sampler"]["frames"]) == (8, 16, 30)
    assert recipe["optimizer"] == {
        "name": "SGD", "learning_rate": 0.03, "momentum": 0.9, "weight_decay": 4e-4
    }  # fmt: skip
    assert recipe["schedule"]["milestones"] == []
    assert recipe["target"] == {"frames": "same", "momentum": 0.996, "schedule": "constant"}
    assert (losses["cosine"], losses["triplets"], losses["margin"]) == ("strips", "full", 0.2)
    assert losses["triplet_every"] == 5
    sizes = ("hidden_dim", "mlp_hidden_size", "projection_size")
    assert [model[size] for size in sizes] == [128, 256, 128]
    applied = {key for key in ("flip", "crop", "jitter", "blur") if recipe["augmentation"][key]}
    assert (applied, recipe["augmentation"]["flip"]) == ({"flip"}, 0.5)
    casiab = name.startswith("casiab")
    assert recipe["data"]["nclasses"] == (74 if casiab else 5153)
    assert recipe["data"]["leave_out"] == ["005"] * casiab
