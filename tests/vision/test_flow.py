"""Flow, its colours and the cut, held against the published pipeline's numbers."""

from pathlib import Path

import numpy as np
import pytest
from fixtures import reader

from keras_gait.vision import flow

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def load(name):
    return reader.load(FIXTURES / "attengait" / f"{name}.npz")


def test_the_wheel_is_the_published_one():
    meta, _, out = load("flow_colour_wheel")
    np.testing.assert_allclose(flow.colour_wheel(), out["wheel"], atol=meta["atol"])


@pytest.mark.parametrize("name", ["flow_colour", "flow_colour_unknown", "flow_colour_zero"])
def test_colours_are_the_published_ones(name):
    meta, given, out = load(name)
    rgb = flow.flow_to_colour(given["flow"])
    assert rgb.dtype == np.float32
    np.testing.assert_allclose(rgb, out["rgb"], atol=reader.tolerance(meta, "rgb", out["rgb"]))
    assert np.abs(flow.colour_to_uint8(rgb).astype(int) - out["uint8"]).max() <= 1


def test_colouring_some_rows_is_the_same_as_cutting_them_out_of_the_coloured_frame():
    _, given, _ = load("flow_colour")
    whole = flow.flow_to_colour(given["flow"])
    np.testing.assert_array_equal(flow.flow_to_colour(given["flow"], slice(3, 9)), whole[3:9])


def test_farneback_has_the_published_constants():
    meta, given, out = load("farneback")
    computed = flow.farneback_flow(given["previous"], given["current"])
    np.testing.assert_allclose(computed, out["flow"], atol=reader.tolerance(meta, "flow", out["flow"]))


@pytest.mark.parametrize("name", ["cut_centre", "cut_left_border", "cut_right_border"])
def test_the_cut_is_the_published_one(name):
    _, given, out = load(name)
    cut = flow.cut(given["flow"], given["silhouette"])
    assert cut.dtype == np.uint8
    assert np.abs(cut.astype(int) - out["cut"]).max() <= 1


def test_a_whole_sequence_is_the_published_one():
    meta, given, out = load("pretreatment_casiab")
    frames = list(flow.flow_frames(given["grey"], given["silhouettes"]))
    assert [(index, reason) for index, _, reason in frames if reason] == [(2, "empty silhouette")]
    images = np.array([image for _, image, _ in frames if image is not None])
    difference = np.abs(images.astype(int) - out["images"])
    assert difference.max() <= meta["atol"]
    assert difference.mean() < 0.5


def test_a_silhouette_of_exactly_the_limit_is_dropped():
    silhouette = np.zeros((80, 80), np.uint8)
    silhouette[10:60, 30:40] = 20  # 50 * 10 * 20 = 10000
    image = np.zeros((80, 80, 3), np.uint8)
    assert flow.cut(image, silhouette) is None
    silhouette[10, 30] = 21
    assert flow.cut(image, silhouette).shape == (64, 64, 3)


def test_an_unreadable_frame_costs_itself_and_the_next():
    grey = [np.zeros((80, 80), np.uint8)] * 4
    silhouettes = [np.pad(np.full((60, 20), 255, np.uint8), ((10, 10), (30, 30)))] * 4
    grey[1] = None
    reasons = {index: reason for index, _, reason in flow.flow_frames(grey, silhouettes)}
    assert reasons == {1: "missing or damaged frame", 2: "the frame before is missing or damaged", 3: None}


def test_a_silhouette_of_another_size_is_named():
    grey = [np.zeros((80, 80), np.uint8)] * 2
    silhouettes = [np.full((40, 40), 255, np.uint8)] * 2
    assert next(flow.flow_frames(grey, silhouettes))[2] == "frame, frame before and silhouette differ in size"
