"""OpenGait's own YAML (``data_cfg``, ``model_cfg``, ``trainer_cfg``, ...) as a recipe.

What only says how OpenGait runs (workers, samplers of the test, how often to log) is dropped; a key that it
does not know either is refused, where OpenGait itself would go on without a word.
"""

import math

from keras_gait.errors import GaitError
from keras_gait.training.section_reader import SectionReader

SECTIONS = (
    "data_cfg",
    "model_cfg",
    "loss_cfg",
    "optimizer_cfg",
    "scheduler_cfg",
    "trainer_cfg",
    "evaluator_cfg",
)
# Keys without a meaning here, by section: one process, any batch size at test, our own data sets and loop.
WITHOUT_MEANING = {
    "data_cfg": "dataset_name dataset_root dataset_partition num_workers cache test_dataset_name data_in_use "
    "remove_no_gallery",
    "model_cfg.Backbone": "in_channels",
    "model_cfg.backbone_cfg": "in_channels",
    "model_cfg.SeparateBNNecks": "in_channels parts_num",
    "model_cfg.SeparateFCs": "in_channels out_channels parts_num",
    "loss_cfg": "log_prefix log_accuracy",
    "trainer_cfg": "find_unused_parameters with_test log_iter restore_ckpt_strict optimizer_reset "
    "scheduler_reset sync_BN",
    "trainer_cfg.sampler": "batch_shuffle type",
    "evaluator_cfg": "enable_float16 restore_ckpt_strict restore_hint save_name eval_func sampler transform",
}
METRICS = {"euc": "parts", "cos": "cos"}  # by part, both
STEPS = 1000  # of an epoch, where the numbers of the file divide by it
# transform -> key of the recipe's augmentation, OpenGait's own probability
AUGMENTATIONS = {
    "RandomPerspective": "perspective",
    "RandomHorizontalFlip": "flip",
    "RandomRotate": "rotate",
    "RandomErasing": "erasing",
    "RandomAffine": "affine",
}
CUTS = ("BaseSilCuttingTransform", "BaseSilTransform")  # what the model does itself
# `SequenceAugmentation` has the published order
ORDER = ("RandomPerspective", *CUTS, "RandomAffine", "RandomHorizontalFlip", "RandomRotate", "RandomErasing")
DEEPER = ("OUMVLP", "GREW")  # data sets for which OpenGait builds a deeper GaitGL


def is_opengait_yaml(content):
    """Whether a file's content is OpenGait's and no recipe."""
    return bool(set(content) & set(SECTIONS))


def recipe_from_opengait(content, path):
    """The recipe that an OpenGait YAML says, as nested dicts; what it leaves out is as OpenGait has it.

    Raises:
        GaitError: a model that is not translated, or keys that are not known, all of them named.
    """
    reader = SectionReader(content, path, WITHOUT_MEANING, whole=("loss_cfg",))
    recipe = _model(reader)
    recipe["losses"] = _losses(reader)
    recipe["optimizer"] = reader.take(
        "optimizer_cfg", solver="name", lr="learning_rate", momentum="momentum", weight_decay="weight_decay"
    )
    recipe["schedule"] = {"milestones": [20000, 40000, 60000]}
    recipe["schedule"] |= reader.take("scheduler_cfg", milestones="milestones", gamma="gamma")
    if reader.get("scheduler_cfg", "scheduler", "MultiStepLR") != "MultiStepLR":
        reader.refuse("scheduler_cfg.scheduler", "MultiStepLR")
    recipe["train"] = _train(reader)
    recipe["sampler"] = _sampler(reader)
    recipe["augmentation"] = _augmentation(reader)
    metric = reader.get("evaluator_cfg", "metric", "euc")
    if metric not in METRICS:
        reader.refuse("evaluator_cfg.metric", " or ".join(METRICS))
    recipe["evaluation"] = {"metric": METRICS[metric]}
    recipe["evaluation"] |= reader.take(
        "evaluator_cfg", cross_view_gallery="cross_view_gallery", rerank="rerank"
    )
    reader.finish()
    return recipe


