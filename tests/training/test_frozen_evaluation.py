"""What is told of an encoder while it learns without labels."""

import csv
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_gait.data.dataset import GaitDataset
from keras_gait.training.frozen_evaluation import SEQUENCES, FrozenEvaluation, measures_of


class Store:
    """Sequences whose pixels are the number of their person."""

    def __init__(self, subjects):
        self.subjects = subjects

    def read(self, row, start, count):
        return np.full((count, 2, 2, 1), int(self.subjects[row]) % 256, np.uint8)


def walks(*rows, frames=3):
    """A data set of rows such as ``"1 nm-01 090"``."""
    subject, kind, view = zip(*(row.split(" ") for row in rows), strict=True)
    condition, video = zip(*(name.split("-") for name in kind), strict=True)
    index = {"subject": subject, "condition": condition, "video": video, "view": view}
    index["frames"] = np.broadcast_to(frames, len(rows))
    info = {"frame_shape": (2, 2, 1), "dtype": "uint8"}
    return GaitDataset("set", info, index, Store(subject), "digest")


@keras.saving.register_keras_serializable("tests")
class Encoder(keras.Model):
    """Mean pixels; what is trained has one as its product."""

    masks_padding = False

    def __init__(self, **kwargs):
        inputs = keras.Input((None, 2, 2, 1))
        means = keras.ops.mean(inputs, axis=(1, 4))
        super().__init__(inputs, keras.layers.Reshape((1, 4))(means), **kwargs)

    @property
    def encoder(self):
        return keras.Model(self.input, self.output)

    def get_config(self):
        return {}


TWO = ("1 nm-01 000", "1 nm-02 000", "1 nm-02 090", "2 nm-01 000", "2 nm-02 000", "2 nm-02 090")


def evaluation(folder, dataset, done=0, every=1, verbose=1, **options):
    callback = FrozenEvaluation(folder, done, dataset, every, verbose, **options)
    callback.set_model(SimpleNamespace(product=Encoder(), stop_training=False))
    return callback


def test_people_who_lie_apart_are_recognised(tmp_path, capsys):
    callback = evaluation(tmp_path, walks(*TWO))
    assert callback.logged == ("knn", "linear", "embedding_std", "embedding_rank")
    logs = {"loss": 1.0}
    callback.on_epoch_end(4, logs)
    # (1, 1, 1, 1) and (2, 2, 2, 2) differ in length alone, so that they point one way
    assert logs == {"loss": 1, "knn": 1, "linear": 1, "embedding_std": 0, "embedding_rank": pytest.approx(1)}
    assert capsys.readouterr().out == (
        "\nepoch 5, 6 sequences held out: knn 1.0000, linear 1.0000, embedding_std 0.0000, "
        "embedding_rank 1.0000\n"
    )


def test_the_encoder_before_training_and_its_figures_are_kept(tmp_path, capsys):
    evaluation(tmp_path, walks(*TWO)).on_train_begin()
    assert capsys.readouterr().out.startswith("\nbefore training, 6 sequences held out: knn 1.0000, ")
    (row,) = csv.DictReader((tmp_path / "before-training.csv").open())
    assert list(map(float, row.values())) == pytest.approx([1, 1, 0, 1])
    kept = keras.saving.load_model(tmp_path / "model-state-0000.keras")
    assert kept(np.ones((1, 3, 2, 2, 1))).shape == (1, 1, 4)


def test_a_run_that_goes_on_does_not_measure_again_what_was_before(tmp_path, capsys):
    evaluation(tmp_path, walks(*TWO), done=2).on_train_begin()
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""


def test_only_every_second_epoch_is_looked_at_and_none_after_a_nan(tmp_path):
    callback = evaluation(tmp_path, walks(*TWO), every=2)
    for epoch, names in ((0, 0), (1, 4), (2, 0)):
        logs = {}
        callback.on_epoch_end(epoch, logs)
        assert len(logs) == names
    callback.model.stop_training = True
    callback.on_epoch_end(3, logs)
    assert not logs


def knn(rows, places):
    measures, missing = measures_of(walks(*rows), True)
    assert not missing
    return measures["knn"](np.array(places, "float32").reshape(-1, 1, 1))


def test_a_walk_seen_by_another_camera_is_no_neighbour_of_itself():
    rows = [f"{person} nm-0{walk} {view}" for person in (1, 2) for walk in (1, 2) for view in ("000", "090")]
    # each is nearest to its own walk's other view, and a walk of the other person comes next
    assert knn(rows, [0.0, 0.1, 10.0, 10.1, 1.0, 1.1, 11.0, 11.1]) == 0
    assert knn(rows, [0.0, 0.1, 1.0, 1.1, 10.0, 10.1, 11.0, 11.1]) == 1


def test_in_one_view_the_nearest_of_another_walk_counts():
    rows = [row for row in TWO if row.endswith("000")]
    assert knn(rows, [0.0, 0.1, 10.0, 10.1]) == 1
    assert knn(rows, [0.0, 10.0, 0.1, 10.1]) == 0


def test_where_nobody_has_another_walk_of_another_view_views_do_not_count():
    rows = ("1 nm-01 000", "1 nm-02 000", "2 nm-01 090", "2 nm-02 090")
    assert knn(rows, [0.0, 0.1, 10.0, 10.1]) == 1
    assert knn(rows, [0.0, 10.0, 0.1, 10.1]) == 0


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (("1 nm-01 000", "1 nm-01 090", "2 nm-01 000"), "no person held out has two walks: neither nearest"),
        (("1 nm-01 000", "1 nm-02 000"), "one person alone of those held out has usable sequences: neither"),
    ],
)
def test_what_the_people_held_out_do_not_give_is_left_out_and_told(tmp_path, capsys, rows, told):
    callback = evaluation(tmp_path, walks(*rows))
    callback.on_train_begin()
    callback.on_epoch_end(0, logs := {})
    assert list(logs) == ["embedding_std", "embedding_rank"] == list(callback.logged)
    assert capsys.readouterr().out.startswith(told)


def test_without_people_held_out_the_spread_of_some_training_sequences_is_told(tmp_path, capsys):
    dataset = walks(*(f"{person} nm-01 000" for person in range(1, 2 * SEQUENCES + 1)), frames=1)
    callback = evaluation(tmp_path, dataset, held_out=False)
    callback.on_train_begin()
    assert callback.logged == ("embedding_std", "embedding_rank")
    first, _, line = capsys.readouterr().out.splitlines()
    assert "train.validation_subjects 0" in first
    assert line.startswith("before training, 256 sequences of the training set: embedding_std ")
    assert callback.dataset.subject[[0, -1]].tolist() == ["1", str(2 * SEQUENCES)]


def test_sequences_without_frames_are_passed_over(tmp_path, capsys):
    dataset = walks(*TWO, frames=[0, 3, 3, 3, 3, 3])
    assert len(evaluation(tmp_path, dataset).dataset) == 5
    callback = evaluation(tmp_path, walks(*TWO, frames=0))
    callback.on_train_begin()
    callback.on_epoch_end(0, logs := {})
    assert not logs
    assert "0 usable sequences of set: the embeddings are not evaluated" in capsys.readouterr().out
    assert (tmp_path / "model-state-0000.keras").exists()


def test_nothing_is_printed_where_the_run_is_quiet(tmp_path, capsys):
    callback = evaluation(tmp_path, walks(*TWO), verbose=0)
    callback.on_train_begin()
    callback.on_epoch_end(0, {})
    assert capsys.readouterr().out == ""
