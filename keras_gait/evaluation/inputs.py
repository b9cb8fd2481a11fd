"""What an evaluation starts from: the model's file, the run it came from, the sequences that can be used."""

import argparse
import os
from pathlib import Path

import yaml

from keras_gait.errors import GaitError
from keras_gait.evaluation.distances import check_metric
from keras_gait.files import FINAL_MODEL, RECIPE_FILE, TF1_MODEL, is_tf1_checkpoint

SHOWN = 5  # sequences named in a message
#: what a flag that was left out is in the recipe (section, key), and where there is none
RECIPE_FLAGS = {
    "knn": ("evaluation", "knn", 1),
    "metrics": ("evaluation", "metric", "L1"),
    "nframes": ("evaluation", "min_frames", 30),
    "cut": ("data", "cut", False),
    "channels": ("data", "channels", None),
    "keypoints": ("data", "keypoints", None),
    "dataset": ("data", "dataset", None),
    "view": ("data", "view", None),
    "tta": ("evaluation", "tta", False),
    "protocol": ("evaluation", "protocol", None),
    "rerank": ("evaluation", "rerank", False),
    "cross_view_gallery": ("evaluation", "cross_view_gallery", False),
}
#: flags of the published test commands that repeat the training's choice, and the model's own word for it
ARCHITECTURE_FLAGS = (
    "model_size",
    "split_crossentropy",
    "softmax_attention",
    "combined_output_length",
    "cross_weight",
)


def add_set_flags(parser):
    """Add the flags that say which model is evaluated on which data."""
    parser.add_argument("--datadir", help="data set, or folder of data sets; default: the run's own")
    parser.add_argument("--gallery", help="gallery set, instead of the one found in --datadir")
    parser.add_argument("--probe", help="probe set, instead of the one found in --datadir")
    parser.add_argument("--model", help="model file, or a run's folder; default: the newest run below ./runs")
    parser.add_argument(
        "--rerank", action="store_true", default=None, help="re-rank by k-reciprocal neighbours"
    )
    parser.add_argument(
        "--nclasses", type=int, help="subjects of the gallery (50, 5154, 6000), where several sets lie"
    )
    parser.add_argument("--bs", type=int, default=128, help="sequences in a batch, at most")
    add_tta_flag(parser)
    add_recipe_flags(parser)


def add_tta_flag(parser):
    """Add the switch of test-time views."""
    parser.add_argument(
        "--tta",
        action=argparse.BooleanOptionalAction,
        help="embed each sequence as it is, backwards, and with left and right joints exchanged (models of "
        "poses); default: the recipe's",
    )


def add_recipe_flags(parser):
    """Add the recipe to go by, and what of the data the model sees, where the recipe does not say it."""
    parser.add_argument(
        "--keypoints", help="estimator of the poses (openpose, alphapose, hrnet), where several sets lie"
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="recipe to go by, instead of the run's; published .pt, .ckpt need one, SelfGait's .pth none",
    )
    parser.add_argument(
        "--channels", nargs="+", help="channels of the frames that the model sees; default: the recipe's"
    )
    parser.add_argument(
        "--cut",
        action="store_true",
        default=None,
        help="look at columns 10..53 of the frames only; default: as in training",
    )


def add_architecture_flags(parser):
    """Add the flags that had to repeat the training's choice; the file tells it, so they are only checked."""
    group = parser.add_argument_group(
        "architecture", "the model's file tells these; where one is given it must agree with the file"
    )
    group.add_argument("--cross_weight", type=float, help="weight of the cross-entropy in training")
    group.add_argument("--model_size", choices=("small", "medium", "large"), help="widths of the network")
    group.add_argument(
        "--split_crossentropy", action="store_true", default=None, help="a classifier per part"
    )
    group.add_argument(
        "--softmax_attention", action="store_true", default=None, help="softmax over attention"
    )
    group.add_argument("--combined_output_length", type=int, help="length of a part's descriptor")


def find_run(model=None, datadir=None, recipe=None, runs="runs"):
    """The model's file, the data folder and the recipe -> ``(Path, Path or None, dict)``.

    Without ``model``, the newest `FINAL_MODEL` below ``runs`` that is no part of another run; of a folder,
    the model in it. Without ``recipe``, the ``recipe.yaml`` of the run; without ``datadir``, the one that the
    recipe names, None where it names none.
    """
    if model is None:
        found = [
            path for path in Path(runs).rglob(FINAL_MODEL) if not (path.parents[1] / RECIPE_FILE).exists()
        ]
        found.sort(key=lambda path: path.stat().st_mtime)
        if not found:
            raise GaitError(
                f"no {FINAL_MODEL} below ./{runs}: train a model first (mains/train.py), or name one "
                "by --model"
            )
        model = found[-1]
        print(f"model: {model} (the newest run)")
    model = _model_in(Path(model))
    if not (model.is_file() or is_tf1_checkpoint(model)):
        raise GaitError(
            f"--model {model} does not exist. Expected: a .keras, .hdf5, .pt or .ckpt file, or a run's folder"
        )
    recipe = read_recipe(model.parent) if recipe is None else recipe
    datadir = datadir or recipe_section(recipe, "data").get("datadir")
    return model, Path(datadir) if datadir else None, recipe


