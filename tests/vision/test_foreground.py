import cv2
import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.vision.foreground import Background, Video, count_heads, describe_colours, find_blobs


def write_video(path, frames, fps=10):
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture
def grey_steps(tmp_path):
    """20 frames at 10 a second; frame number n has brightness 10 n."""
    return write_video(tmp_path / "steps.avi", [np.full((48, 64, 3), 10 * n, "uint8") for n in range(20)])


def test_a_video_can_be_read_again_and_again(grey_steps):
    video = Video(grey_steps)
    assert (video.width, video.height, video.fps, video.stated_frames) == (64, 48, 10, 20)
    for _ in range(2):
        seen = {number: frame.mean() for number, frame in video}
        assert list(seen) == list(range(20))
        np.testing.assert_allclose(list(seen.values()), 10 * np.arange(20), atol=2)


@pytest.mark.parametrize(("fps", "numbers"), [(5, range(1, 20, 2)), (10, range(20)), (2, [4, 9, 14, 19])])
def test_thinning_takes_frames_at_even_distances(grey_steps, fps, numbers):
    video = Video(grey_steps, fps)
    assert [number for number, _ in video] == list(numbers)
    assert video.fps == fps


@pytest.mark.parametrize("fps", [0, -1, 10.5])
def test_more_frames_than_there_are_cannot_be_asked(grey_steps, fps):
    with pytest.raises(GaitError, match="has 10 frames a second; --fps"):
        Video(grey_steps, fps)


def test_a_file_that_is_not_there_or_no_video_is_refused(tmp_path):
    with pytest.raises(GaitError, match="no such video file"):
        Video(tmp_path / "none.avi")
    (tmp_path / "text.avi").write_text("no video")
    with pytest.raises(GaitError, match="cannot read this file as a video"):
        Video(tmp_path / "text.avi")


@pytest.mark.parametrize("method", ["knn", "mog2"])
def test_what_moves_is_foreground_and_its_shadow_is_not(method):
    ground = np.random.default_rng(0).integers(140, 160, (120, 160, 3), dtype="uint8")

    def frame(x):
        picture = ground.copy()
        if x is not None:
            picture[90:100, x : x + 40] = picture[90:100, x : x + 40] * 0.75  # shadow on the ground
            picture[30:90, x : x + 20] = (30, 40, 200)
        return picture

    background = Background(method, 100, 120)
    for t in range(100):
        background.learn(frame(t) if t % 4 == 0 else frame(None))
    mask = background.mask(frame(70))
    assert set(np.unique(mask)) == {0, 255}
    truth = np.zeros_like(mask)
    truth[30:90, 70:90] = 255
    overlap = np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)
    assert overlap > 0.9


def test_blobs_are_cut_out_alone_and_low_ones_left_out():
    mask = np.zeros((100, 100), "uint8")
    mask[20:70, 30:50] = 255
    mask[40:60, 60:70] = 255  # 20 high: too low
    mask[0:60, 80:90] = 255
    blobs = find_blobs(np.zeros((100, 100, 3), "uint8"), mask, 30)
    boxes = {(b.x, b.y, b.width, b.height): b for b in blobs}
    assert set(boxes) == {(30, 20, 20, 50), (80, 0, 10, 60)}
    assert not boxes[30, 20, 20, 50].cut
    assert boxes[80, 0, 10, 60].cut
    assert boxes[30, 20, 20, 50].area == 1000
    assert boxes[30, 20, 20, 50].centre.tolist() == [40, 45]


def test_two_shapes_in_one_box_do_not_leak_into_each_other():
    mask = np.zeros((80, 80), "uint8")
    mask[10:70, 10:14] = 255
    mask[66:70, 10:60] = 255  # an L ...
    mask[10:50, 30:40] = 255  # ... and a bar within its box
    areas = sorted(b.area for b in find_blobs(np.zeros((80, 80, 3), "uint8"), mask, 30))
    assert areas == [400, 60 * 4 + 4 * 46]


def body(heads):
    mask = np.zeros((60, 20 * heads), "uint8")
    for n in range(heads):
        mask[12:, 20 * n : 20 * n + 20] = 255
        mask[:12, 20 * n + 6 : 20 * n + 14] = 255
    return mask


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_heads_are_counted(heads):
    assert count_heads(body(heads)) == heads


def test_an_arm_stretched_out_is_no_head():
    mask = np.pad(body(1), ((0, 0), (0, 20)))
    mask[22:27, 20:] = 255
    assert count_heads(mask) == 1


def test_colours_know_top_from_bottom_and_ignore_the_ground():
    picture = np.full((40, 20, 3), 255, "uint8")
    mask = np.zeros((40, 20), "uint8")
    mask[:, 5:15] = 255
    picture[:20, 5:15] = (0, 0, 200)
    picture[20:, 5:15] = (200, 0, 0)
    red_over_blue = describe_colours(picture, mask)
    blue_over_red = describe_colours(picture[::-1].copy(), mask)
    assert red_over_blue.sum() == pytest.approx(1)
    assert np.count_nonzero(red_over_blue) == 2
    assert not (red_over_blue * blue_over_red).any()
