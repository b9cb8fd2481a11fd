"""mains/test.py with models and data sets of poses, from the run, and from a published checkpoint."""

import csv
import json
import re
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from checks import refused
from fixtures import reader

pytestmark = pytest.mark.usefixtures("step_by_step", "opened_once")

CHECKPOINT = Path(__file__).parents[1] / "fixtures" / "gaitgraph2" / "tta_casia_b.npz"
CASIAB = [f"{s} {t} {v}" for s in ("075", "076") for t in ("nm-01", "nm-05", "bg-01") for v in ("000", "090")]
OUMVLP = [f"{s} -{t} {v}" for s in ("00002", "00004") for t in ("00", "01") for v in ("000", "090")]
PICTURES = "tfimdb_casiab_N002_test_of30_64x64"


def casiab_poses(source):
    return poses_of(source, 17)


def oumvlp_poses(source):
    return poses_of(source, 18)


def poses_of(source, joints):
    """A pose that is the subject's own with some noise, 1 to 12 frames long."""
    name = source.rpartition("/")[2]
    pose = np.random.default_rng(int(name.split("-")[0])).uniform(20, 200, (joints, 3))
    seed = zlib.crc32(name.encode())
    noise = np.random.default_rng(seed).normal(size=(1 + seed % 12, joints, 3))
    poses = (pose + noise).astype(np.float32)
    poses[..., 2] = 0.9
    return poses, []


