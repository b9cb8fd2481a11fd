"""Mean attention matrices of SGE: means over all sequences, drawn with the diagonal on the right side."""

import cv2
import keras
import numpy as np
import pytest
from skeleton_sets import write_sets

from keras_gait.data.opening import open_dataset
from keras_gait.evaluation import attention_matrices as subject
from keras_gait.models import SGE

TINY = {"frames": 4, "joints": 5, "units": 3}


def test_the_mean_is_that_of_all_sequences_however_they_are_batched(tmp_path, monkeypatch):
    write_sets(tmp_path, joints=5)
    dataset = open_dataset(tmp_path / "tfimdb_ias_N003_test_skeleton_f4")
    keras.utils.set_random_seed(0)
    model = SGE(**TINY)
    maps = model.attention_maps(dataset.read_many(np.arange(len(dataset))))
    monkeypatch.setattr(subject, "BATCH", 8)  # of 18 sequences
    means = subject.mean_attention(model, dataset)
    assert list(means) == ["rev_rec-x", "rev_rec-y", "rev_rec-z"]
    for name, matrix in means.items():
        assert np.allclose(matrix, keras.ops.convert_to_numpy(maps[name]).mean(axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "backwards"),
    [
        ({}, ["rev_rec"]),
        ({"locality": "forward"}, []),
        ({"pretext": "prediction"}, ["prediction"]),  # the published mask runs backwards for every task
        ({"pretext": "rev_rec_plus"}, ["rev_rec"]),  # the other two have no mask: as they rebuild
    ],
)
def test_the_diagonal_follows_locality(options, backwards):
    assert subject.backward_tasks(SGE(**TINY, **options)) == backwards


def test_the_picture_shows_the_diagonal_of_each_task():
    flat = np.full((6, 6), 1 / 6)
    means = {f"{task}-{axis}": flat for task in ("rev_rec", "sorting") for axis in "xyz"}
    picture = cv2.imdecode(np.frombuffer(subject.attention_matrices(means, ["rev_rec"]), np.uint8), 1)
    orange = (np.abs(picture.astype(int) - (0x0F, 0x48, 0xD9)) < 40).all(axis=-1)
    rows, columns = np.nonzero(orange)
    upper = rows < picture.shape[0] // 2
    left = columns < picture.shape[1] // 4  # the matrices of x
    falling = [np.corrcoef(rows[part & left], columns[part & left])[0, 1] for part in (upper, ~upper)]
    assert falling[0] < -0.95  # backwards: to the right it rises, so its row falls
    assert falling[1] > 0.95
