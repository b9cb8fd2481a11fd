"""GaitGraph2's own YAML for Lightning (``model``, ``data``, ``trainer``) as a recipe.

What only says how Lightning runs (devices, workers, logs), what the original never reads, and where its data
lie is dropped; other keys are refused by name.
"""

import math

from keras_gait.errors import GaitError
from keras_gait.training.section_reader import SectionReader

WITHOUT_MEANING = {
    "model": "lr_div_factor",
    "data": "confidence_noise data_path dataset_path num_workers",
    "trainer": "accelerator amp_backend amp_level auto_select_gpus benchmark checkpoint_callback "
    "default_root_dir detect_anomaly deterministic devices enable_checkpointing enable_model_summary "
    "enable_progress_bar flush_logs_every_n_steps gpus gradient_clip_algorithm inference_mode ipus "
    "limit_predict_batches limit_test_batches limit_val_batches log_every_n_steps log_gpu_memory logger "
    "min_epochs move_metrics_to_cpu multiple_trainloader_mode num_nodes num_processes num_sanity_val_steps "
    "plugins prepare_data_per_node process_position profiler progress_bar_refresh_rate replace_sampler_ddp "
    "strategy sync_batchnorm terminate_on_nan tpu_cores track_grad_norm val_check_interval "
    "weights_save_path weights_summary",
}
# keys that are here as Lightning has them by default, whatever it calls that
AS_DEFAULT = {
    "": {"ckpt_path": (None,)},
    "data": {"test_shuffle_sequence": (False,)},
    "trainer": {
        "accumulate_grad_batches": (None, 1),
        "auto_lr_find": (None, False),
        "auto_scale_batch_size": (None, False),
        "fast_dev_run": (False,),
        "gradient_clip_val": (None, 0),
        "limit_train_batches": (None, 1.0),
        "max_steps": (None, -1),
        "max_time": (None,),
        "min_steps": (None,),
        "overfit_batches": (0,),
        "reload_dataloaders_every_n_epochs": (0,),
        "resume_from_checkpoint": (None,),
    },
}
MIXED = {"32": False, "16": True, "bf16": True}  # trainer.precision
WITHOUT_EFFECT = ("LearningRateMonitor", "ModelCheckpoint", "RichProgressBar", "TQDMProgressBar")
AVERAGING = "StochasticWeightAveraging"
DRAWING = "DrawActivationCallback"
EPOCHS = 1000  # Lightning's, where the file names none
SWITCHES = ("multi_input", "multi_branch")


def is_lightning_yaml(given):
    """Whether a file's content is GaitGraph2's for Lightning and no recipe."""
    data = given.get("data")
    return "trainer" in given or (isinstance(data, dict) and "data_path" in data)


def recipe_from_lightning(given, path):
    """The recipe that a YAML of GaitGraph2 says, as nested dicts; what it leaves out is as there.

    The data set is OU-MVLP where ``data`` names keypoints or the data set's path, else CASIA-B.

    Raises:
        GaitError: keys that are not known, or ask for what is not done here; all unknown ones are named.
    """
    reader = SectionReader(given, path, WITHOUT_MEANING, whole=("trainer.callbacks",))
    data = reader.section("data")
    recipe = (_oumvlp if {"dataset_path", "keypoints"} & set(data) else _casiab)(reader)
    recipe["model"] |= reader.take("model", embedding_layer_size="embedding_size")
    recipe["model"] |= reader.take("data", sequence_length="frames")
    recipe["sampler"] |= reader.take("data", batch_size="batch_size")
    recipe["augmentation"] = reader.take(
        "data",
        flip_sequence_p="flip_sequence",
        flip_lr_p="flip_lr",
        joint_noise="joint_noise",
        point_noise="point_noise",
        random_move="random_move",
        train_shuffle_sequence="shuffle",
    )
    recipe["losses"] = {"temperature": 0.07} | reader.take("model", loss_temperature="temperature")
    recipe["optimizer"] |= reader.take("model", learning_rate="learning_rate")
    recipe["evaluation"] |= reader.take("model", tta="tta")
    recipe["train"] |= _train(reader)
    recipe["averaging"] = _averaging(reader, recipe["train"]["epochs"])
    _check_defaults(reader)
    reader.finish()
    return recipe


def _casiab(reader):
    """What is CASIA-B's own, with its defaults."""
    multi_input, multi_branch = (_switch(reader, name, name == "multi_input") for name in SWITCHES)
    if multi_branch and not multi_input:
        raise GaitError(f"{reader.path}: multi_branch true needs multi_input true. Received: false")
    inputs = "plain" if not multi_input else "branches" if multi_branch else "concat"
    return {
        "method": "gaitgraph2",
        "data": {"nclasses": 74, "keypoints": "hrnet"},
        "model": {"inputs": inputs, "joints": "coco", "frames": 60, "fill_empty": False}
        | {"network": reader.get("model", "backbone_name", "resgcn-n39-r8"), "embedding_size": 128},
        "sampler": {"batch_size": 256},
        "optimizer": {"name": "AdamW", "learning_rate": 0.005, "weight_decay": 1e-5}
        | reader.take("model", weight_decay="weight_decay"),
        "train": {"prefix": "casiab"} | reader.take("model", load_from_checkpoint="init_net"),
        "evaluation": {},
    }


