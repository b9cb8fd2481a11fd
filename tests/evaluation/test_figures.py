"""Pictures come out as PNG for every shape of data; the overlay shows where the attention is."""

import cv2
import numpy as np
import pytest

from keras_gait.evaluation import figures


def decoded(png):
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.std() > 1, "an empty picture"
    return image


@pytest.mark.parametrize("views", [1, 11])
def test_heat_maps_take_any_number_of_views_and_unknown_cells(views):
    rates = np.full((3, views, views), 0.5)
    rates[0, 0, 0] = np.nan
    names = [f"{18 * i:03d}" for i in range(views)]
    decoded(figures.view_heat_maps(rates, ["NM", "BG", "CL"], names, names))


def test_curves_with_unknown_values_are_drawn():
    decoded(figures.cmc_curves(np.array([[0.5, 0.75, 1.0], [np.nan] * 3]), ["NM", "BG"]))
    decoded(figures.cmc_curves(np.full((1, 20), np.nan), ["all"]))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layers", [7, 13])
def test_overlays_of_base_and_deep_models_are_drawn(channels, layers):
    frames = [np.arange(64 * 64 * channels, dtype=np.uint8).reshape(64, 64, channels)] * 2
    maps = {f"attention_{i}": np.eye(22) for i in range(layers)}
    decoded(figures.attention_overlays(frames, ["one", "two"], maps))


def test_much_attention_is_orange_and_little_is_grey():
    weights = np.zeros((8, 8))
    weights[:4] = 2
    shaded = figures.shaded(np.full((64, 64, 3), 255, np.uint8), weights)
    np.testing.assert_allclose(shaded[0, 0], [0.98, 0.55, 0.15], atol=1e-6)
    np.testing.assert_allclose(shaded[-1, 0], [1, 1, 1], atol=1e-6)


def test_equal_attention_everywhere_is_drawn():
    shaded = figures.shaded(np.zeros((64, 64, 1), np.uint8), np.ones((4, 4)))
    np.testing.assert_array_equal(shaded, 1)


def test_a_matrix_of_distances_is_drawn():
    decoded(figures.distance_matrix(np.array([[1.0, 2.0], [3.0, 0.5]]), "ab", "ab", "first", "second"))


def test_mean_activations_are_drawn_with_and_without_conditions():
    means = np.array([[0.5, 0.1], [0.2, 0.4]])
    decoded(figures.activation_heat_map(means, [("nm", "000"), ("bg", "000")], ["nose", "neck"], "simulated"))
    decoded(figures.activation_heat_map(means, [("", "000"), ("", "015")], ["nose", "neck"]))
    figures.activation_heat_map(0 * means, [("", "000"), ("", "015")], ["nose", "neck"])