def _model(reader):
    name = reader.get("model_cfg", "model", "Baseline")
    if name not in MODELS:
        reader.refuse("model_cfg.model", f"one of {', '.join(MODELS)}")
    recipe = MODELS[name](reader)
    recipe["data"] |= reader.take("model_cfg.SeparateBNNecks", class_num="nclasses")
    return recipe


def _deepgait(reader):
    maps = reader.section("model_cfg.Backbone").get("in_channels", 1) == 2
    return {
        "method": "skeletongait",
        "data": {"channels": ["limb", "joint"] if maps else ["silhouette"]},
        "model": reader.take("model_cfg.Backbone", mode="mode", layers="layers", channels="channels")
        | reader.take("model_cfg", use_emb2="use_emb2"),
    }


def _plus_plus(reader):
    return {
        "method": "skeletongaitplusplus",
        "data": {"channels": ["limb", "joint", "silhouette"]},
        "model": reader.take("model_cfg.Backbone", blocks="blocks", C="C")
        | reader.take("model_cfg", use_emb2="use_emb2"),
    }


def _baseline(method, model):
    return {"method": method, "data": {"channels": ["silhouette"]}, "model": model}


def _gaitset(reader):
    widths = reader.get("model_cfg", "in_channels", [1, 32, 64, 128])
    if widths[:1] != [1]:
        reader.refuse("model_cfg.in_channels", "1, for silhouettes, and the widths of the stages")
    return _baseline("gaitset", {"channels": widths[1:]} | _descriptors(reader))


def _gaitpart(reader):
    _check_backbone(reader, "Plain")
    layers = reader.take("model_cfg.backbone_cfg", layers_cfg="backbone_layers")
    return _baseline("gaitpart", layers | _descriptors(reader))


def _gaitgl(reader):
    channels = reader.get("model_cfg", "channels", [32, 64, 128])
    count = 4 if reader.section("data_cfg").get("dataset_name") in DEEPER else 3
    if len(channels) != count:
        reader.refuse("model_cfg.channels", f"{count} widths, as OpenGait's net for this data set has,")
    necks = bool(reader.section("model_cfg.SeparateBNNecks"))
    recipe = _baseline("gaitgl", {"channels": channels, "bn_necks": necks})
    recipe["data"] |= reader.take("model_cfg", class_num="nclasses")
    return recipe


def _gaitbase(reader):
    _check_backbone(reader, "ResNet9")
    names = ("block", "channels", "layers", "strides", "maxpool")
    backbone = reader.take("model_cfg.backbone_cfg", **{name: name for name in names})
    return _baseline("gaitbase", backbone | _descriptors(reader))


def _check_backbone(reader, kind):
    if reader.get("model_cfg.backbone_cfg", "type", kind) != kind:
        reader.refuse("model_cfg.backbone_cfg.type", kind)


def _descriptors(reader):
    sizes = reader.take("model_cfg.SeparateFCs", out_channels="embedding_size")
    return sizes | reader.take("model_cfg", bin_num="bins")


MODELS = {
    "DeepGaitV2": _deepgait,
    "SkeletonGaitPP": _plus_plus,
    "GaitSet": _gaitset,
    "GaitPart": _gaitpart,
    "GaitGL": _gaitgl,
    "Baseline": _gaitbase,
}


def _losses(reader):
    reader.taken.add("loss_cfg")
    entries = reader.content.get("loss_cfg") or [{"type": "TripletLoss"}]
    found = {"cross_weight": 0.0}
    entries = reader.typed("loss_cfg", entries if isinstance(entries, list) else [entries])
    kinds = [entry["type"] for entry in entries]
    unknown = [kind for kind in kinds if kind not in LOSSES]
    if unknown:
        raise GaitError(f"{reader.path}: loss_cfg has {unknown[0]!r}; trained here are {', '.join(LOSSES)}")
    if "TripletLoss" not in kinds or len(set(kinds)) < len(kinds):
        raise GaitError(
            f"{reader.path}: loss_cfg must have one TripletLoss, and may have one CrossEntropyLoss. "
            f"Received: {', '.join(kinds)}"
        )
    for entry, kind in zip(entries, kinds, strict=True):
        names = LOSSES[kind]
        weight = entry.get("loss_term_weight", entry.get("loss_term_weights", 1.0))
        if kind == "TripletLoss" and weight != 1:
            raise GaitError(f"{reader.path}: the triplet loss has the weight 1 here. Received: {weight!r}")
        if kind == "CrossEntropyLoss":
            found["cross_weight"] = weight
            found["smoothing"] = entry.get("eps", 0.1) if entry.get("label_smooth", True) else 0.0
        dropped = WITHOUT_MEANING["loss_cfg"].split()
        known = {"type", "loss_term_weight", "loss_term_weights", "eps", "label_smooth", *names, *dropped}
        unknown = sorted(set(entry) - known)
        if unknown:
            raise GaitError(
                f"unknown keys in {reader.path}: {', '.join(f'loss_cfg.{key}' for key in unknown)}"
            )
        found |= {ours: entry[key] for key, ours in names.items() if key in entry}
    return found


