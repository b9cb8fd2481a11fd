import csv

import cv2
import numpy as np
import pytest

COMMAND = "preprocessing/pretreatment_video.py"
SIZE = (320, 160)
FRAMES = 100
RED, BLUE = (30, 30, 90), (90, 30, 30)  # strong colours bleed over blocks of 16 pixels in a JPEG
TALL, TOP = 70, 50


def draw_scene(rng):
    """The ground, uint8 (height, width, 3), and the people's texture, from -25 to 24 (80, 40, 3)."""
    noise = rng.integers(90, 200, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 0), rng.integers(-25, 25, (80, 40, 3))


def draw_person(frame, x, t, colour, texture):
    """Head, body and two swinging legs, textured, 70 pixels tall, with the middle at ``x``."""
    shape = np.zeros(frame.shape[:2], np.uint8)
    swing = round(9 * np.sin(t / 2))
    cv2.circle(shape, (x, TOP + 6), 6, 255, -1)
    cv2.rectangle(shape, (x - 8, TOP + 12), (x + 8, TOP + 42), 255, -1)
    for side in (swing, -swing):
        cv2.line(shape, (x, TOP + 40), (x + side, TOP + TALL - 4), 255, 7)
    rows, columns = np.nonzero(shape)
    frame[rows, columns] = np.clip(texture[rows - TOP, columns - x + 20] + colour, 0, 255)


def places(t):
    return -20 + 4 * t, SIZE[0] + 20 - 4 * t


def write_video(path, people=True):
    rng = np.random.default_rng(5)
    ground, texture = draw_scene(rng)
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter_fourcc(*"MJPG"), 20, SIZE)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 100)
    for t in range(FRAMES):
        frame = ground.copy()
        if people:
            to_right, to_left = places(t)
            draw_person(frame, to_left, t, BLUE, texture)
            draw_person(frame, to_right, t, RED, texture)
        # Without a sensor's noise the background model takes the ripples of JPEG for movement.
        writer.write(cv2.add(frame, rng.integers(0, 12, frame.shape, dtype=np.uint8)))
    writer.release()
    return path


@pytest.fixture(scope="module")
def crossing(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "crossing.avi")


@pytest.fixture
def walks(crossing, command, tmp_path):
    """The command run on the crossing -> its result and the output folder."""
    result = command(COMMAND, "--video", crossing, "--output_path", tmp_path / "out", "--min_frames", 15)
    assert result.code == 0, result.err
    return result, tmp_path / "out"


def pictures(folder):
    return {str(path.relative_to(folder)): cv2.imread(str(path)) for path in sorted(folder.rglob("*.png"))}


def test_two_people_who_cross_become_two_subjects_of_one_colour_each(walks):
    result, out = walks
    rgb, silhouettes = pictures(out / "rgb"), pictures(out / "silhouettes")
    assert list(rgb) == list(silhouettes)
    assert {name.split("/")[0] for name in rgb} == {"001", "002"}
    assert "001/nm-01/000/001-nm-01-000-001.png" in rgb
    assert "2 subjects" in result.out
    redness = {"001": [], "002": []}
    for name, picture in rgb.items():
        blue, _, red = picture[silhouettes[name][..., 0] == 255].mean(axis=0)
        redness[name[:3]].append(red - blue)
    signs = [set(np.sign(values)) for values in redness.values()]
    assert sorted(map(list, signs)) == [[-1], [1]]


def test_every_silhouette_is_one_whole_person_in_an_even_region(walks):
    _, out = walks
    rgb = pictures(out / "rgb")
    regions = {}
    for name, picture in pictures(out / "silhouettes").items():
        assert picture.shape == rgb[name].shape
        assert set(np.unique(picture)) == {0, 255}
        assert cv2.connectedComponents(picture[..., 0])[0] == 2
        rows, columns = np.nonzero(picture[..., 0])
        assert abs(np.ptp(rows) + 1 - TALL) <= 2
        assert np.ptp(columns) < 36
        regions.setdefault(name.rsplit("/", 1)[0], set()).add(picture.shape)
    for sizes in regions.values():
        ((height, width, _),) = sizes
        assert height % 2 == width % 2 == 0
        assert (width, height) != SIZE


