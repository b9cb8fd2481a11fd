"""Skeletons from a joint, into a range, as they are."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import SkeletonNormalisation

X = np.float32([[[1, 3, 0], [2, 2, 7]], [[5, 4, 6], [0, 1, 2]]])  # two sequences, two frames, three joints


@pytest.mark.backend
def test_each_rule_is_its_formula():
    def run(layer):
        return ops.convert_to_numpy(layer(X)).tolist()

    assert run(SkeletonNormalisation("none")) == X.tolist()
    assert run(SkeletonNormalisation("joint")) == [[[0, 2, -1], [0, 0, 5]], [[0, -1, 1], [0, 1, 2]]]
    scaled = SkeletonNormalisation("range")
    assert run(scaled) == X.tolist()  # before it is told a range
    scaled.set_range([[1, 3, 0], [0, 1, 2]], [[4, 4, 7], [3, 4, 6]])
    assert run(scaled) == [[[0, 0, 0], [0.5, 0.25, 1]], [[1, 0.5, 0.75], [0, 0, 0]]]
    assert not scaled.trainable_weights


def test_an_unknown_rule_and_a_range_upside_down_are_refused():
    with pytest.raises(ValueError, match=r"rule must be none, joint or range\. Received: rule='mean'"):
        SkeletonNormalisation("mean")
    layer = SkeletonNormalisation("range")
    layer.build((None, 1, 2))
    for high in ([[0, 3]], [[np.nan, 3]]):
        with pytest.raises(ValueError, match="low must not be above high"):
            layer.set_range([[1, 2]], high)
