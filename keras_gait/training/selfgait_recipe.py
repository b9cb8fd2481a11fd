"""SelfGait's own ``config.yaml`` (``network``, ``data``, ``trainer``, ...) as a recipe.

Many of its keys change nothing in the original: each that is there is told in a line and passed over. Its
numbers may be text (``1e-5``, ``'64'``).
"""

import contextlib

from keras_gait.errors import GaitError
from keras_gait.training.section_reader import SectionReader

# section -> key without effect -> what counts instead
WITHOUT_EFFECT = {
    "network": {
        "lr": "optimizer.params.lr counts",
        "batch_size": "a batch is 8 subjects x 16 walks, here --sampler.p and --sampler.k",
        "restore_path": "--init_net starts from a checkpoint",
        "restore_iter": "a run goes on by itself",
        "total_iter": "--train.iterations counts",
        "num_workers": "reading takes the threads there are",
        "frame_num": "data.f_length counts",
        "model_name": "--prefix names the run",
    },
    "data": {
        "dataset_path": "convert the data set once, and give --datadir",
        "partition_rate": "the sets are divided when they are converted, by --partition_rate",
        "pid_num": "the sets are divided when they are converted",
        "pid_shuffle": "the sets are divided when they are converted",
    },
    "data_transforms": {"input_shape": "frames keep their size"},
    "trainer": {
        "batch_size": "a batch is 8 subjects x 16 walks, here --sampler.p and --sampler.k",
        "max_epochs": "--train.iterations counts",
        "checkpoint_interval": "--save_epoch counts",
        "num_workers": "reading takes the threads there are",
    },
    "": {"CUDA_VISIBLE_DEVICES": "the environment tells the devices, --multi_gpu how many are used"},
}
DATASETS = {"CASIA-B": {"prefix": "casiab", "leave_out": ["005"]}, "OUMVLP": {"prefix": "oumvlp"}}
WHOLE, PARTITION = 64, 0.8  # rows of a frame; the share of the data set that is trained on, of the original
TRIPLETS = ("full", "hard")


def is_selfgait_yaml(given):
    """Whether a file's content is SelfGait's own and no recipe."""
    return isinstance(given.get("network"), dict)


def recipe_from_selfgait(given, path):
    """The recipe that SelfGait's own YAML says, as nested dicts; what it leaves out is as there.

    It is that of the pre-training: which loss trains is said by the program there, here by ``--losses.name``.

    Raises:
        GaitError: keys that are not known, all of them named, or a value that cannot be trained here.
    """
    without_meaning = {section: " ".join(keys) for section, keys in WITHOUT_EFFECT.items()}
    reader = SectionReader(given, path, without_meaning)
    name = reader.get("data", "dataset", "CASIA-B")
    if name not in DATASETS:
        reader.refuse("data.dataset", " or ".join(DATASETS))
    if _number(reader, "data", "resolution", int, WHOLE) != WHOLE:
        reader.refuse("data.resolution", f"{WHOLE}, of frames that are cut to 44 columns,")
    triplets = reader.get("network", "hard_or_full_trip", "full")
    if triplets not in TRIPLETS:
        reader.refuse("network.hard_or_full_trip", " or ".join(TRIPLETS))
    head = {"projection_size": "projection_size", "mlp_hidden_size": "mlp_hidden_size"}
    rates = {"lr": "learning_rate", "momentum": "momentum", "weight_decay": "weight_decay"}
    recipe = {
        "method": "selfgait",
        "data": {"channels": ["silhouette"], "leave_out": DATASETS[name].get("leave_out", [])}
        | _labels(reader),
        "model": _numbers(reader, "network", int, hidden_dim="hidden_dim")
        | _numbers(reader, "network.projection_head", int, **head),
        "sampler": _numbers(reader, "data", int, f_length="frames"),
        "augmentation": _numbers(reader, "data_transforms", float, s="strength"),
        "losses": {"triplets": triplets} | _numbers(reader, "network", float, margin="margin"),
        "target": _numbers(reader, "trainer", float, m="momentum"),
        "optimizer": _numbers(reader, "optimizer.params", float, **rates),
        "train": {"prefix": DATASETS[name]["prefix"], "init_net": _start(reader)},
    }
    reader.finish()
    _tell_without_effect(reader)
    return recipe


def _labels(reader):
    """The labelled share: of the whole data set there, of the training set here; 0 asks for no division."""
    rate = _number(reader, "data", "label_rate", float, 0.0)
    # the share that is trained on has been taken when the data set was converted
    partition = _number(reader, "data", "partition_rate", float, PARTITION)
    if not 0 <= rate <= partition:
        raise GaitError(
            f"{reader.path}: data.label_rate must be from 0 to data.partition_rate, {partition}. Received: "
            f"{rate}"
        )
    return {"label_rate": rate / partition, "label_by": "sequences"} if rate else {}


def _start(reader):
    """The checkpoint that the original starts from, or None."""
    folder = reader.get("network", "fine_tune_from", "None")
    return None if folder == "None" else f"runs/{folder}/checkpoints/model.pth"


def _tell_without_effect(reader):
    for section, keys in WITHOUT_EFFECT.items():
        for key, instead in keys.items():
            if key in reader.section(section):
                print(f"{reader.path}: {section}{'.' * bool(section)}{key} is passed over: {instead}")


def _numbers(reader, section, kind, **names):
    """Those of a section's keys that are there, as numbers, by our names."""
    found = reader.section(section)
    return {ours: _number(reader, section, key, kind, None) for key, ours in names.items() if key in found}


def _number(reader, section, key, kind, default):
    """A key's value as ``kind``, int or float, also where it is text."""
    found = reader.take(section, **{key: key}).get(key, default)
    if not isinstance(found, bool):
        with contextlib.suppress(TypeError, ValueError):
            if kind(found) == float(found):
                return kind(found)
    expected = "a whole number" if kind is int else "a number"
    raise GaitError(f"{reader.path}: {section}.{key} must be {expected}. Received: {found!r}")