def _model_in(path):
    """The model of a run's folder, ours or a published one of TensorFlow 1; a file as it is."""
    if not path.is_dir():
        return path.with_suffix("") if is_tf1_checkpoint(path.with_suffix("")) else path
    for model in (path / FINAL_MODEL, path / TF1_MODEL):
        if model.is_file() or is_tf1_checkpoint(model):
            return model
    raise GaitError(f"--model {path} is a folder without {FINAL_MODEL} or {TF1_MODEL}: has the run ended?")


def fill_from_recipe(args, recipe):
    """Give the flags that were left out what the recipe says, else the published defaults."""
    for flag, (section, key, published) in RECIPE_FLAGS.items():
        if hasattr(args, flag) and getattr(args, flag) is None:
            setattr(args, flag, recipe_section(recipe, section).get(key, published))
    check_metric(args.metrics)


def read_recipe(folder):
    """The ``recipe.yaml`` in a run's folder as a dict; empty where there is none."""
    path = folder / RECIPE_FILE
    if not path.is_file():
        return {}
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise GaitError(
            f"{path} is not YAML ({' '.join(str(error).split())}): mend it, or move it away and name the "
            "data by --datadir"
        ) from error
    return recipe if isinstance(recipe, dict) else {}


def recipe_section(recipe, section):
    """A section of a recipe; empty where there is none."""
    found = recipe.get(section)
    return found if isinstance(found, dict) else {}


def find_sets(datadir, gallery=None, probe=None, nclasses=None, keypoints=None):
    """Paths of the gallery ("ft") and probe ("test") sets; ``gallery`` and ``probe`` name them directly.

    Where no set is a gallery's, the test set holds both, and the protocol tells them apart.
    """
    from keras_gait.data.opening import find_dataset

    if datadir is None and (gallery is None or probe is None):
        raise GaitError("where is the data? Give --datadir, or --gallery and --probe")

    def find(role):
        return find_dataset(datadir, role, nclasses, keypoints=keypoints)

    return (
        Path(gallery) if gallery is not None else find(_gallery_role(datadir)),
        Path(probe) if probe is not None else find("test"),
    )


def _gallery_role(datadir):
    names = [path.name for path in Path(datadir).iterdir()] if Path(datadir).is_dir() else []
    has = {role: any(f"_{role}_" in name for name in names) for role in ("ft", "test")}
    return "test" if has["test"] and not has["ft"] else "ft"


def open_sets(datadir, gallery=None, probe=None, nclasses=None, channels=None, keypoints=None):
    """The two sets of `find_sets`, opened, with the ``channels`` named, in this order, or all.

    Sets that tell another estimator of their poses than ``keypoints`` are refused.
    """
    from keras_gait.data.opening import open_dataset

    sets = tuple(map(open_dataset, find_sets(datadir, gallery, probe, nclasses, keypoints)))
    for dataset in sets:
        check_keypoints(dataset, keypoints)
    return tuple(dataset.take_channels(channels) if channels else dataset for dataset in sets)


def check_keypoints(dataset, keypoints):
    """Refuse a data set that tells another estimator of its poses than ``keypoints``, where one is asked."""
    found = dataset.info.get("keypoints", keypoints)
    if keypoints and found != keypoints:
        raise GaitError(
            f"{dataset.path} holds poses of {found}, but the model was trained on {keypoints} (the "
            f"recipe's data.keypoints): give those, or --keypoints {found}"
        )


