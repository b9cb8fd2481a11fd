"""The walk simulator: consistent modalities, one walk for all cameras, and a tree that can be resumed."""

import errno
import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from keras_gait.data.provenance import read_source
from keras_gait.data.simulate import (
    COCO_JOINTS,
    KINECT_JOINTS,
    SEQUENCES,
    VIEWS,
    simulate_walk,
    write_sequence,
)
from keras_gait.errors import GaitError

COMMAND = "preprocessing/simulate_walkers.py"
SMALL = (
    "--subjects",
    2,
    "--sequences",
    "nm-01",
    "cl-02",
    "--views",
    "000",
    "090",
    "--frames",
    3,
    "--size",
    48,
)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def joint(skeletons, name):
    return skeletons[:, KINECT_JOINTS.index(name)].astype(float)


@pytest.fixture(scope="module")
def side():
    return simulate_walk(1, "nm", 1, "090", frames=24)


def test_a_walk_has_all_modalities_of_the_documented_shapes(side):
    assert side.rgb.shape == (24, 96, 128, 3)
    assert side.rgb.dtype == side.silhouettes.dtype == np.uint8
    assert side.silhouettes.shape == (24, 96, 128)
    assert set(np.unique(side.silhouettes)) == {0, 255}
    assert side.poses.shape == (24, 17, 3)
    assert side.skeletons.shape == (24, 20, 3)


def test_the_joints_are_in_the_published_orders():
    assert COCO_JOINTS[:6] == ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder")
    assert COCO_JOINTS[9:13] == ("left_wrist", "right_wrist", "left_hip", "right_hip")
    assert len(COCO_JOINTS) == 17
    assert [
        KINECT_JOINTS.index(f"{side}_{n}") for side in ("left", "right") for n in ("shoulder", "hip")
    ] == [
        *(4, 12, 8, 16),
    ]
    assert KINECT_JOINTS[3] == "head"


def test_the_views_are_those_of_casia_b():
    assert VIEWS[:2] == ("000", "018")
    assert VIEWS[-1] == "180"
    assert len(VIEWS) == 11
    assert " ".join(SEQUENCES) == "nm-01 nm-02 nm-03 nm-04 nm-05 nm-06 bg-01 bg-02 cl-01 cl-02"


