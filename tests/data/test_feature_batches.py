"""Batches of rows of a feature file: which rows, in which order, and that only they are read."""

import tracemalloc

import numpy as np
import pytest

from keras_gait.data.feature_batches import FeatureBatches
from keras_gait.errors import GaitError

LABELS = np.arange(10) * 7


def features(n=10, parts=3, dim=2):
    """Value 1 tells the sequence, value 2 the part."""
    values = np.zeros((n, parts, dim), np.float32)
    values[..., 0], values[..., 1] = np.arange(n)[:, None], np.arange(parts)
    return values


def rows_of(batches, first, count):
    return [tuple(row) for n in range(first, first + count) for row in batches[n][0].astype(int).tolist()]


def test_every_row_is_seen_once_each_pass_with_its_label():
    batches = FeatureBatches(features(), LABELS, batch_size=8)
    steps = batches.sampler.steps_per_epoch
    assert steps == 4  # 30 rows: three full batches and one of 6
    assert [len(batches[n][0]) for n in range(steps)] == [8, 8, 8, 6]
    one, other = rows_of(batches, 0, steps), rows_of(batches, steps, steps)
    assert sorted(one) == sorted(other) == [(n, part) for n in range(10) for part in range(3)]
    assert one != other
    rows, labels, targets = batches[2]
    assert (rows.dtype, labels.dtype, targets) == (np.float32, np.int32, None)
    np.testing.assert_array_equal(labels, rows[:, 0] * 7)


def test_published_rows_keep_one_order_and_drop_the_rest():
    batches = FeatureBatches(features(), LABELS, batch_size=8, published=True, seed=3)
    assert batches.sampler.steps_per_epoch == 3
    one = rows_of(batches, 0, 3)
    assert len(set(one)) == 24
    assert one == rows_of(batches, 3, 3) == rows_of(batches, 300, 3)
    assert one != sorted(one)
    assert one != rows_of(FeatureBatches(features(), LABELS, 8, published=True, seed=4), 0, 3)


@pytest.mark.parametrize("published", [False, True])
def test_chosen_sequences_alone_take_part_as_often_as_they_are_given(published):
    batches = FeatureBatches(features(), LABELS, 3, published=published, sequences=[4, 9, 9])
    found = sorted(rows_of(batches, 0, 3))
    assert found == [(4, 0), (4, 1), (4, 2)] + [(9, part) for part in (0, 0, 1, 1, 2, 2)]
    assert {int(label) for n in range(3) for label in batches[n][1]} == {28, 63}


def test_a_batch_is_the_same_whenever_it_is_asked_for():
    one, other = (FeatureBatches(features(), LABELS, 8) for _ in range(2))
    forwards = [one[n][0] for n in range(9)]
    for n in reversed(range(9)):
        np.testing.assert_array_equal(other[n][0], forwards[n])


def test_the_stream_tells_the_width_and_goes_on_from_a_number():
    batches = FeatureBatches(features(), LABELS, 8, label_outputs=("logits",))
    stream = batches.to_tf_data(first=2)
    assert stream.element_spec[0].shape.as_list() == [None, 2]
    for n, (rows, wanted) in zip(range(2, 7), stream, strict=False):
        np.testing.assert_array_equal(rows, batches[n][0])
        np.testing.assert_array_equal(wanted["logits"], batches[n][1])


def test_the_file_is_not_read_into_memory(tmp_path):
    path = tmp_path / "features.npy"
    np.save(path, np.zeros((20000, 1, 200), np.float32))  # 16 MB
    mapped = np.load(path, mmap_mode="r")
    tracemalloc.start()
    batches = FeatureBatches(mapped, np.zeros(20000, int))
    for n in range(5):
        assert batches[n][0].shape == (128, 200)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


def test_features_of_another_data_set_are_refused():
    with pytest.raises(GaitError, match=r"shape \(10, 3, 2\) do not go with 9 labels"):
        FeatureBatches(features(), LABELS[:9])
    with pytest.raises(GaitError, match="expected \\(sequences, parts, numbers\\)"):
        FeatureBatches(features()[:, 0], LABELS)


def test_too_few_rows_for_a_published_batch_are_refused():
    with pytest.raises(GaitError, match="30 rows, too few for a batch of 31"):
        FeatureBatches(features(), LABELS, 31, published=True)
    assert len(FeatureBatches(features(), LABELS, 31)[0][0]) == 30