def pictures_of(source):
    return np.zeros((4, 64, 64, 3), np.uint8), []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Sets of both skeletons (``sets``, ``sets_oumvlp``), of pictures; a run of each modality."""
    from keras_gait.data.poses.sets import write_pose_sets
    from keras_gait.data.writer import Sequence, write_dataset
    from keras_gait.models import GaitGraph2, SkeletonGait
    from keras_gait.training.recipes import load_recipe, save_recipe

    place = tmp_path_factory.mktemp("poses")
    (place / "raw").mkdir()

    def sequences(walks):
        for walk in walks:
            subject, type_, view = walk.split(" ")
            condition, _, video = type_.partition("-")
            source = place / "raw" / f"{subject}-{type_}-{view}"
            source.touch()
            yield Sequence(subject, condition, view, video, str(source))

    about = {"layout": "casia-b", "joints": "coco", "keypoints": "hrnet", "source": "simulated walkers"}
    write_pose_sets(place / "sets", {"test": (2, [*sequences(CASIAB)])}, casiab_poses, **about)
    about = {"layout": "oumvlp", "joints": "oumvlp", "source": "OU-MVLP"}
    for keypoints in ("openpose", "alphapose"):
        split = {"test": (2, [*sequences(OUMVLP)])}
        write_pose_sets(place / "sets_oumvlp", split, oumvlp_poses, keypoints=keypoints, **about)
    settings = {"modality": "flow", "source": "noise", "split": "test"}
    write_dataset(place / "pictures" / PICTURES, [*sequences(CASIAB)], pictures_of, **settings)

    overrides = {"method": "gaitgraph2", "data.datadir": "sets"}
    for name, joints in (("run", "coco"), ("run_oumvlp", "oumvlp")):
        (place / name).mkdir()
        options = {"network": "resgcn-n21-r8", "inputs": "plain", "embedding_size": 4, "frames": 8}
        GaitGraph2(joints=joints, **options).save(place / name / "model-final.keras")
        save_recipe(load_recipe(overrides=overrides), place / name / "recipe.yaml")
        overrides |= {"data.datadir": "sets_oumvlp", "evaluation.protocol": "oumvlp-pose"}
        overrides |= {"data.keypoints": "alphapose", "evaluation.tta": False}
    (place / "run_maps").mkdir()
    SkeletonGait(layers=(1, 1, 1, 1), channels=(2, 2, 3, 3)).save(place / "run_maps" / "model-final.keras")
    (place / "maps.yaml").write_text("method: skeletongait\n")
    (place / "published.yaml").write_text("method: gaitgraph2\nmodel: {network: resgcn-n39-r8, frames: 6}\n")
    return place


@pytest.fixture
def test_py(place, command, monkeypatch):
    monkeypatch.chdir(place)
    return lambda run, *arguments: command("mains/test.py", "--model", f"{run}/model-final.keras", *arguments)


def embeddings(folder, role, tta):
    """The cached embeddings of one role, with or without test-time views."""
    (note,) = (
        note
        for note in (folder / "results").glob(f"{role}-*.json")
        if json.loads(note.read_text())["options"]["tta"] is tta
    )
    return np.load(note.with_suffix(".npy"))


def test_the_recipe_asks_for_test_time_views_and_the_flag_for_none(test_py, place):
    from keras_gait.checkpoints import load_model
    from keras_gait.data.opening import find_dataset, open_dataset

    views = test_py("run", "--report", "report.html")
    assert views.code == 0, views.err
    assert re.search(r"^nm: \S+ \S+ \S+$", views.out, re.MULTILINE)
    assert re.search(r"other views +all views", views.out)
    assert "left out" not in views.out  # sequences of one frame count, too
    assert (place / "report.html").read_text().count("data:image/png;base64,") == 3
    plain = test_py("run", "--no-tta")
    assert plain.code == 0, plain.err
    three, one = embeddings(place / "run", "probe", True), embeddings(place / "run", "probe", False)
    assert (three.shape, one.shape) == ((8, 1, 12), (8, 1, 4))
    np.testing.assert_allclose(three[..., :4], one, rtol=1e-4)

    model = load_model(place / "run" / "model-final.keras")
    dataset = open_dataset(find_dataset(place / "sets", "test"))
    probe = int(np.argmax(dataset.types != "nm-01"))
    expected = model.encoder.predict_on_batch(model.prepare(dataset.read(probe))[None])
    np.testing.assert_allclose(one[0], expected[0], rtol=1e-4)


def test_poses_of_oumvlp_have_their_protocol_and_keypoints(test_py, place):
    result = test_py("run_oumvlp", "--verbose")
    assert result.code == 0, result.err
    assert "all: rank-1 in %, gallery view (rows) by probe view, means with equal views" in result.out
    with open(place / "run_oumvlp" / "results" / "figures.csv", newline="", encoding="utf-8") as file:
        rows = {tuple(row[:3]): float(row[3]) for row in csv.reader(file) if row[0] != "table"}
    cells = [value for (table, gallery, probe), value in rows.items() if {gallery, probe} <= {"000", "090"}]
    overall = [value for (_, _, column), value in rows.items() if column == "all views"]
    assert overall == [np.mean(cells)]
    notes = [json.loads(note.read_text()) for note in (place / "run_oumvlp" / "results").glob("*.json")]
    assert {Path(note["dataset_path"]).name.rpartition("_")[2] for note in notes} == {"alphapose"}


@pytest.fixture
def published(place, tmp_path):
    """A Lightning checkpoint of the published network's names."""
    torch = pytest.importorskip("torch")
    meta, _, _ = reader.load(CHECKPOINT)
    state = {f"backbone.{name}": torch.tensor(value) for name, value in reader.state(meta).items()}
    torch.save({"state_dict": state, "epoch": 199}, tmp_path / "gaitgraph.ckpt")
    return tmp_path / "gaitgraph.ckpt"


def test_a_published_checkpoint_tells_its_network_and_the_recipe_the_rest(published, place, command):
    flags = ("--model", published, "--datadir", place / "sets", "--no-tta")
    result = command("mains/test.py", *flags, "--config", place / "published.yaml")
    assert result.code == 0, result.err
    assert f"{published} has network resgcn-n21-r8, which counts; the recipe says resgcn-n39-r8" in result.out
    (note,) = (published.parent / "results").glob("probe-*.json")
    assert json.loads(note.read_text())["config"]["frames"] == 6
    assert "name the recipe that it was trained by, such as --config" in refused(
        command("mains/test.py", *flags), "test.py"
    )