def test_the_same_arguments_give_the_same_walk():
    first, second = (simulate_walk("003", "bg", 2, "054", frames=3, size=48, seed=5) for _ in range(2))
    for name in ("rgb", "silhouettes", "poses", "skeletons"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert not np.array_equal(first.rgb, simulate_walk(3, "bg", 2, "054", frames=3, size=48, seed=6).rgb)


@pytest.mark.parametrize("view", ["000", "054", "090", "162"])
def test_confident_joints_lie_on_the_silhouette(view):
    walk = simulate_walk(2, "nm", 2, view, frames=12)
    distances = []
    for mask, pose in zip(walk.silhouettes, walk.poses, strict=True):
        away = cv2.distanceTransform(255 - mask, cv2.DIST_L2, 3)
        sure = pose[pose[:, 2] > 0.8]
        distances += [away[round(float(y)), round(float(x))] for x, y, _ in sure]
    assert len(distances) > 100
    assert np.mean(np.array(distances) <= 1.5) > 0.95


def test_poses_and_skeletons_are_of_the_same_walk(side):
    for name in ("left_knee", "right_wrist"):
        x, _, away = joint(side.skeletons, name).T
        pose = side.poses[:, COCO_JOINTS.index(name)]
        seen = pose[:, 2] > 0
        # The documented pinhole: a focal length of 2.27 frame heights.
        column = 63.5 + 2.27 * 96 * x / away
        assert np.abs(column - pose[:, 0])[seen].max() < 4


def test_missed_joints_are_zero_and_rare():
    poses = np.concatenate([simulate_walk(s, "nm", 1, "090", frames=20, size=48).poses for s in range(1, 6)])
    missed = poses[..., 2] == 0
    assert 0 < missed.mean() < 0.05
    assert not poses[missed].any()
    assert poses[~missed][:, 2].min() > 0.09


def test_all_cameras_see_the_same_walk():
    bends = []
    for view in ("000", "072", "180"):
        skeletons = simulate_walk(4, "nm", 3, view, frames=20, size=48).skeletons.astype(float)
        thigh = joint(skeletons, "left_hip") - joint(skeletons, "left_knee")
        shank = joint(skeletons, "left_ankle") - joint(skeletons, "left_knee")
        cosine = (thigh * shank).sum(1) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(shank, axis=1)
        bends.append(np.degrees(np.arccos(cosine)))
    assert np.ptp(bends[0]) > 30
    assert np.abs(bends[0] - bends[1]).max() < 12  # the depth sensor's 8 mm of noise
    assert np.abs(bends[0] - bends[2]).max() < 12


def test_people_walk_toward_camera_000_away_from_180_and_past_090(side):
    toward = joint(simulate_walk(1, "nm", 1, "000", frames=24, size=48).skeletons, "pelvis")
    away = joint(simulate_walk(1, "nm", 1, "180", frames=24, size=48).skeletons, "pelvis")
    past = joint(side.skeletons, "pelvis")
    assert toward[-1, 2] < toward[0, 2] - 0.5
    assert away[-1, 2] > away[0, 2] + 0.5
    assert past[-1, 0] < past[0, 0] - 0.5


def test_a_front_view_shows_the_left_arm_at_the_right():
    front = simulate_walk(1, "nm", 1, "000", frames=4, size=48).skeletons
    assert (joint(front, "left_shoulder")[:, 0] > joint(front, "right_shoulder")[:, 0]).all()


def test_people_stand_upright_with_feet_under_heads(side):
    assert (joint(side.skeletons, "head")[:, 1] > joint(side.skeletons, "left_ankle")[:, 1] + 1).all()
    assert (side.poses[:, 0, 1] < side.poses[:, 15, 1])[(side.poses[:, (0, 15), 2] > 0).all(axis=1)].all()


@pytest.mark.parametrize("subject", range(1, 13))
def test_a_knee_never_bends_backward(subject):
    from keras_gait.data.walkers import draw_body, draw_gait, draw_take, walk

    rng = np.random.default_rng(subject)
    body, gait = draw_body(rng), draw_take(draw_gait(rng), rng)
    joints = walk(body, gait, 40, rng)
    for leg in ("left", "right"):
        hip, knee, ankle = (joints[f"{leg}_{name}"] for name in ("hip", "knee", "ankle"))
        share = body.thigh / (body.thigh + body.shank)
        ahead = np.array([np.cos(np.radians(gait.heading)), np.sin(np.radians(gait.heading)), 0])
        assert ((knee - (hip + share * (ankle - hip))) @ ahead > 0).all()


@pytest.mark.parametrize("leg", ["left", "right"])
def test_an_arm_swings_against_the_leg_of_its_side(leg):
    swings = []
    for subject in range(1, 5):
        skeletons = simulate_walk(subject, "nm", 1, "090", frames=40, size=48).skeletons
        ahead = -(joint(skeletons, f"{leg}_ankle") - joint(skeletons, "pelvis"))[:, 0]
        arm = -(joint(skeletons, f"{leg}_wrist") - joint(skeletons, f"{leg}_shoulder"))[:, 0]
        swings.append(np.corrcoef(ahead, arm)[0, 1])
    assert np.mean(swings) < -0.6


def test_the_lower_foot_stays_on_the_ground():
    from keras_gait.data.walkers import draw_body, draw_gait, walk

    for seed in range(5):
        rng = np.random.default_rng(seed)
        joints = walk(draw_body(rng), draw_gait(rng), 50, rng)
        soles = np.stack([joints[f"{s}_{end}"][:, 2] for s in ("left", "right") for end in ("heel", "toe")])
        assert np.abs(soles.min(axis=0)).max() < 0.06


def test_a_bag_and_a_coat_make_the_silhouette_larger():
    def area(condition):
        walks = [simulate_walk(s, condition, 1, "072", frames=6) for s in range(1, 7)]
        return np.mean([(walk.silhouettes > 0).sum((1, 2)).mean() for walk in walks])

    plain, bag, coat = map(area, ("nm", "bg", "cl"))
    assert bag > 1.03 * plain
    assert coat > 1.08 * plain


def test_the_body_is_in_the_frame_and_fills_two_thirds_of_it(side):
    edges = [
        side.silhouettes[:, 0],
        side.silhouettes[:, -1],
        side.silhouettes[..., 0],
        side.silhouettes[..., -1],
    ]
    assert np.mean([edge.any(axis=1).mean() for edge in edges]) < 0.05
    heights = (side.silhouettes > 0).any(axis=2).sum(axis=1) / 96
    assert 0.6 < np.median(heights) < 0.83
    assert side.silhouettes.sum((1, 2), dtype=np.int64).min() > 10000


def test_the_scene_stands_still_and_the_walker_moves(side):
    still = ~(side.silhouettes > 0).any(axis=0)
    still = cv2.erode(still.astype(np.uint8), np.ones((9, 9))) > 0
    change = np.abs(np.diff(side.rgb.astype(int), axis=0)).mean(axis=-1)
    assert change[:, still].mean() < 4
    assert change[:, ~still].mean() > 2 * change[:, still].mean()


def test_colours_and_scene_do_not_tell_who_walks():
    walks = {(s, t): simulate_walk(s, "nm", t, "090", frames=2) for s in range(1, 9) for t in (1, 2)}
    colour = {key: np.median(walk.rgb[0][walk.silhouettes[0] > 0], axis=0) for key, walk in walks.items()}
    scene = {key: np.median(walk.rgb[0][walk.silhouettes[0] == 0], axis=0) for key, walk in walks.items()}
    for seen in (colour, scene):
        same = np.mean([np.abs(seen[s, 1] - seen[s, 2]).mean() for s in range(1, 9)])
        other = np.mean([np.abs(seen[s, 1] - seen[s % 8 + 1, 2]).mean() for s in range(1, 9)])
        assert same > 0.5 * other


def test_subjects_differ_in_body_and_takes_of_one_do_not():
    def thigh(subject, take):
        skeletons = simulate_walk(subject, "nm", take, "090", frames=20, size=48).skeletons.astype(float)
        return np.linalg.norm(joint(skeletons, "left_hip") - joint(skeletons, "left_knee"), axis=1).mean()

    lengths = np.array([[thigh(subject, take) for take in (1, 2)] for subject in range(1, 7)])
    assert np.ptp(lengths, axis=1).max() < 0.01
    assert np.ptp(lengths[:, 0]) > 0.03


def test_the_command_writes_casia_bs_layout_in_three_trees(command, tmp_path):
    result = command(COMMAND, "--output_path", tmp_path / "w", *SMALL)
    assert result.code == 0
    assert "8 sequence(s) simulated, 0 already there" in result.out
    assert {path.name for path in (tmp_path / "w").iterdir()} == {
        "rgb",
        "silhouettes",
        "poses",
        "simulate.json",
    }
    written = files(tmp_path / "w")
    for tree in ("rgb", "silhouettes"):
        names = {name for name in written if name.startswith(f"{tree}/001/cl-02/090/")}
        assert names == {f"{tree}/001/cl-02/090/001-cl-02-090-00{n}.png" for n in (1, 2, 3)}
    for tree in ("rgb", "silhouettes", "poses"):
        assert read_source(tmp_path / "w" / tree) == "simulated walkers"
    walk = simulate_walk(1, "cl", 2, "090", frames=3, size=48)
    place = tmp_path / "w" / "rgb/001/cl-02/090/001-cl-02-090-002.png"
    assert np.array_equal(cv2.imread(str(place))[..., ::-1], walk.rgb[1])
    mask = cv2.imread(str(place).replace("rgb", "silhouettes"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(mask, walk.silhouettes[1])
    with np.load(tmp_path / "w" / "poses/001/cl-02/090.npz") as stored:
        assert np.array_equal(stored["poses"], walk.poses)
        assert np.array_equal(stored["skeletons"], walk.skeletons)


def test_workers_and_shards_write_the_very_same_bytes(command, tmp_path):
    command(COMMAND, "--output_path", tmp_path / "one", *SMALL)
    for shard in ("0/2", "1/2"):
        command(COMMAND, "--output_path", tmp_path / "two", *SMALL, "--worker_num", 2, "--shard", shard)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_second_run_writes_only_what_is_missing(command, tmp_path):
    command(COMMAND, "--output_path", tmp_path, *SMALL)
    before = files(tmp_path)
    (tmp_path / "poses/002/nm-01/000.npz").unlink()
    kept = tmp_path / "rgb/001/nm-01/000/001-nm-01-000-001.png"
    kept.write_bytes(b"mine")
    result = command(COMMAND, "--output_path", tmp_path, *SMALL)
    assert "1 sequence(s) simulated, 7 already there" in result.out
    assert kept.read_bytes() == b"mine"
    assert files(tmp_path).keys() == before.keys()


def test_a_killed_run_leaves_no_half_sequence(monkeypatch, tmp_path):
    from keras_gait.data import simulate

    real, calls = simulate._write_png, []

    def full_disk(path, picture):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(path, picture)

    job = (str(tmp_path), 1, "nm-01", "090", 3, 48, 0)
    monkeypatch.setattr(simulate, "_write_png", full_disk)
    with pytest.raises(KeyboardInterrupt):
        write_sequence(job)
    assert not (tmp_path / "rgb").exists()
    assert write_sequence(job) is True
    assert len(list((tmp_path / "rgb/001/nm-01/090").iterdir())) == 3
    assert write_sequence(job) is False


def test_a_tree_made_with_other_settings_is_refused(command, tmp_path):
    command(COMMAND, "--output_path", tmp_path, *SMALL)
    result = command(COMMAND, "--output_path", tmp_path, *SMALL[:-1], 64)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "'size': 48" in result.err
    assert "another --output_path" in result.err


def test_a_folder_with_other_files_is_refused(command, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    result = command(COMMAND, "--output_path", tmp_path, *SMALL)
    assert result.code == 2
    assert "holds files but no simulate.json" in result.err
    assert "not JSON" not in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_shards_that_start_at_the_same_time_share_a_folder(command, tmp_path):
    (tmp_path / ".simulate.json.123").write_text("another shard is about to rename this")
    (tmp_path / ".partial").mkdir()
    assert command(COMMAND, "--output_path", tmp_path, *SMALL, "--shard", "0/8").code == 0


def test_a_broken_note_of_the_settings_is_an_error_of_one_line(command, tmp_path):
    (tmp_path / "simulate.json").write_text("{")
    result = command(COMMAND, "--output_path", tmp_path, *SMALL)
    assert result.code == 2
    assert "simulate.json is not JSON" in result.err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--sequences", "nm-07"), "--sequences has no nm-07"),
        (("--views", "090", "45"), "--views has no 45"),
        (("--views", "090", "090"), "twice"),
        (("--subjects", 0), "--subjects must be 1 to 999. Received: 0"),
        (("--frames", 0), "--frames must be 1 to"),
        (("--size", 8), "--size must be 48 to"),
        (("--seed", -1), "--seed must not be negative"),
        (("--worker_num", 0), "--worker_num must be at least 1"),
        (("--frames", "many"), "invalid int value"),
    ],
)
def test_wrong_values_end_with_one_line_and_code_2(command, tmp_path, flags, words):
    result = command(COMMAND, "--output_path", tmp_path / "w", *flags)
    assert result.code == 2
    assert words in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "w").exists()


def test_an_output_path_that_is_a_file_is_an_error_of_one_line(command, tmp_path):
    (tmp_path / "w").write_text("")
    result = command(COMMAND, "--output_path", tmp_path / "w", *SMALL)
    assert result.code == 2
    assert "cannot write to --output_path" in result.err


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(command, tmp_path, monkeypatch):
    def refuse(path, data):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("keras_gait.data.trees.write_whole", refuse)
    result = command(COMMAND, "--output_path", tmp_path / "w", *SMALL)
    assert result.code == 2
    assert "cannot write to --output_path" in result.err
    assert "Permission denied" in result.err
    assert result.err.count("\n") == 1


def test_a_tree_that_is_a_file_is_an_error_of_one_line(command, tmp_path):
    command(COMMAND, "--output_path", tmp_path, *SMALL, "--shard", "0/8")
    shutil.rmtree(tmp_path / "rgb")
    (tmp_path / "rgb").write_text("in the way")
    result = command(COMMAND, "--output_path", tmp_path, *SMALL)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert str(tmp_path / "rgb") in result.err


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sequence_that_cannot_be_written_ends_the_run_and_what_is_there_stays(command, tmp_path, workers):
    command(COMMAND, "--output_path", tmp_path, *SMALL[:2], "--sequences", "nm-01", *SMALL[5:])
    before = files(tmp_path)
    (tmp_path / "rgb/001/cl-02").write_text("in the way")
    result = command(COMMAND, "--output_path", tmp_path, *SMALL, "--worker_num", workers)
    assert result.code == 2
    lines = result.err.strip().split("\n")
    assert lines[-1].startswith("simulate_walkers.py: ")
    assert "rgb/001/cl-02" in lines[-1]
    assert "Traceback" not in result.err
    assert before.items() <= files(tmp_path).items()


def test_an_unknown_view_or_take_is_named():
    with pytest.raises(GaitError, match="nm-07"):
        simulate_walk(1, "nm", 7, "090")
    with pytest.raises(GaitError, match="091"):
        simulate_walk(1, "nm", 1, "091")


def test_the_simulator_loads_no_deep_learning_framework():
    code = (
        "import sys, keras_gait.data.simulate, keras_gait.vision.silhouette;"
        "sys.exit(bool({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_benchmark_knows_people_again_and_says_that_they_are_simulated(command):
    few = ("--subjects", 4, "--views", "090", "--frames", 16, "--size", 64, "--worker_num", 1)
    result = command("benchmarks/simulated_walkers.py", *few)
    lines = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    assert all(line["benchmark"].startswith("simulated walkers") for line in lines)
    values = {line["figure"]: line["value"] for line in lines}
    assert values["chance"] == 0.25
    assert values["nm same view"] >= 0.75
