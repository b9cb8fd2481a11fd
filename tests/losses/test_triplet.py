"""The triplet losses, on points of a line whose distances one sees."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_gait.layers import PartsLinear
from keras_gait.losses import BatchAllTriplet, BatchHardTriplet, MarginState, triplet_statistics
from keras_gait.losses.triplet import pairwise_distances

pytestmark = pytest.mark.backend

LINE = np.array([0.0, 1.0, 3.0], "float32").reshape(3, 1, 1)  # (batch, parts, channels)
LABELS = np.array([0, 0, 1])  # two samples of one subject, one of another


def values(loss, labels, embeddings):
    """The loss of each part."""
    tensor = ops.convert_to_tensor(np.asarray(embeddings, "float32"))
    return ops.convert_to_numpy(loss.per_part(ops.convert_to_tensor(labels), tensor)).tolist()


def slope(loss, labels, embeddings):
    labels = ops.convert_to_tensor(labels)
    return gradient(lambda x: ops.sum(loss.per_part(labels, x)), np.asarray(embeddings, "float32"))


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        (2.0, 1.0),  # only anchor 1, positive 0, negative 3: 2 + 1 - 2
        (3.0, 5 / 4),  # anchor 0: 0, 1; anchor 1: 1, 2; anchor 3: 0, 1; four are above 0
    ],
)
def test_the_mean_is_over_the_active_triplets_of_unequally_many_samples(margin, expected):
    assert values(BatchAllTriplet(margin), LABELS, LINE) == pytest.approx([expected])


def test_labels_may_be_a_column():
    assert values(BatchAllTriplet(2.0), LABELS[:, None], LINE) == pytest.approx([1.0])


def test_the_order_of_the_samples_does_not_matter():
    order = [2, 0, 1]
    assert values(BatchAllTriplet(3.0), LABELS[order], LINE[order]) == pytest.approx([5 / 4])


def test_every_part_has_its_own_triplets_and_the_loss_is_their_mean():
    parts = np.concatenate([LINE, 100 * LINE], axis=1)
    assert values(BatchAllTriplet(2.0), LABELS, parts) == pytest.approx([1.0, 0.0])
    total = BatchAllTriplet(2.0)(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(parts))
    assert float(ops.convert_to_numpy(total)) == pytest.approx(0.5)


def test_without_an_active_triplet_loss_and_gradient_are_zero():
    loss = BatchAllTriplet(0.2)
    assert values(loss, LABELS, LINE) == [0.0]
    assert not slope(loss, LABELS, LINE).any()


def test_a_single_subject_gives_no_loss():
    assert values(BatchAllTriplet(), [0, 0, 0], LINE) == [0.0]


def test_identical_samples_cost_the_margin_and_have_no_gradient():
    loss, same = BatchAllTriplet(0.2), np.full((4, 2, 3), 0.7, "float32")
    assert values(loss, [0, 0, 1, 1], same) == pytest.approx([0.2, 0.2])
    assert np.array_equal(slope(loss, [0, 0, 1, 1], same), np.zeros_like(same))


def test_the_gradient_pulls_the_subject_together_and_the_others_away():
    # the one active triplet: 2 + |x1 - x0| - |x1 - x2|
    assert slope(BatchAllTriplet(2.0), LABELS, LINE).ravel().tolist() == pytest.approx([-1, 2, -1])


def test_the_soft_margin_is_the_softplus_of_the_gap():
    points = np.array([0.0, 1.0], "float32").reshape(2, 1, 1)
    assert values(BatchAllTriplet(soft=True), [0, 1], points) == pytest.approx([np.log(1 + np.exp(-1))])


def test_normalised_descriptors_have_length_one():
    points = np.array([[3.0, 0.0], [0.0, 5.0]], "float32").reshape(2, 1, 2)
    loss = BatchAllTriplet(2.0, normalise="descriptor")
    assert values(loss, [0, 1], points) == pytest.approx([2 - 2**0.5])


def test_the_published_normalisation_runs_over_the_batch():
    points = np.array([3.0, 4.0], "float32").reshape(2, 1, 1)  # become 0.6 and 0.8
    assert values(BatchAllTriplet(1.0, normalise="batch"), [0, 1], points) == pytest.approx([1 - 0.2])


def test_another_normalisation_is_refused():
    with pytest.raises(ValueError, match="'channel'"):
        BatchAllTriplet(normalise="channel")


def test_blocks_equal_the_mean_over_separate_batches():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(8, 3, 4)).astype("float32"), np.array([0, 0, 1, 1, 0, 0, 2, 2])
    halves = [values(BatchAllTriplet(1.0), labels[i : i + 4], x[i : i + 4]) for i in (0, 4)]
    both = values(BatchAllTriplet(1.0, blocks=2), labels, x)
    assert both == pytest.approx(np.mean(halves, axis=0).tolist())
    assert both != pytest.approx(values(BatchAllTriplet(1.0), labels, x))


def test_distances_are_euclidean_and_exactly_zero_between_equals():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.1, 0.7], [0.1, 0.7]], "float32")
    distances = ops.convert_to_numpy(pairwise_distances(ops.convert_to_tensor(points)))
    assert distances[0, 1] == 5.0
    assert distances[2, 3] == distances[0, 0] == 0.0


def test_a_margin_grows_by_a_tenth_after_more_than_100_idle_calls():
    state = MarginState(2, 0.2)
    loss = BatchAllTriplet(state=state)
    parts = np.concatenate([0.01 * LINE, LINE], axis=1)  # the first part is always active
    for _ in range(100):
        loss.per_part(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(parts))
    np.testing.assert_allclose(ops.convert_to_numpy(state.margins), [0.2, 0.2])
    loss.per_part(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(parts))
    np.testing.assert_allclose(ops.convert_to_numpy(state.margins), [0.2, 0.3])
    assert ops.convert_to_numpy(state.idle).tolist() == [0, 0]


def test_the_margin_of_the_state_is_the_one_that_counts():
    assert values(BatchAllTriplet(0.0, state=MarginState(1, 2.0)), LABELS, LINE) == pytest.approx([1.0])


def test_a_margin_grows_inside_fit():
    inputs = keras.Input((1, 1))
    model = keras.Model(inputs, PartsLinear(1)(inputs))
    model.layers[-1].kernel.assign(np.ones((1, 1, 1)))
    model.margin_state = MarginState(1, 0.2)
    model.compile("sgd", loss=BatchAllTriplet(state=model.margin_state))
    steps = 101
    model.fit(np.tile(LINE, (steps, 1, 1)), np.tile(LABELS, steps), batch_size=3, shuffle=False, verbose=0)
    assert ops.convert_to_numpy(model.margin_state.margins).tolist() == pytest.approx([0.3])


def statistics(loss, labels, embeddings):
    tensor = ops.convert_to_tensor(np.asarray(embeddings, "float32"))
    found = triplet_statistics(loss, ops.convert_to_tensor(labels), tensor)
    return {name: ops.convert_to_numpy(value).tolist() for name, value in found.items()}


def test_the_statistics_tell_of_every_part():
    parts = np.concatenate([LINE, 10 * LINE], axis=1)
    # the terms 0, 1, 1, 2, 0, 1 of above; the distances 0 (three times), 1, 2 and 3 (twice each)
    assert statistics(BatchAllTriplet(3.0), LABELS, parts) == {
        "loss": pytest.approx([5 / 4, 0.0]),
        "hard_loss": pytest.approx([2.0, 0.0]),
        "loss_num": [4, 0],
        "mean_dist": pytest.approx([12 / 9, 120 / 9]),
    }


def test_statistics_of_blocks_are_those_of_both_halves():
    both = np.concatenate([LINE, 2 * LINE])
    labels = np.concatenate([LABELS, LABELS])
    found = statistics(BatchAllTriplet(3.0, blocks=2), labels, both)
    assert found["loss_num"] == [4 + 1]  # of the second half only 3 + 2 - 4
    assert found["mean_dist"] == pytest.approx([18 / 9])


def test_statistics_leave_an_adaptive_margin_alone():
    state = MarginState(1, 0.2)
    statistics(BatchAllTriplet(state=state), LABELS, LINE)
    assert ops.convert_to_numpy(state.idle).tolist() == [0]


def test_settings_survive_the_config():
    loss = BatchAllTriplet(0.3, soft=True, normalise="descriptor", blocks=2)
    again = BatchAllTriplet.from_config(loss.get_config())
    assert (again.margin, again.soft, again.normalise, again.blocks) == (0.3, True, "descriptor", 2)


def test_a_soft_margin_cannot_be_adaptive():
    with pytest.raises(ValueError, match="soft has no margin, so none that could be adaptive"):
        BatchAllTriplet(soft=True, state=MarginState(2, 0.2))


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        (2.0, 1 / 3),  # anchor 0: 2 + 1 - 3; anchor 1: 2 + 1 - 2; anchor 3, its own positive: 2 + 0 - 2
        (3.0, 4 / 3),  # 1, 2 and 1
    ],
)
def test_the_hard_loss_is_the_mean_over_anchors_of_the_hardest_triplet(margin, expected):
    assert values(BatchHardTriplet(margin), LABELS, LINE) == pytest.approx([expected])
    assert values(BatchHardTriplet(margin), LABELS[:, None], LINE) == pytest.approx([expected])


def test_the_hard_loss_takes_the_farthest_positive_and_the_nearest_negative():
    points = np.array([0.0, 1.0, 4.0, 6.0, 7.0], "float32").reshape(5, 1, 1)
    # anchors 0, 1, 4 of one subject: 4 - 6, 3 - 5, 4 - 2; 6 and 7: 1 - 2, 1 - 3
    assert values(BatchHardTriplet(0.5), [0, 0, 0, 1, 1], points) == pytest.approx([2.5 / 5])


def test_the_hard_loss_has_a_value_for_every_part_and_is_their_mean():
    parts = np.concatenate([LINE, 100 * LINE], axis=1)
    assert values(BatchHardTriplet(2.0), LABELS, parts) == pytest.approx([1 / 3, 0.0])
    total = BatchHardTriplet(2.0)(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(parts))
    assert float(ops.convert_to_numpy(total)) == pytest.approx(1 / 6)


def test_a_single_subject_or_distant_ones_give_no_hard_loss():
    for labels, margin in (([0, 0, 0], 5.0), (LABELS, 0.2)):
        assert values(BatchHardTriplet(margin), labels, LINE) == [0.0]
        assert not slope(BatchHardTriplet(margin), labels, LINE).any()


def test_the_hard_gradient_is_that_of_the_hardest_triplets():
    # of three anchors one is active, 2 + |x1 - x0| - |x1 - x2|
    expected = np.array([-1, 2, -1]) / 3
    assert slope(BatchHardTriplet(1.9), LABELS, LINE).ravel().tolist() == pytest.approx(expected.tolist())


def test_the_only_negative_of_a_batch_is_pushed_away_in_full():
    points = np.array([0.0, 1.0], "float32").reshape(2, 1, 1)
    assert slope(BatchHardTriplet(2.0), [0, 1], points).ravel().tolist() == pytest.approx([1, -1])


def test_identical_samples_cost_the_hard_margin_and_have_no_gradient():
    same = np.full((4, 2, 3), 0.7, "float32")
    assert values(BatchHardTriplet(), [0, 0, 1, 1], same) == pytest.approx([0.2, 0.2])
    assert not slope(BatchHardTriplet(), [0, 0, 1, 1], same).any()


def test_the_hard_margin_survives_the_config():
    assert BatchHardTriplet.from_config(BatchHardTriplet(0.3).get_config()).margin == 0.3