@pytest.mark.parametrize(
    ("run", "flags", "message"),
    [
        ("run", ("--datadir", "sets_oumvlp", "--keypoints", "openpose"), "sets_oumvlp/.* holds poses of 18 "),
        (
            "run_oumvlp",
            ("--datadir", "sets", "--keypoints", "hrnet"),
            r"17 joints \(coco\), but the model t",
        ),
        ("run", ("--datadir", "pictures"), r"frames of 64x64x3, but the model takes poses of 17 .*\(coco\)"),
        (
            "run_maps",
            ("--datadir", "sets"),
            r"poses of 17 joints \(coco\), but the model takes frames of",
        ),
        (
            "run_maps",
            ("--datadir", "sets", "--tta"),
            "SkeletonGait has no test-time views: leave --tta",
        ),
        ("run", ("--cut",), "--cut is for pictures, and .* holds poses: leave it out"),
        ("run", ("--channels", "x", "y"), "all of x, y, confidence, .* asked for x, y: leave --channels out"),
        ("run", ("--channels", "y", "x", "confidence"), "in this order; asked for y, x, confidence"),
        ("run", ("--channels", "limb"), "has the channels x, y, confidence; asked for: limb"),
        ("run", ("--keypoints", "openpose"), "no data set whose name has .*_pose_openpose"),
        ("run", ("--config", "maps.yaml"), "the recipe is one of skeletongait, but .* holds a GaitGraph2"),
    ],
)
def test_what_does_not_fit_is_one_line(test_py, run, flags, message):
    assert re.search(message, refused(test_py(run, *flags), "test.py"))


@pytest.mark.parametrize("name", ["test", "compare_walks", "visualize"])
def test_a_set_of_other_keypoints_than_the_models_is_refused(place, command, monkeypatch, name):
    monkeypatch.chdir(place)
    (folder,) = Path("sets_oumvlp").glob("*_openpose")
    flags = ("--model", "run_oumvlp/model-final.keras", "--datadir", folder)
    message = refused(command(f"mains/{name}.py", *flags), f"{name}.py")
    assert "holds poses of openpose, but the model was trained on alphapose" in message
    assert message.endswith("or --keypoints openpose")


def test_halves_of_walks_are_prepared_too(place, command, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    (folder,) = Path("sets").iterdir()
    shutil.copy("run/model-final.keras", tmp_path)
    flags = ("--model", tmp_path / "model-final.keras", "--datadir", folder, "--nframes", 2)
    result, plain = (command("mains/compare_walks.py", *flags, *tta) for tta in ((), ("--no-tta",)))
    assert (result.code, plain.code) == (0, 0), result.err + plain.err
    assert result.out != plain.out
    assert "(simulated walkers)" in result.out
    assert re.search(r"rank-1: \d+ of \d+ walks are nearest", result.out)


def test_the_grew_challenge_has_test_time_views_too(place, command, monkeypatch, tmp_path):
    from keras_gait.data.writer import Sequence, write_dataset

    monkeypatch.chdir(place)
    walks = {"gallery": [(f"{10 + i}", f"{i:02d}") for i in range(20)], "probe": [("", "1f3c")]}
    settings = {"modality": "pose", "dtype": "float32", "channels": ("x", "y", "confidence")}
    for name, ids in walks.items():
        sources = [tmp_path / f"{subject or 99}-{video}" for subject, video in ids]
        for source in sources:
            source.touch()
        sequences = [Sequence(s, "", "", v, str(path)) for (s, v), path in zip(ids, sources, strict=True)]
        split = {"source": "GREW", "split": "test", "frame_shape": (17, 3)}
        write_dataset(tmp_path / name, sequences, casiab_poses, **settings, **split)
    shutil.copy("run/model-final.keras", tmp_path)
    flags = ("--model", tmp_path / "model-final.keras", "--gallery", tmp_path / "gallery")
    result = command("mains/test_grew_challenge.py", *flags, "--probe", tmp_path / "probe")
    assert result.code == 0, result.err
    assert embeddings(tmp_path, "gallery", True).shape == (20, 1, 12)
