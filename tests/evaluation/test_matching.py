"""Matching of conditions by the nearest feature: the probe itself does not count, its copies do."""

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation.matching import matched, nearest_other

FEATURES = np.array([[0.0], [1.0], [5.0], [5.5], [0.2], [5.1]], np.float32)[:, None]
SUBJECTS = np.array(["1", "1", "2", "2", "2", "2"])
CONDITIONS = np.array(["nm", "nm", "nm", "nm", "cl", "cl"])


def test_a_probe_is_not_compared_with_itself():
    assert matched(FEATURES, SUBJECTS, CONDITIONS, ("nm", "nm")).tolist() == [True] * 4
    single = np.array(["1", "9", "2", "2", "2", "2"])
    assert matched(FEATURES, single, CONDITIONS, ("nm", "nm")).tolist() == [False, False, True, True]


def test_probes_of_another_condition_take_the_nearest():
    assert matched(FEATURES, SUBJECTS, CONDITIONS, ("cl", "nm")).tolist() == [False, True]


def test_another_sequence_of_the_same_values_is_not_the_probe_itself():
    gallery = np.array([[0.0], [0.0], [0.0], [3.0]], np.float32)
    assert nearest_other(gallery, gallery, np.arange(4)).tolist() == [1, 0, 0, 0]


def test_flat_vectors_are_compared_whatever_their_parts():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6, 4, 3)).astype(np.float32)
    parts = matched(features, SUBJECTS, CONDITIONS, ("cl", "nm"))
    flat = matched(features.reshape(6, 1, 12), SUBJECTS, CONDITIONS, ("cl", "nm"))
    assert parts.tolist() == flat.tolist()


@pytest.mark.parametrize("pair", [("bg", "nm"), ("nm", "bg")])
def test_a_condition_without_sequences_is_named(pair):
    with pytest.raises(GaitError, match="no sequences of the condition 'bg'"):
        matched(FEATURES, SUBJECTS, CONDITIONS, pair)


def test_a_gallery_of_the_probe_alone_is_refused():
    with pytest.raises(GaitError, match="nothing but the probe itself"):
        matched(FEATURES[:1], SUBJECTS[:1], CONDITIONS[:1], ("nm", "nm"))
