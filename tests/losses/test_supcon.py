"""Supervised contrast: values by hand, which anchors count, and gradients where there is nothing to learn."""

import math

import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_gait.losses import SupCon, SupConCosine, contrastive

pytestmark = pytest.mark.backend

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
NEAR, FAR = math.sqrt(2), 2.0  # from east: to north, to west


def value(loss, labels, *vectors):
    return float(ops.convert_to_numpy(loss(np.array(labels), np.array(vectors, "float32")[:, None])))


def test_an_anchor_pays_for_others_being_as_near_as_its_own():
    own, other = math.exp(-NEAR), math.exp(-FAR)
    east, north = (-math.log(own / total) for total in (own + other, own + own))
    # the second, lengths of vectors, counts for nothing; west has no partner and pays nothing
    found = value(SupCon(1.0), [7, 7, 3], EAST, [0.0, 5.0], WEST)
    assert found == pytest.approx((east + north) / 2, rel=1e-5)


def test_a_low_temperature_sharpens():
    found = value(SupCon(0.5), [7, 7, 3], EAST, NORTH, WEST)
    own, other = math.exp(-2 * NEAR), math.exp(-2 * FAR)
    assert found == pytest.approx((-math.log(own / (own + other)) + math.log(2)) / 2, rel=1e-5)


def test_anchors_that_pay_nothing_are_not_in_the_mean():
    found = value(SupCon(0.01), [1, 1, 2, 2], EAST, EAST, WEST, NORTH)
    west = -math.log(1 / (1 + 0))  # its partner is by far the nearest: float32 gives 0
    north = (NEAR - NEAR) / 0.01 + math.log(3)  # all three are equally far
    assert west == 0
    assert found == pytest.approx(north, rel=1e-4)


def test_an_anchor_that_pays_very_little_is_in_the_mean():
    # the second's partner is 50 temperatures away, a stranger 64: a loss of e^-14. Subject 3 pays much
    angles = np.cumsum([0, *(math.degrees(2 * math.asin(d / 2)) for d in (0.5, 0.64, 1.5, 0.1, 0.9))])
    vectors = np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], axis=1)
    scores = -100 * np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    np.fill_diagonal(scores, -np.inf)
    anchors, partners = [1, 4, 5], [0, 5, 4]
    terms = np.logaddexp.reduce(scores[anchors], axis=1) - scores[anchors, partners]
    assert 0 < terms[0] < 1e-6
    assert max(terms) > 1
    found = value(SupCon(0.01), [1, 1, 2, 4, 3, 3], *vectors)
    assert found == pytest.approx(terms.mean(), rel=1e-3)


@pytest.mark.parametrize("labels", [[1, 2, 3], [1, 1, 1]], ids=["no positive", "no negative"])
def test_a_batch_that_teaches_nothing_has_no_loss_and_no_gradient(labels):
    vectors = np.array([EAST, NORTH, WEST], "float32")[:, None]
    assert value(SupCon(0.1), labels, EAST, NORTH, WEST) == 0
    slope = gradient(lambda x: SupCon(0.1)(ops.convert_to_tensor(labels), x), vectors)
    assert not slope.any()


@pytest.mark.parametrize("first", [[0.0, 0.0], EAST], ids=["of length 0", "twice the same"])
def test_distances_of_zero_have_a_finite_gradient(first):
    vectors = np.array([first, first, WEST, NORTH], "float32")[:, None]
    labels = ops.convert_to_tensor([1, 1, 2, 2])
    slope = gradient(lambda x: SupCon(0.1)(labels, x), vectors)
    assert np.isfinite(slope).all()


def test_half_precision_embeddings_are_compared_in_float32():
    vectors = ops.cast(np.array([EAST, NORTH, WEST], "float32")[:, None], "bfloat16")
    found = SupCon(0.01)(ops.convert_to_tensor([7, 7, 3]), vectors)
    assert float(ops.convert_to_numpy(found)) == pytest.approx(math.log(2) / 2 + 0, abs=0.35)
    assert "float32" in str(found.dtype)


def test_the_cosine_loss_is_the_mean_over_all_samples():
    # east with its partner north (cosine 0) and a stranger in the west (cosine -1); north sees both alike
    terms = [math.log(1 + math.exp(-1)), math.log(2), 0.0]
    found = value(SupConCosine(1.0, 2.0), [7, 7, 3], EAST, NORTH, WEST)
    assert found == pytest.approx(0.5 * sum(terms) / 3, rel=1e-5)


def test_contrast_is_how_far_own_and_how_near_others_are():
    labels, vectors = np.array([1, 1, 2]), np.array([EAST, NORTH, EAST], "float32")[:, None]
    # own: sqrt(2) apart. strangers: the third on the first, distance 0; from the second more than 1
    assert float(ops.convert_to_numpy(contrastive(labels, vectors))) == pytest.approx(NEAR + 1)


@pytest.mark.parametrize("make", [SupCon, SupConCosine])
def test_a_temperature_of_zero_is_refused(make):
    with pytest.raises(ValueError, match=r"must be above 0\. Received: temperature=0"):
        make(temperature=0)
    assert make.from_config(make(0.3).get_config()).temperature == 0.3