def test_the_background_of_a_walk_stands_still(walks):
    _, out = walks
    for take in out.glob("rgb/*/*/*"):
        names = sorted(path.name for path in take.iterdir())
        assert names == [f"{'-'.join(take.parts[-3:])}-{n + 1:03d}.png" for n in range(len(names))]
        frames = np.stack([cv2.imread(str(take / name)) for name in names]).astype(int)
        # Where nobody walks, above the heads, the pixels are the same in all frames but for noise.
        assert np.abs(frames[:, :4] - frames[0, :4]).mean() < 6


def test_no_frame_in_which_the_two_touch_is_used_and_the_table_says_why(walks):
    _, out = walks
    with open(out / "tracks.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    touching = {t for t in range(FRAMES) if abs(np.subtract(*places(t))) < 16}
    assert len(touching) >= 3
    assert not touching & {int(row["frame"]) for row in rows if row["used"] == "1"}
    assert "merged with another person" in {row["reason"] for row in rows if int(row["frame"]) in touching}
    assert "cut by the border" in {row["reason"] for row in rows}
    assert all((row["used"] == "1") == (row["reason"] == "") == (row["subject"] != "") for row in rows)
    assert sum(row["used"] == "1" for row in rows) == len(pictures(out / "rgb"))


def test_the_contact_sheet_has_a_row_for_each_walk(walks):
    _, out = walks
    sheet = cv2.imread(str(out / "contact_sheet.png"))
    takes = len(list(out.glob("rgb/*/*/*")))
    assert takes == 4  # both, before and after
    assert sheet.shape == (takes * (144 + 20), 12 * 96, 3)
    assert (sheet == (0, 255, 255)).all(axis=2).sum() > takes * 12 * 100  # outlines


def test_view_and_first_subject_name_the_folders(crossing, command, tmp_path):
    flags = ["--min_frames", 15, "--view", "090", "--subject_start", 41, "--method", "knn"]
    result = command(COMMAND, "--video", crossing, "--output_path", tmp_path / "out", *flags)
    assert result.code == 0, result.err
    names = {path.name for path in tmp_path.glob("out/rgb/*/*/*/*-001.png")}
    assert {"041-nm-01-090-001.png", "042-nm-01-090-001.png"} <= names


def refused(result, folder, *words):
    lines = result.err.replace("\r", "\n").strip().split("\n")
    assert result.code == 2
    assert lines[-1].startswith("pretreatment_video.py: ")
    assert all(word in lines[-1] for word in words), lines[-1]
    assert not list(folder.iterdir())  # nothing half written, not even hidden


@pytest.mark.parametrize(
    ("content", "word"), [(None, "no such video file"), (b"junk\n" * 100, "cannot read this file as a video")]
)
def test_a_missing_file_and_one_that_is_no_video_are_refused(command, tmp_path, content, word):
    video = tmp_path / "video.mp4"
    folder = tmp_path / "empty"
    folder.mkdir()
    if content:
        video.write_bytes(content)
    result = command(COMMAND, "--video", video, "--output_path", folder / "out")
    refused(result, folder, word, str(video))
    assert result.err.count("\n") == 1


def test_a_video_without_walkers_is_refused(command, tmp_path):
    video = write_video(tmp_path / "empty.avi", people=False)
    folder = tmp_path / "folder"
    folder.mkdir()
    result = command(COMMAND, "--video", video, "--output_path", folder / "out")
    refused(result, folder, "no walk of 30 frames", "0 things moved")


def test_an_output_folder_that_exists_is_left_alone(command, crossing, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    result = command(COMMAND, "--video", crossing, "--output_path", out)
    refused(result, out, "exists already", "--output_path")


def test_an_output_below_a_file_is_refused(command, crossing, tmp_path):
    (tmp_path / "file").write_text("a file, no folder")
    result = command(COMMAND, "--video", crossing, "--output_path", tmp_path / "file" / "out")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert str(tmp_path / "file") in result.err


@pytest.mark.parametrize(
    "wrong",
    ["--min_frames 1", "--min_height 0", "--subject_start -1", "--view 0/9", "--fps 21", "--method x"],
)
def test_wrong_flags_are_refused_by_name(command, crossing, tmp_path, wrong):
    folder = tmp_path / "folder"
    folder.mkdir()
    result = command(COMMAND, "--video", crossing, "--output_path", folder / "out", *wrong.split())
    refused(result, folder, wrong.split()[0])
