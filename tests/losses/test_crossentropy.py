"""Cross-entropy of every part's classifier."""

import numpy as np
import pytest
from keras import ops

from keras_gait.losses import PartsCrossentropy, parts_accuracy

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
    loss = PartsCrossentropy(scale=16.0, label_smoothing=0.1)
    again = PartsCrossentropy.from_config(loss.get_config())
    assert (again.from_logits, again.scale, again.label_smoothing) == (True, 16.0, 0.1)
    assert not PartsCrossentropy.from_config(PartsCrossentropy(False).get_config()).from_logits


def test_a_scale_multiplies_the_logits():
    found = per_sample([[1, 0]], [[[0.125, 0.0]]], scale=16.0)
    assert found == pytest.approx([np.log(1 + np.exp(-2))])


def test_smoothing_gives_every_class_its_share():
    # of four classes at smoothing 0.4: 0.7 for the right one, 0.1 for each other
    found = per_sample([[0, 1, 0, 0]], [[[0.2, 0.4, 0.2, 0.2]]], from_logits=False, label_smoothing=0.4)
    assert found == pytest.approx([-0.7 * np.log(0.4) - 0.3 * np.log(0.2)])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": 0}, "scale=0, from_logits=True"),
        ({"scale": 16, "from_logits": False}, "scale=16, from_logits=False"),
        ({"label_smoothing": 1.0}, r"label_smoothing=1\.0"),
        ({"label_smoothing": -0.1}, r"label_smoothing=-0\.1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=f"Received: {message}"):
        PartsCrossentropy(**settings)


def test_accuracy_counts_every_part_of_every_sample():
    logits = np.array([[[2, 1, 0], [0, 1, 0]], [[0, 0, 9], [1, 0, 3]]], "float32")
    targets = np.eye(3, dtype="float32")[[0, 2]]
    found = parts_accuracy(ops.convert_to_tensor(targets), ops.convert_to_tensor(logits))
    assert float(ops.convert_to_numpy(found)) == 0.75
