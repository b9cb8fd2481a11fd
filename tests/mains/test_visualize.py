"""mains/visualize.py as a user runs it: on a few simulated poses, with tiny models."""

import re

import cv2
import numpy as np
import pytest
from checks import refused
from PIL import Image

from keras_gait.data.simulate import simulate_poses

pytestmark = pytest.mark.usefixtures("step_by_step", "opened_once")

MEAN = "mean-activation.png"


def poses_of(source):
    """Simulated poses of a name such as "075-nm-05-090", all eighteen joints for "oumvlp" ahead of it."""
    layout, subject, condition, take, view = source.rpartition("/")[-1].split("-")
    poses = simulate_poses(int(subject), condition, int(take), [view], 12)[0]
    return poses[:, [*range(17), 0][: 18 if layout == "oumvlp" else 17]], []


def frames_of(source):
    rng = np.random.default_rng(list(source[-13:].encode()))
    return rng.integers(0, 256, (16, 64, 64, 3), np.uint8), []


def write_set(folder, name, load, walks, **settings):
    from keras_gait.data.writer import Sequence, write_dataset

    sequences = []
    for walk in walks:
        source = folder / "raw" / f"{name.split('_')[1]}-{walk}"
        source.touch()
        subject, condition, video, view = walk.split("-")
        sequences.append(Sequence(subject, condition, view, video, str(source)))
    write_dataset(folder / name, sequences, load, split="test", **settings)


WALKS = ["075-nm-05-000", "075-nm-05-090", "075-bg-01-090", "076-nm-05-090"]
POSES = {"modality": "pose", "dtype": "float32", "channels": ("x", "y", "confidence")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Models and data sets of poses (17 and 18 joints) and of flow."""
    from keras_gait.models import AttenGait, GaitGraph2, GaitSet

    place = tmp_path_factory.mktemp("visualize")
    (place / "raw").mkdir()
    poses = POSES | {"source": "CASIA-B, simulated walkers"}
    write_set(place, "tfimdb_casiab_N002_test_pose_hrnet", poses_of, WALKS, frame_shape=(17, 3), **poses)
    poses = POSES | {"source": "OU-MVLP"}
    write_set(place, "eighteen_oumvlp_test", poses_of, WALKS[:1], frame_shape=(18, 3), **poses)
    write_set(place, "flow_casiab_test", frames_of, WALKS[:1], modality="flow", source="CASIA-B")
    GaitGraph2(network="resgcn-n21-r8", embedding_size=4, frames=8, inputs="plain").save(
        place / "poses.keras"
    )
    AttenGait(n_filters=(2, 2, 3, 4), combined_output_length=2).save(place / "flow.keras")
    GaitSet(nclasses=0).save(place / "silhouettes.keras")
    return place


@pytest.fixture
def visualize(place, command, monkeypatch):
    monkeypatch.chdir(place)
    return lambda *arguments: command("mains/visualize.py", *arguments)


def test_one_walk_of_each_condition_from_the_side_and_the_mean(visualize, place):
    result = visualize("--model", "poses.keras", "--datadir", "tfimdb_casiab_N002_test_pose_hrnet")
    assert result.code == 0, result.err
    names = {"075-nm-05-090.gif", "075-bg-01-090.gif", MEAN}
    assert {path.name for path in (place / "pictures").iterdir()} == names
    assert "2 of 4 sequences; name others by --sequence, such as 076/nm/090/05" in result.out
    with Image.open(place / "pictures" / "075-nm-05-090.gif") as film:
        assert (film.n_frames, film.size) == (8, (640, 480))
    assert cv2.imread(str(place / "pictures" / MEAN)).std() > 1


def test_the_named_walks_are_drawn_as_mp4(visualize, tmp_path):
    names = ("075/nm/000/05", "076/nm/090/05")
    flags = ("--datadir", "tfimdb_casiab_N002_test_pose_hrnet", "--output", tmp_path / "new" / "films")
    result = visualize("--model", "poses.keras", *flags, "--sequence", *names, "--format", "mp4")
    assert result.code == 0, result.err
    found = {path.name for path in (tmp_path / "new" / "films").iterdir()}
    assert found == {"075-nm-05-000.mp4", "076-nm-05-090.mp4", MEAN}


def test_attengait_shows_its_attention_over_a_walk(visualize, tmp_path):
    result = visualize("--model", "flow.keras", "--datadir", "flow_casiab_test", "--output", tmp_path)
    assert result.code == 0, result.err
    (film,) = tmp_path.iterdir()
    with Image.open(film) as film:
        assert film.n_frames == 16


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--model", "none.keras"), "--model none.keras does not exist"),
        (("--datadir", "nowhere"), "nowhere does not exist"),
        (("--datadir", "raw"), "raw holds no data set"),
        (("--datadir", ".", "--keypoints", "alphapose"), "no data set whose name has .*_pose_alphapose"),
        (("--datadir", "flow_casiab_test"), r"flow_casiab_test holds .*64x64x3"),
        (("--datadir", "eighteen_oumvlp_test"), r"eighteen_oumvlp_test holds .*18.* 17"),
        (
            ("--sequence", "075/nm/090/06"),
            r"--sequence 075/nm/090/06: \S+ has no such one; the nearest are 075/nm/090/05, 075/nm/000/05",
        ),
        (("--sequence", "somebody"), r"the nearest are 07\d/"),
        (("--output", "poses.keras"), "--output poses.keras: poses.keras is a file. Expected: a folder"),
        (("--output", "poses.keras/films"), "poses.keras is a file. Expected: a folder"),
        (("--format", "avi"), "invalid choice: 'avi'"),
        (("--cut",), "--cut is for pictures, and tfimdb_casiab_N002_test_pose_hrnet holds poses"),
        (
            ("--model", "silhouettes.keras"),
            "a GaitSet has neither .* give a model of .*AttenGait.* GaitGraph2",
        ),
    ],
)
def test_wrong_use_ends_with_one_line(visualize, flags, message):
    usual = ("--model", "poses.keras", "--datadir", "tfimdb_casiab_N002_test_pose_hrnet")
    assert re.search(message, refused(visualize(*usual, *flags), "visualize.py"))


def test_without_data_the_line_says_what_to_give(visualize):
    assert "Give --datadir" in refused(visualize("--model", "poses.keras"), "visualize.py")
