"""The folder of a training run: its name, its recipe, and whether it is done."""

import json
from pathlib import Path

import yaml

from keras_gait.errors import GaitError
from keras_gait.files import FINAL_MODEL, RECIPE_FILE, write_whole, written_whole
from keras_gait.training.checkpointing import STATE_FILE
from keras_gait.training.recipes import differences, save_recipe
from keras_gait.training.settings import METHODS

FEATURES = "features-training.npy"  # what a recognition network learns from, while it does
DATA_FILE = "data.json"  # which data set the run learns from
# May differ between two starts of one run.
FREE = (
    "train.verbose",
    "train.save_epoch",
    "train.experdir",
    "train.stage",
    "data.datadir",
    "evaluation.",
)


def run_name(recipe, classes, batch):
    """The folder's name, as AttenGait's ``train.py`` builds it; a short one in the other ways of training.

    It leaves much out (margin, epochs, ...): `open_run` compares the whole recipe.
    """
    if METHODS[recipe["method"]].way != "attengait":
        return _short_name(recipe, classes)
    model, losses, optimizer = recipe["model"], recipe["losses"], recipe["optimizer"]
    replicas = max(1, recipe["train"]["multi_gpu"])
    parts = [f"{recipe['train']['prefix']}_" if recipe["train"]["prefix"] else "", recipe["method"]]
    parts.append(f"_N{classes:05d}" if classes > 999 else f"_N{classes:03d}")
    parts.append(f"_op{optimizer['name']}_wd{optimizer['weight_decay']}")
    parts += ["_norm_tl"] * bool(losses["normalise"]) + ["_soft_tl"] * losses["soft"]
    parts += ["_lr_sched"] * (recipe["schedule"]["name"] == "cosine")
    parts += ["_split_crossentropy"] * bool(model.get("split_crossentropy"))
    parts += ["_shared_weights_crossentropy"] * bool(model.get("shared_weights_crossentropy"))
    parts += ["_adap_tl"] * losses["adaptive"] + ["_sub_mean"] * bool(model.get("subtract_mean"))
    parts.append(f"_ms-{model.get('model_size', 'small')}")
    parts += ["_softmax_attention"] * bool(model.get("softmax_attention"))
    parts += ["_rep_data"] * recipe["sampler"]["repeat"]
    parts.append(f"_bs{batch:03d}_lr{optimizer['learning_rate'] * replicas:0.6f}")
    parts += ["_diffFrames"] * recipe["sampler"]["varying_length"] + ["_cut"] * recipe["data"]["cut"]
    parts += [f"_crossentropy{losses['cross_weight']}"] * bool(losses["cross_weight"])
    return "".join(parts)


def _short_name(recipe, classes):
    sampler, prefix = recipe["sampler"], recipe["train"]["prefix"]
    number = f"N{classes:05d}" if classes > 999 else f"N{classes:03d}"
    rate = f"lr{recipe['optimizer']['learning_rate']:g}"
    batch = f"p{sampler['p']}k{sampler['k']}" if sampler.get("pk", True) else f"bs{sampler['batch_size']}"
    parts = [recipe["method"], number, batch, rate]
    return "_".join([prefix] * bool(prefix) + parts)


def sge_name(recipe):
    """A run's name as by SGE's ``train.py`` (spec, section 8): "BIWI_LA_RN_ap_6_0.1_0pre_rev_rec".

    ``recipe``: at least ``model``, ``data``, ``losses``, ``train``, with data set, length and temperature.
    What the original could not do stands behind: two of three tasks, projections, another data's encoders.
    """
    model, data, train = recipe["model"], recipe["data"], recipe["train"]
    plus, frozen = model["pretext"] == "rev_rec_plus", model["contrast"] == "frozen"
    view = "" if data["view"] is None else f"view_{data['view']}"
    parts = [train["prefix"]] * bool(train["prefix"]) + [data["dataset"]]
    parts += [model["attention"]] * (not plus) + ["RN", model["manner"], str(data["length"])]
    parts += [f"{recipe['losses']['temperature']:g}", f"{frozen:d}{view}pre", model["pretext"]]
    parts += ["double", model["double_pretext"]] if model["double_pretext"] else []
    parts += ["c_reid"] * (model["features"] == "projection" and not frozen)
    parts += ["from", Path(train["transfer"]).name] if train["transfer"] else []
    return "_".join(parts)


def open_run(folder, recipe, dataset, free=()):
    """Make the run's folder, or find it with the same recipe and data; a run that kept nothing yet may change
    them, a complete one is left as it is.

    Args:
        free: how the names of further keys begin that may differ between two starts.

    Raises:
        GaitError: the folder holds a run with other settings, which the message names, or on another data
            set. The same one may lie elsewhere by now.
    """
    folder = Path(folder)
    file = folder / RECIPE_FILE
    if file.exists() and any((folder / kept).exists() for kept in (STATE_FILE, FINAL_MODEL, FEATURES)):
        found = differences(yaml.safe_load(file.read_text()), recipe)
        changed = [
            f"{key} {before!r} -> {now!r}"
            for key, (before, now) in found.items()
            if not key.startswith((*FREE, *free))
        ]
        if changed:
            raise GaitError(
                f"{folder} holds a run with other settings: {', '.join(changed)}. Use another --prefix or "
                "--experdir, or the same settings to go on"
            )
        _check_data(folder, dataset)
    if is_complete(folder):
        return folder
    with written_whole(file) as temporary:
        save_recipe(recipe, temporary)
    about = {"path": str(dataset.path), "fingerprint": dataset.fingerprint}
    write_whole(folder / DATA_FILE, json.dumps(about, indent=1) + "\n")
    return folder


def _check_data(folder, dataset):
    file = folder / DATA_FILE
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        path, fingerprint = known["path"], known["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GaitError(
            f"{file}, which tells the run's data set, cannot be read ({error}). Use another --prefix"
        ) from error
    if fingerprint != dataset.fingerprint:
        raise GaitError(
            f"{folder} holds a run on the data set {path} ({fingerprint[:12]}), and {dataset.path} "
            f"({dataset.fingerprint[:12]}) is another, or has changed since. Use another --prefix or "
            "--experdir, or the same data set to go on"
        )


def is_complete(folder):
    return (Path(folder) / FINAL_MODEL).exists()
