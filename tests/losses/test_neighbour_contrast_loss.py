"""Contrast of neighbours: by hand, against a loop over pairs, and where there is nothing to learn."""

import math

import numpy as np
import pytest
from gradients import as_one, gradient
from keras import ops

from keras_gait.losses import NeighbourContrast

pytestmark = pytest.mark.backend

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]


def value(loss, z, recordings=None):
    z = np.asarray(z, "float32")
    recordings = np.zeros(len(z), np.int32) if recordings is None else np.array(recordings)
    return float(ops.convert_to_numpy(as_one(loss)(recordings, z)))


def looped(z, temperature, recordings=None):
    """The definition, pair by pair, in float64."""
    z = np.asarray(z, "float64")
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    rows = [*range(1, len(z)), *range(len(z) - 1)]
    terms = []
    for i, row in enumerate(rows):
        partner = (i + len(z) - 1) % len(rows)
        if recordings is not None and recordings[row] != recordings[rows[partner]]:
            continue
        others = [k for k in range(len(rows)) if k != i]
        scores = [z[row] @ z[rows[k]] / temperature for k in others]
        terms.append(math.log(sum(map(math.exp, scores))) - scores[others.index(partner)])
    return np.mean(terms) if terms else 0.0


def test_all_rows_but_the_partner_repel_and_a_copy_too():
    # rows north, west | east, north: to itself 1, at right angles 0, opposite -1
    ends = math.log(2 * 1 + math.exp(-1))  # east, and west: twice north, once the other end
    middle = math.log(math.exp(1) + 2)  # north: its copy, east and west
    assert value(NeighbourContrast(1.0), [EAST, NORTH, WEST]) == pytest.approx((ends + middle) / 2, rel=1e-5)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_it_is_what_a_loop_over_pairs_finds(temperature):
    z = np.random.default_rng(0).normal(size=(7, 3))
    assert value(NeighbourContrast(temperature), z) == pytest.approx(looped(z, temperature), rel=1e-5)
    recordings = [4, 4, 4, 2, 7, 7, 4]
    expected = looped(z, temperature, recordings)
    assert value(NeighbourContrast(temperature, "recordings"), z, recordings) == pytest.approx(
        expected, rel=1e-5
    )
    assert expected != pytest.approx(looped(z, temperature), rel=1e-2)


def test_one_recording_is_as_published():
    z = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")
    losses = [NeighbourContrast(0.1, "recordings"), NeighbourContrast(0.1)]
    one, published = (ops.convert_to_numpy(loss(np.full((5, 1), 3), z)) for loss in losses)
    assert one == published


def test_the_gradient_is_that_of_the_loop():
    z = np.random.default_rng(2).normal(size=(5, 3)).astype("float32")
    slope = gradient(lambda x: NeighbourContrast(0.5)(ops.zeros(5), x), z)
    step = 1e-5 * np.eye(z.size).reshape(-1, *z.shape)
    expected = [(looped(z + s, 0.5) - looped(z - s, 0.5)) / 2e-5 for s in step]
    np.testing.assert_allclose(slope.ravel(), expected, rtol=1e-3, atol=1e-5)


def test_two_sequences_have_nothing_that_repels():
    z = np.array([EAST, NORTH], "float32")
    assert value(NeighbourContrast(0.1), z) == pytest.approx(0, abs=1e-6)
    assert np.abs(gradient(lambda x: NeighbourContrast(0.1)(ops.zeros(2), x), z)).max() < 1e-5


@pytest.mark.parametrize("recordings", [[1, 2, 3], [5]], ids=["strangers", "alone"])
def test_a_batch_without_pairs_has_no_loss_and_no_gradient(recordings):
    z = np.array([EAST, NORTH, WEST][: len(recordings)], "float32")
    loss = NeighbourContrast(0.1, "recordings")
    assert value(loss, z, recordings) == 0
    assert not gradient(lambda x: loss(ops.convert_to_tensor(recordings), x), z).any()


@pytest.mark.parametrize("zeros", [slice(None), slice(1, 2)], ids=["all", "one"])
def test_projections_of_zero_are_finite(zeros):
    z = np.array([EAST, NORTH, WEST, EAST], "float32")
    z[zeros] = 0
    loss = NeighbourContrast(0.1)
    assert np.isfinite(value(loss, z))
    slope = gradient(lambda x: loss(ops.zeros(4), x), z)
    assert np.isfinite(slope).all()
    assert not slope[zeros].any()


def test_all_zero_projections_are_at_chance():
    assert value(NeighbourContrast(0.1), np.zeros((128, 4))) == pytest.approx(math.log(253), rel=1e-5)


def test_half_precision_projections_are_compared_in_float32():
    z = np.random.default_rng(3).normal(size=(6, 4)).astype("float32").round(1)
    half = ops.cast(z, "bfloat16")
    found = NeighbourContrast(0.05).call(ops.zeros(6), half)
    assert "float32" in str(found.dtype)
    as_rounded = ops.convert_to_numpy(ops.cast(half, "float32"))
    assert float(ops.convert_to_numpy(found)) == pytest.approx(looped(as_rounded, 0.05), rel=1e-4)


def test_wrong_arguments_are_refused_by_name():
    with pytest.raises(ValueError, match=r"temperature must be above 0\. Received: temperature=0"):
        NeighbourContrast(0)
    with pytest.raises(ValueError, match=r"one of published, recordings\. Received: pairs='all'"):
        NeighbourContrast(pairs="all")
    again = NeighbourContrast.from_config(NeighbourContrast(0.3, "recordings").get_config())
    assert (again.temperature, again.pairs) == (0.3, "recordings")