def open_model(path, flags=None, recipe=None):
    """Load a model and hold the architecture flags that were given against it.

    ``flags``: dict that may hold `ARCHITECTURE_FLAGS`, None for those not given. Published files of
    weights alone do not tell ``softmax_attention``; there the flag says it. What other published weights do
    not tell of their model, the ``recipe`` does, by its ``method`` and ``model``; what they tell goes before
    it.
    """
    from keras_gait.checkpoints import load_model
    from keras_gait.checkpoints.loading import PUBLISHED, TOLD, WHOLE

    flags = flags or {}
    given = {name: flags[name] for name in ARCHITECTURE_FLAGS if flags.get(name) is not None}
    if Path(path).suffix in PUBLISHED and not is_tf1_checkpoint(path):
        method, asked = (recipe or {}).get("method"), recipe_section(recipe or {}, "model")
        options = {name: value for name, value in asked.items() if name not in TOLD}
        model = load_model(path, method=method, **options)
        if method is None and type(model).__name__.lower() not in WHOLE:
            raise GaitError(
                f"{path} holds weights alone: name the recipe that it was trained by, such as --config "
                "configs/skeletongait/gait3d.yaml or configs/gaitgraph2/casiab.yaml"
            )
        for name, found in model.get_config().items():
            if name in TOLD and asked.get(name, found) != found:
                print(f"{path} has {name} {found}, which counts; the recipe says {asked[name]}")
    else:
        model = load_model(path)
    if not hasattr(type(model), "encoder"):
        raise GaitError(
            f"{path} holds a {type(model).__name__}, a part of a model: give the folder of the whole run, "
            f"such as {Path(path).parent.parent}"
        )
    trained = type(model).__name__.lower()
    if (recipe or {}).get("method", trained) != trained:
        raise GaitError(
            f"the recipe is one of {recipe['method']}, but {path} holds a {type(model).__name__}: name the "
            "recipe that it was trained by, by --config"
        )
    if hasattr(model, "softmax_attention") and _only_weights(path):
        if given.get("softmax_attention"):
            model = load_model(path, softmax_attention=True)
        else:
            print(f"{path} does not tell whether it was trained with --softmax_attention; taken as without")
    if given.pop("cross_weight", 0) and not getattr(model, "nclasses", 0):
        raise GaitError(f"--cross_weight contradicts {path}, which has no classifier: leave the flag out")
    for name, value in given.items():
        found = model_setting(model, name)
        if found is None:
            raise GaitError(f"--{name} does not apply to {path}, a {type(model).__name__}: leave it out")
        if found != value:
            flag = f"--{name}" if value is True else f"--{name} {value}"
            raise GaitError(
                f"{flag} contradicts {path}, which has {name} {found}: leave it out, the file tells"
            )
    return model


def refuse_windows(model, path, work):
    """Refuse a model of windows of skeletons where the command's ``work`` needs whole sequences."""
    if hasattr(type(model), "scorer"):
        raise GaitError(
            f"this command {work}, but {path} holds a {type(model).__name__}, which takes windows of "
            f"{model.frames} frames: evaluate it by mains/test.py"
        )


def model_setting(model, name):
    """What a model says about an architecture flag; None where it has no such thing."""
    if name == "model_size" and getattr(model, "n_filters", None):
        from keras_gait.models.attengait import SIZES

        sizes = [size for size, widths in SIZES.items() if tuple(widths) == tuple(model.n_filters)]
        return sizes[0] if sizes else f"widths {tuple(model.n_filters)}"
    return getattr(model, name, None)


def _only_weights(path):
    """Whether a file holds weights without the model's description."""
    import h5py

    if not h5py.is_hdf5(path):
        return False
    with h5py.File(path, "r") as file:
        return "model_config" not in file.attrs


def print_short(names, dataset, min_frames, role, consequence, verbose=False):
    """One line about the sequences ``names`` that are too short (all of them named if ``verbose``)."""
    if not names:
        return
    listed = names if verbose else names[:SHOWN]
    more = f" and {len(names) - len(listed)} more (--verbose lists them)" if len(names) > len(listed) else ""
    print(
        f"{len(names)} of {len(dataset)} {role} sequences have fewer than {min_frames} frames and are "
        f"{consequence}: {', '.join(listed)}{more}"
    )


def usable(dataset, min_frames, role, verbose=False):
    """The sequences long enough to evaluate; those left out are printed (all of them if ``verbose``)."""
    from keras_gait.evaluation.embedding import long_enough

    kept, short = long_enough(dataset, min_frames)
    if len(dataset) and not len(kept):
        raise GaitError(
            f"none of the {len(dataset)} {role} sequences of {dataset.name} has {min_frames} "
            "frames; the longest "
            f"has {max(dataset.frames, default=0)}: give a smaller --nframes, or another data set"
        )
    print_short(short, dataset, min_frames, role, "left out", verbose)
    return kept


def least_frames(model, nframes):
    """Frames that a sequence must have: ``nframes``, or more where the model needs more."""
    return max(nframes, getattr(model, "min_frames", 1))


def check_positive(**flags):
    """Refuse flags below 1, by name."""
    for name, value in flags.items():
        if value < 1:
            raise GaitError(f"--{name} must be 1 or more. Received: {value}")


def check_outputs(**files):
    """Refuse, by flag, the files to write that could not be written when the work is done; None is none."""
    for flag, path in files.items():
        if path is None:
            continue
        if Path(path).is_dir():
            raise GaitError(f"--{flag} {path} is a folder. Expected: the name of a file to write")
        folder = next(parent for parent in Path(path).parents if parent.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise GaitError(f"--{flag} {path} cannot be written: {folder} is not a folder that takes files")


def is_simulated(dataset):
    """Whether a data set says that nobody really walked."""
    return "simulated" in str(dataset.info.get("source", "")).lower()
