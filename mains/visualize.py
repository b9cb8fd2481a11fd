"""Draw what a model goes by: joints' class activations on walking skeletons, or attention over frames.

python mains/visualize.py --model runs/a/model-final.keras --datadir DATA                one of each condition
python mains/visualize.py --model ... --datadir DATA --sequence 075/nm/090/05 --format mp4

Writes one GIF or MP4 a sequence, subject-condition-video-view, and for a model of poses mean-activation.png,
the mean over every condition and view.
"""

import difflib
from pathlib import Path

import numpy as np

from keras_gait.commands import CommandParser, run
from keras_gait.errors import GaitError
from keras_gait.evaluation.inputs import (
    add_recipe_flags,
    check_keypoints,
    find_run,
    is_simulated,
    open_model,
    recipe_section,
)
from keras_gait.training.recipes import load_recipe, method_recipe

MEAN_FILE = "mean-activation.png"


def parse(argv):
    from keras_gait.evaluation.films import FORMATS

    parser = CommandParser(prog="visualize.py", description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="model file; default: the newest run below ./runs")
    parser.add_argument("--datadir", help="data set, or folder of data sets; default: the run's own")
    parser.add_argument(
        "--sequence",
        nargs="+",
        metavar="ID",
        help="sequences to draw, subject/condition/view/video such as 075/nm/090/05; default: the first of "
        "each condition, from the side",
    )
    parser.add_argument("--output", metavar="FOLDER", help="default: pictures, in the model's folder")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="of the moving pictures")
    add_recipe_flags(parser)
    return parser.parse_args(argv)


def check_output(folder):
    """Refuse a folder to write to that is none, before the work."""
    found = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not found.is_dir():
        raise GaitError(f"--output {folder}: {found} is a file. Expected: a folder to write the pictures to")


def drawable(model):
    """Whether there is something to draw; otherwise a `GaitError` that names the models that have it."""
    import keras_gait.models as models
    from keras_gait.evaluation.attention_films import has_attention

    if not (hasattr(model, "feature_maps") or has_attention(type(model))):
        kinds = [getattr(models, name) for name in models.__all__]
        able = [kind.__name__ for kind in kinds if hasattr(kind, "feature_maps") or has_attention(kind)]
        raise GaitError(
            f"a {type(model).__name__} has neither class activations of joints nor attention maps to draw: "
            f"give a model of {', '.join(able)}"
        )


def open_walks(datadir, recipe, args, model):
    """The test sequences that the recipe means, as the model takes them."""
    from keras_gait.data.opening import find_dataset, open_dataset
    from keras_gait.evaluation.embedding import check_frames

    if datadir is None:
        raise GaitError("where is the data? Give --datadir")
    data = recipe_section(recipe, "data")
    keypoints = args.keypoints or data.get("keypoints")
    walks = open_dataset(find_dataset(datadir, "test", keypoints=keypoints))
    check_keypoints(walks, keypoints)
    channels = args.channels or data.get("channels")
    walks = walks.take_channels(channels) if channels else walks
    check_frames(model, walks)
    if not hasattr(model, "feature_maps") and walks.frame_shape[-1] not in (1, 3):
        raise GaitError(
            f"{walks.path} has frames of {walks.frame_shape[-1]} channels; only one or three make a picture"
        )
    return walks


def choose(walks, wanted):
    """Indices of the ``wanted`` sequences by their names; of the first of each condition for None."""
    from keras_gait.evaluation.embedding import sequence_name
    from keras_gait.evaluation.evaluation_report import nearest_side

    if wanted is None:
        conditions = list(dict.fromkeys(walks.condition.tolist()))
        return [nearest_side(walks, np.flatnonzero(walks.condition == name)) for name in conditions]
    places = {sequence_name(walks, i): i for i in range(len(walks))}
    for name in wanted:
        if name not in places:
            nearest = ", ".join(nearest_names(name, places, walks.subjects.tolist()))
            raise GaitError(f"--sequence {name}: {walks.path} has no such one; the nearest are {nearest}")
    return [places[name] for name in dict.fromkeys(wanted)]


def nearest_names(name, names, subjects):
    """Three of ``names`` like ``name``, of the subject most like its subject: there may be very many."""
    (subject,) = difflib.get_close_matches(name.partition("/")[0], subjects, 1, 0)
    return difflib.get_close_matches(name, [n for n in names if n.partition("/")[0] == subject], 3, 0)


def picture_name(walks, i):
    """subject-condition-video-view, which no other sequence has."""
    name = "-".join(filter(None, (walks.subject[i], walks.types[i], walks.view[i])))
    return name.replace("/", "_")


def titles(walks, i, frames):
    """One line for each of the ``frames``, numbers from 0."""
    view = f"view {walks.view[i]}" if walks.view[i] else ""
    labels = ", ".join(filter(None, (walks.subject[i], walks.types[i], view)))
    return [f"{labels}, frame {frame + 1} of {walks.frames[i]}" for frame in frames]


def draw(model, walks, i, cut, note):
    """The pictures of sequence ``i``."""
    if hasattr(model, "feature_maps"):
        from keras_gait.evaluation.activations import seen_walk
        from keras_gait.evaluation.skeleton_pictures import skeleton_film

        walk = seen_walk(model, walks.read(i))
        return skeleton_film(walk, model.graph, titles(walks, i, walk.frames), note)
    from keras_gait.evaluation.attention_films import attention_film, attention_of
    from keras_gait.vision.clips import cut_columns

    frames = cut_columns(walks.read(i)) if cut else walks.read(i)
    return attention_film(frames, attention_of(model), titles(walks, i, range(len(frames))), note)


def write_mean(path, model, walks, note):
    from keras_gait.evaluation.activations import mean_activations
    from keras_gait.evaluation.figures import activation_heat_map
    from keras_gait.files import write_whole

    cells, means = mean_activations(model, walks)
    write_whole(path, activation_heat_map(means, cells, model.graph.joints, note))
    print(f"mean over each condition and view: {path}")


def main(argv):
    args = parse(argv)
    recipe = load_recipe(args.config) if args.config else None
    model_path, datadir, recipe = find_run(args.model, args.datadir, recipe)
    output = Path(args.output) if args.output else model_path.parent / "pictures"
    check_output(output)
    model = open_model(model_path, recipe=recipe)
    drawable(model)
    recipe = recipe or method_recipe(model)
    walks = open_walks(datadir, recipe, args, model)
    chosen = choose(walks, args.sequence)

    from keras_gait.evaluation.embedding import sequence_name
    from keras_gait.evaluation.films import write_film
    from keras_gait.vision.clips import check_cut

    cut = args.cut or recipe_section(recipe, "data").get("cut", False)
    if cut:
        check_cut(walks)
    note = "simulated walkers" if is_simulated(walks) else None
    for i in chosen:
        path = output / f"{picture_name(walks, i)}.{args.format}"
        write_film(path, draw(model, walks, i, cut, note))
        print(path)
    if args.sequence is None:
        other = sequence_name(walks, len(walks) - 1)
        print(f"{len(chosen)} of {len(walks)} sequences; name others by --sequence, such as {other}")
    if hasattr(model, "feature_maps"):
        write_mean(output / MEAN_FILE, model, walks, note)


if __name__ == "__main__":
    run(main)