def _oumvlp(reader):
    """What is OU-MVLP's own, with its defaults."""
    multi_input = _switch(reader, "multi_input", True)
    network = reader.get("model", "backbone_name", "resgcn-n51-r4")
    model = {"joints": "oumvlp", "frames": 30, "fill_empty": True, "embedding_size": 64}
    if network == "st-gcn":
        if multi_input:
            raise GaitError(f"{reader.path}: the network st-gcn needs multi_input false in model and data")
        method = "stgcn"
    else:
        method = "gaitgraph2"
        model |= {"network": network, "inputs": "branches" if multi_input else "plain"}
    return {
        "method": method,
        "data": {"nclasses": 5153, "keypoints": reader.get("data", "keypoints", "openpose")},
        "model": model,
        "sampler": {"batch_size": 512},
        "optimizer": {"name": "Adam", "learning_rate": 0.01, "weight_decay": 0.0},
        "train": {"prefix": "oumvlp"},
        "evaluation": {"protocol": "oumvlp-pose"},
    }


def _switch(reader, name, default):
    """A switch that model and data have, each, and that must agree."""
    model, data = (reader.get(section, name, default) for section in ("model", "data"))
    if model != data:
        raise GaitError(
            f"{reader.path}: model.{name} and data.{name} must be the same. Received: "
            f"{str(model).lower()} and {str(data).lower()}"
        )
    return model


def _train(reader):
    found = reader.take("trainer", check_val_every_n_epoch="validate_every")
    epochs = reader.take("trainer", max_epochs="epochs").get("epochs")
    found["epochs"] = EPOCHS if epochs is None else epochs
    if type(found["epochs"]) is not int or found["epochs"] < 1:
        reader.refuse("trainer.max_epochs", "a number from 1")
    precision = str(reader.take("trainer", precision="precision").get("precision", 32))
    if precision not in MIXED:
        reader.refuse("trainer.precision", "16 or 32")
    found["mixed_precision"] = MIXED[precision]
    seed = reader.take("", seed_everything="seed").get("seed")
    if type(seed) is int:  # true is Lightning's own
        found["seed"] = seed
    return found


def _averaging(reader, epochs):
    """Of the callback that averages weights; the other callbacks have no part in the training."""
    callbacks = reader.take("trainer", callbacks="callbacks").get("callbacks") or []
    entries = reader.typed("trainer.callbacks", callbacks, "class_path")
    found = None
    if reader.take("trainer", stochastic_weight_avg="on").get("on"):
        found = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        kind = entry["class_path"].rpartition(".")[2]
        if kind == AVERAGING:
            found = entry.get("init_args") or {}
        elif kind == DRAWING:
            print(f"{reader.path}: {DRAWING} draws nothing while training; mains/visualize.py draws")
        elif kind not in WITHOUT_EFFECT:
            raise GaitError(
                f"{reader.path}: the callback {kind} is not known here. Known: {AVERAGING}, {DRAWING}, "
                f"{', '.join(WITHOUT_EFFECT)}"
            )
    return {"start": None} if found is None else _averaged(reader, found, epochs)


def _averaged(reader, arguments, epochs):
    known = ("swa_epoch_start", "swa_lrs", "annealing_epochs", "annealing_strategy", "avg_fn", "device")
    if not isinstance(arguments, dict):
        raise GaitError(f"{reader.path}: init_args of {AVERAGING} should be keys. Received: {arguments!r}")
    unknown = [str(key) for key in arguments if key not in known]
    if unknown:
        raise GaitError(f"{reader.path}: {AVERAGING} has keys that are not known here: {', '.join(unknown)}")
    if arguments.get("annealing_strategy", "cos") != "cos" or arguments.get("avg_fn"):
        raise GaitError(f"{reader.path}: {AVERAGING} is done here with the strategy cos and no avg_fn")
    start, rate = arguments.get("swa_epoch_start", 0.8), arguments.get("swa_lrs")
    return {
        "start": _share(start, epochs) if type(start) is int else start,
        "rate": rate[0] if isinstance(rate, list) and len(rate) == 1 else rate,
        "anneal_epochs": arguments.get("annealing_epochs", 10),
    }


def _share(epoch, epochs):
    """The share of ``epochs`` that ends just where ``epoch`` begins, whatever division rounds off."""
    share = epoch / epochs
    return share if int(share * epochs) == epoch else math.nextafter(share, math.inf)


def _check_defaults(reader):
    for section, keys in AS_DEFAULT.items():
        for key, value in reader.take(section, **{key: key for key in keys}).items():
            if value not in keys[key]:
                reader.refuse(f"{section}.{key}".lstrip("."), " or ".join(map(_yaml, keys[key])))


def _yaml(value):
    return "null" if value is None else str(value).lower()