LOSSES = {"TripletLoss": {"margin": "margin"}, "CrossEntropyLoss": {"scale": "scale"}}


def _train(reader):
    found = {"mixed_precision": True}
    found |= reader.take("trainer_cfg", enable_float16="mixed_precision", save_name="prefix")
    total, save = (
        reader.get("trainer_cfg", key, n) for key, n in (("total_iter", 80000), ("save_iter", 2000))
    )
    if total < 1 or save < 1:
        raise GaitError(f"{reader.path}: trainer_cfg.total_iter and save_iter must be positive")
    steps = math.gcd(total, save, STEPS)
    found |= {"iterations": total, "steps_per_epoch": steps, "save_epoch": save // steps}
    if reader.get("trainer_cfg", "fix_BN", False):
        reader.refuse("trainer_cfg.fix_BN", "false")
    hint = reader.take("trainer_cfg", restore_hint="hint").get("hint")
    if isinstance(hint, str):
        found["init_net"] = hint
    elif hint:
        print(
            f"{reader.path}: restore_hint {hint} is ignored: a run goes on by itself, a new one starts fresh"
        )
    return found


def _sampler(reader):
    section = "trainer_cfg.sampler"
    found = reader.take(
        section,
        frames_num_fixed="frames",
        frames_skip_num="skip",
        frames_num_min="frames_min",
        frames_num_max="frames_max",
    )
    lengths, _, order = reader.get(section, "sample_type", "fixed_unordered").partition("_")
    size = reader.get(section, "batch_size", [8, 16])
    if lengths not in ("fixed", "unfixed") or order not in ("ordered", "unordered"):
        reader.refuse(f"{section}.sample_type", "fixed or unfixed, and ordered or unordered")
    if len(size) != 2:
        reader.refuse(f"{section}.batch_size", "[subjects, sequences of each]")
    if order == "ordered" and "skip" not in found:
        raise GaitError(f"{reader.path}: {section}.frames_skip_num is missing, which {order} frames need")
    return found | {"p": size[0], "k": size[1], "lengths": lengths, "order": order}


def _augmentation(reader):
    name = "trainer_cfg.transform"
    entries = reader.typed(name, reader.get("trainer_cfg", "transform", []))
    steps = [step for entry in entries for step in reader.typed(name, entry.get("trf_cfg", [entry]))]
    found = {}
    for step in steps:
        kind = step["type"]
        if kind not in ORDER:
            raise GaitError(f"{reader.path}: transform {kind!r} is not known here. Known: {', '.join(ORDER)}")
        allowed = {"type"} | ({"prob"} if kind in AUGMENTATIONS else set())
        unknown = sorted(set(step) - allowed - ({"degree"} if kind == "RandomRotate" else set()))
        if unknown:
            raise GaitError(f"{reader.path}: {kind} has keys that are not known here: {', '.join(unknown)}")
        if kind in AUGMENTATIONS:
            found[AUGMENTATIONS[kind]] = step.get("prob", 0.5)
        if "degree" in step:
            found["rotate_degree"] = step["degree"]
    kinds = [step["type"] for step in steps]
    if kinds != sorted(set(kinds), key=ORDER.index):
        raise GaitError(
            f"{reader.path}: transforms are done here in the order {', '.join(ORDER)}, each once. Received: "
            f"{', '.join(kinds)}"
        )
    return found
