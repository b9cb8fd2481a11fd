"""Cross-entropy of every part's classifier."""

import numpy as np
import pytest
from keras import ops

from keras_gait.losses import PartsCrossentropy

pytestmark = pytest.mark.backend


def per_sample(targets, predictions, **settings):
    loss = PartsCrossentropy(reduction=None, **settings)
    targets, predictions = (ops.convert_to_tensor(np.asarray(x, "float32")) for x in (targets, predictions))
    return ops.convert_to_numpy(loss(targets, predictions)).tolist()


def test_equal_logits_cost_the_log_of_the_number_of_classes():
    assert per_sample([[0, 1, 0, 0]], np.zeros((1, 3, 4))) == pytest.approx([np.log(4)])


def test_the_value_of_a_sample_is_the_mean_over_its_parts():
    probabilities = [[[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [1.0, 0.0]]]
    found = per_sample([[1, 0], [1, 0]], probabilities, from_logits=False)
    assert found == pytest.approx([1.5 * np.log(2), 0.0], abs=1e-6)


def test_mixed_targets_weigh_both_classes():
    found = per_sample([[0.75, 0.25]], [[[0.5, 0.25]]], from_logits=False)
    assert found == pytest.approx([0.75 * np.log(2) + 0.25 * np.log(4)])


def test_a_probability_of_zero_is_clipped():
    assert per_sample([[1, 0]], [[[0.0, 1.0]]], from_logits=False) == pytest.approx([-np.log(1e-7)])


def test_logits_and_their_probabilities_cost_the_same():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(4, 3, 5)), rng.dirichlet(np.ones(5), 4)
    exponentials = np.exp(logits)
    probabilities = exponentials / exponentials.sum(-1, keepdims=True)
    assert per_sample(targets, logits) == pytest.approx(
        per_sample(targets, probabilities, from_logits=False), rel=1e-5
    )


def test_the_loss_is_the_mean_over_the_batch():
    logits = np.array([[[0.0, 0.0]], [[100.0, 0.0]]], "float32")
    targets = np.array([[1, 0], [1, 0]], "float32")
    total = PartsCrossentropy()(ops.convert_to_tensor(targets), ops.convert_to_tensor(logits))
    assert float(ops.convert_to_numpy(total)) == pytest.approx(np.log(2) / 2)


def test_settings_survive_the_config():
    assert (
        PartsCrossentropy.from_config(PartsCrossentropy(from_logits=False).get_config()).from_logits is False
    )
