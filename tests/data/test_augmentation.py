"""Mixing of batches: by hand where one can, by moments where draws are random."""

import numpy as np
import pytest

from keras_gait.data.augmentation import cutmix, mix_batch, mixup
from keras_gait.vision.clips import cut_columns


def clips(batch=2, frames=3, height=8, width=4):
    """Every clip full of its own number, one more in each frame: clip 1 is 10, 11, 12."""
    values = 10.0 * np.arange(batch)[:, None] + np.arange(frames)
    shape = (batch, frames, height, width, 1)
    return np.broadcast_to(values[:, :, None, None, None], shape).astype(np.float32)


SWAPPED, TARGETS = np.array([1, 0]), np.eye(2, dtype=np.float32)


def test_mixup_blends_clips_and_targets_by_the_share():
    mixed, targets = mixup(clips(), TARGETS, SWAPPED, np.array([0.75, 1.0]))
    assert mixed[:, 0, 0, 0, 0].tolist() == [2.5, 10]
    assert targets.tolist() == [[0.75, 0.25], [0, 1]]
    assert mixed.dtype == targets.dtype == np.float32


def corrected(rows, columns, share=0.75):
    """Half of each side: 4 rows by 2 columns of 8 by 4."""
    arguments = SWAPPED, np.full(2, share), np.full(2, rows), np.full(2, columns)
    return cutmix(clips(), TARGETS, *arguments, published=False)


def test_a_cut_takes_the_partners_frames_one_by_one():
    mixed, targets = corrected(4, 2)
    filled = mixed[0, :, :, :, 0] >= 10
    assert filled.sum(axis=(1, 2)).tolist() == [8, 8, 8]
    assert filled[0, 2:6, 1:3].all()
    assert mixed[0, :, 3, 2, 0].tolist() == [10, 11, 12]
    assert targets.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_a_cut_at_the_border_counts_the_area_that_was_filled():
    mixed, targets = corrected(0, 0)  # a quarter of the rectangle lies inside
    assert (mixed[0, 0, :, :, 0] >= 10).sum() == 2
    np.testing.assert_allclose(targets[0], [1 - 2 / 32, 2 / 32])


def test_the_published_cut_is_as_wide_as_high_and_takes_the_first_frame():
    square = np.full(2, 0.75), np.full(2, 4), np.full(2, 2)
    mixed, targets = cutmix(clips(), TARGETS, SWAPPED, *square)
    assert mixed[0, :, 3, 2, 0].tolist() == [10, 10, 10]
    assert (mixed[0, 0, :, :, 0] >= 10).sum() == 4 * 4  # half of the height, on a frame 4 wide
    np.testing.assert_allclose(targets[0], [0.5, 0.5])


def mixings(number=4000, **rates):
    """``number`` batches of two clips, 0 and 1 throughout, and their targets."""
    rng = np.random.default_rng(0)
    values = np.zeros((2, 1, 8, 8, 1), np.uint8)
    values[1] = 1
    mixed = [mix_batch(values, TARGETS, rng, **rates) for _ in range(number)]
    return np.stack([x for x, _ in mixed]), np.stack([y for _, y in mixed])


def test_shares_are_uniform():
    values, targets = mixings(mixup_rate=1.0, cutmix_rate=0.0)
    swapped = values[:, 0, 0, 0, 0, 0] > 0  # where a clip is its own partner nothing changes
    shares = targets[swapped, 0, 0]
    assert 0.45 < swapped.mean() < 0.55
    assert abs(shares.mean() - 1 / 2) < 0.03
    assert abs(shares.var() - 1 / 12) < 0.01
    np.testing.assert_allclose(values[:, :, 0, 0, 0, 0], targets[:, :, 1], atol=1e-6)


@pytest.mark.parametrize("published", [True, False])
def test_targets_sum_to_one(published):
    _, targets = mixings(200, mixup_rate=0.5, cutmix_rate=0.5, published=published)
    np.testing.assert_allclose(targets.sum(-1), 1.0, atol=1e-6)
    assert targets.min() >= 0


def test_the_corrected_cut_pays_by_the_pixel():
    values, targets = mixings(300, mixup_rate=0.0, cutmix_rate=1.0, published=False)
    np.testing.assert_allclose(values.mean(axis=(2, 3, 4, 5)), targets[:, :, 1], atol=1e-6)


@pytest.mark.parametrize(("rates", "expected"), [((0.25, 0.0), 0.125), ((0.0, 0.25), 0.125), ((0.0, 0.0), 0)])
def test_each_kind_comes_at_its_rate(rates, expected):
    """Of two clips every other permutation changes nothing, and some cuts are empty."""
    _, targets = mixings(mixup_rate=rates[0], cutmix_rate=rates[1])
    changed = (targets[:, 0, 0] < 1).mean()
    assert expected - 0.025 <= changed <= expected + 0.02


def test_bytes_become_floats_and_the_given_arrays_stay():
    given, targets = clips().astype(np.uint8), TARGETS.copy()
    mixed, _ = mix_batch(given, targets, np.random.default_rng(0), 1.0, 1.0)
    assert mixed.dtype == np.float32
    np.testing.assert_array_equal(given, clips())
    np.testing.assert_array_equal(targets, TARGETS)


def test_the_cut_of_columns_shows_columns_10_to_53_over_the_full_width():
    columns = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, None, None, :, None], (2, 3, 5, 64, 2))
    cut = cut_columns(columns)
    assert cut.shape == columns.shape
    assert cut.dtype == np.uint8
    row = cut[1, 2, 4, :, 1].astype(int)
    assert (row[0], row[-1]) == (10, 53)
    assert set(np.diff(row).tolist()) == {0, 1}  # 44 columns over 64


def test_the_cut_of_columns_is_what_opencv_does_frame_by_frame():
    cv2 = pytest.importorskip("cv2")
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    expected = np.stack([cv2.resize(f[:, 10:54].astype(np.float32), (64, 64)) for f in frames])
    assert np.abs(cut_columns(frames).astype(float) - expected).max() <= 0.51
