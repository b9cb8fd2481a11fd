"""mains/test.py and mains/test_grew_challenge.py on sets of OpenGait's layouts: one test set holds all."""

import csv
import json
import re
import shutil
import zlib

import numpy as np
import pytest
from checks import refused

RECIPE = """
method: skeletongait
data: {channels: [limb, joint]}
model: {layers: [1, 1, 1, 1], channels: [2, 2, 3, 3]}
"""


def frames_of(source):
    """Noise that follows from the subject's name, of a length that follows from the source's."""
    name = source.rpartition("/")[2]
    rng = np.random.default_rng(zlib.crc32(name.split("+")[0].encode()))
    return rng.integers(0, 256, (5 + zlib.crc32(name.encode()) % 9, 64, 64, 3), np.uint8), []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run (``run``) and a function that writes a set from "subject type view" words."""
    from keras_gait.models import SkeletonGait
    from keras_gait.training.recipes import load_recipe, save_recipe

    place = tmp_path_factory.mktemp("opengait")
    (place / "raw").mkdir()
    (place / "run").mkdir()
    SkeletonGait(layers=(1, 1, 1, 1), channels=(2, 2, 3, 3)).save(place / "run" / "model-final.keras")
    (place / "skeletongait.yaml").write_text(RECIPE)
    save_recipe(load_recipe(place / "skeletongait.yaml"), place / "run" / "recipe.yaml")
    return place


@pytest.fixture
def write(place):
    from keras_gait.data.writer import Sequence, write_dataset

    def write(layout, walks, **about):
        sequences = []
        for walk in walks:
            subject, type_, view = walk.split(" ")
            condition, _, video = type_.partition("-") if layout == "casia-b" else (type_, "", "")
            source = place / "raw" / walk.replace(" ", "+")
            source.touch()
            sequences.append(Sequence(subject, condition, view, video, str(source)))
        name = f"{layout}-{zlib.crc32(json.dumps([walks, about]).encode())}"
        folder = place / name / f"tfimdb_{layout}_N002_test_joined_64x64"
        if not folder.exists():
            write_dataset(
                folder,
                sequences,
                frames_of,
                modality="joined",
                source=f"{layout}, simulated",
                split="test",
                channels=("limb", "joint", "silhouette"),
                about={"layout": layout, **about},
            )
        return folder.parent

    return write


@pytest.fixture
def test_py(place, command, monkeypatch):
    monkeypatch.chdir(place)
    flags = ("--model", "run/model-final.keras")
    return lambda *arguments: command("mains/test.py", *flags, *arguments)


PROBES = ["1-camid1_videoid2-seq0", "2-camid1_videoid2-seq0"]
GAIT3D = [f"{subject} camid{camera}_videoid2 seq0" for subject in "12" for camera in (1, 2, 3)]


def test_gait3d_is_ranked_and_reported(test_py, write, place):
    data = write("gait3d", GAIT3D, probe_set=PROBES)
    result = test_py("--datadir", data, "--report", "page.html")
    assert result.code == 0, result.err
    assert "all: 1.0000" in result.out  # noise of a subject is everywhere the same
    assert re.search(r"rank-1 +rank-5 +rank-10 +mAP +mINP\nall +100.0", result.out)
    assert "gait3d, 1 nearest neighbour(s), metric parts" in (place / "page.html").read_text()
    assert "limb, joint" in (place / "page.html").read_text()
    assert "simulated" in (place / "page.html").read_text()
    lines = (place / "run" / "results" / "rank1.csv").read_text().splitlines()
    assert lines[0] == "condition,rank-1,rank-5,rank-10,mAP,mINP"


def test_walks_are_compared_by_what_the_recipe_says(command, write, place, monkeypatch):
    monkeypatch.chdir(place)
    data = write("gait3d", GAIT3D) / "tfimdb_gait3d_N002_test_joined_64x64"
    flags = ("--datadir", data, "--model", "run/model-final.keras", "--nframes", 2)
    assert "rank-1: " in command("mains/compare_walks.py", *flags).out
    wrong = command("mains/compare_walks.py", *flags, "--channels", "joint")
    assert "but the model takes" in refused(wrong, "compare_walks.py")


def test_a_model_file_without_its_recipe_is_evaluated_as_its_method_is(command, write, place, tmp_path):
    shutil.copy(place / "run" / "model-final.keras", tmp_path)
    flags = ("--model", tmp_path / "model-final.keras", "--channels", "limb", "joint")
    data = write("gait3d", GAIT3D, probe_set=PROBES)  # shorter than AttenGait's 30 frames
    result = command("mains/test.py", *flags, "--datadir", data, "--report", tmp_path / "page.html")
    assert result.code == 0, result.err
    assert "gait3d, 1 nearest neighbour(s), metric parts" in (tmp_path / "page.html").read_text()


def test_a_recipe_of_another_method_is_refused(test_py, write, place):
    (place / "other.yaml").write_text("method: gaitset\n")
    message = refused(test_py("--datadir", write("gait3d", GAIT3D), "--config", "other.yaml"), "test.py")
    assert "the recipe is one of gaitset, but run/model-final.keras holds a SkeletonGait" in message


def test_an_unknown_protocol_of_a_recipe_is_refused(test_py, write, place):
    (place / "odd.yaml").write_text(RECIPE + "evaluation: {protocol: gait4d}\n")
    message = refused(test_py("--datadir", write("gait3d", GAIT3D), "--config", "odd.yaml"), "test.py")
    assert "'gait4d'" in message
    assert "casia-b" in message


def test_published_weights_are_opened_by_their_recipe(command, write, place, monkeypatch):
    from keras_gait.checkpoints.by_name import published_variables
    from keras_gait.models import SkeletonGait

    monkeypatch.chdir(place)
    model = SkeletonGait(nclasses=3, layers=(1, 1, 1, 1), channels=(2, 2, 3, 3))
    rng = np.random.default_rng(0)
    arrays = {one.name: np.abs(rng.standard_normal(one.shape)) for one in published_variables(model)}
    np.savez(place / "SkeletonGait-60000.npz", **arrays)
    flags = ("--datadir", write("gait3d", GAIT3D, probe_set=PROBES), "--model", "SkeletonGait-60000.npz")
    assert "name the recipe" in refused(command("mains/test.py", *flags), "test.py")
    result = command("mains/test.py", *flags, "--config", "skeletongait.yaml")
    assert result.code == 0, result.err
    assert "all: 1.0000" in result.out


def test_published_weights_of_selfgait_need_no_recipe(command, write, place, monkeypatch):
    from keras_gait.checkpoints.by_name import published_variables
    from keras_gait.models import SelfGait

    monkeypatch.chdir(place)
    model = SelfGait(channels=(2, 2, 4), hidden_dim=3, mlp_hidden_size=3, projection_size=3)
    rng = np.random.default_rng(0)
    arrays = {one.name: np.abs(rng.standard_normal(one.shape)) for one in published_variables(model)}
    np.savez(place / "model_5000.npz", **arrays)
    data = write("gait3d", GAIT3D, probe_set=PROBES)
    flags = ("--datadir", data, "--model", "model_5000.npz", "--channels", "silhouette")
    result = command("mains/test.py", *flags)
    assert result.code == 0, result.err
    assert "all: 1.0000" in result.out
    np.savez(place / "model_5000.npz", **{name: a for name, a in arrays.items() if name != "TP_1.fc_bin"})
    assert "no whole weights of SelfGait: 'TP_1.fc_bin'" in refused(
        command("mains/test.py", *flags), "test.py"
    )


CASIAB = [
    f"{s} {t} {v}"
    for s in "12"
    for t in ("nm-01", "nm-02", "nm-05", "bg-01", "bg-02")
    for v in ("000", "090")
]


def test_casia_b_takes_all_views_and_its_variants(test_py, write):
    data = write("casia-b", CASIAB)
    plain = test_py("--datadir", data)
    assert re.search(r"^nm: 1\.0000 1\.0000 1\.0000\nbg: 1\.0000 1\.0000 1\.0000$", plain.out, re.MULTILINE)
    assert re.search(r"^nm: \S+ \S+$", test_py("--datadir", data, "--camera", 90).out, re.MULTILINE)
    assert "the gallery of all views, simulated" in test_py("--datadir", data, "--cross_view_gallery").out
    assert test_py("--datadir", data, "--rerank", "--metrics", "cos").code == 0


def test_ccpg_and_sustech1k_have_their_rows(test_py, write, place):
    types = ("U0_D0", "U0_D0_BG", "U0_D3", "U1_D0", "U1_D1", "U2_D2", "U3_D3")
    data = write("ccpg", [f"{s} {t} 0{v}_0" for s in "12" for t in types for v in range(2)])
    result = test_py("--datadir", data, "--protocol", "ccpg")
    assert [line.split(":")[0] for line in result.out.splitlines() if ": " in line][-4:] == [
        "CL",
        "UP",
        "DN",
        "BG",
    ]
    assert re.search(r"rank-1 +rank-5 +mAP +mINP", result.out)
    assert re.search(r"other views +all views", result.out)
    with open(place / "run" / "results" / "figures.csv", newline="", encoding="utf-8") as file:
        lines = [line[1:] for line in csv.reader(file) if line[0].endswith("in %, simulated walkers")]
    assert {tuple(line[:2]) for line in lines} >= {("DN", "mINP"), ("CL", "mAP"), ("BG", "all views")}
    types = ("00-nm", "01-nm", "03-oc-nt")
    data = write("sustech1k", [f"{s} {t} {v}" for s in "12" for t in types for v in ("000", "090-far")])
    result = test_py("--datadir", data, "--verbose")
    rows = re.findall(r"^(\w+): 1\.0000 1\.0000 1\.0000$", result.out, re.MULTILINE)
    assert rows == ["Normal", "Occlusion", "Night", "Overall"]
    assert re.search(r"Mean of all views by rank.*\n +rank-1 +rank-2 +rank-3 +rank-4 +rank-5", result.out)


def test_grew_has_a_local_protocol_and_a_challenge(test_py, command, write, place, monkeypatch):
    walks = [f"{i:05d} {t} v{i}{t}" for i in range(1, 12) for t in ("01", "02")]
    data = write("grew", [*walks, "probe 03 1f3c"])
    result = test_py("--datadir", data)
    assert re.search(r"rank-1 +rank-5 +rank-10 +rank-20 +mAP +mINP", result.out), result.err
    monkeypatch.chdir(place)
    flags = ("--model", "run/model-final.keras", "--datadir", data)
    for extra in ((), ("--rerank",)):
        done = command("mains/test_grew_challenge.py", *flags, *extra)
        assert done.code == 0, done.err
    path = max((place / "run" / "results").glob("*-*-*.csv"))
    header, (name, *labels) = csv.reader(path.open(newline=""))
    assert (len(header), name) == (21, "1f3c")
    assert set(map(int, labels)) <= set(range(1, 12))


@pytest.mark.parametrize(
    ("layout", "walks", "flags", "message"),
    [
        ("gait3d", GAIT3D, (), "does not list its probes, which the protocol gait3d needs"),
        (
            "gait3d",
            GAIT3D,
            ("--protocol", "grew"),
            "has no gallery sequence for the protocol grew among its types",
        ),
        ("gait3d", GAIT3D, ("--protocol", "ccpg", "--cross_view_gallery"), "ccpg has no cross-view gallery"),
        ("oumvlp", ["1 00 090", "1 01 090"], (), "compares different views"),
        ("oumvlp", ["1 01 090", "2 01 000"], (), "no probe sequence for the protocol oumvlp"),
        (
            "oumvlp",
            ["1 00 090", "1 01 000"],
            ("--channels", "depth"),
            "has the channels limb, joint, silhouette",
        ),
        ("oumvlp", ["1 00 090", "1 01 000"], ("--channels", "joint"), "but the model takes"),
        ("oumvlp", ["1 00 090", "1 01 000"], ("--config", "none.yaml"), "no recipe at none.yaml"),
    ],
)
def test_what_does_not_fit_ends_with_one_line(test_py, write, layout, walks, flags, message):
    assert message in refused(test_py("--datadir", write(layout, walks), *flags), "test.py")
