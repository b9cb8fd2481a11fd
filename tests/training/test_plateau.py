"""SGE's stop rule: when the rate is halved, when a rise is the end, and that a stop forgets nothing."""

import numpy as np
import pytest

from keras_gait.training.checkpointing import History
from keras_gait.training.plateau import HalveAndStop, Plateau


def what_happens(losses):
    """Epochs (from 0) at which the rate is halved, and the first at which the training ends or None."""
    rule, halved = Plateau(), []
    for epoch, loss in enumerate(losses):
        if rule.add(loss):
            halved.append(epoch)
        if rule.ended:
            return halved, epoch
    return halved, None


@pytest.mark.parametrize(
    ("losses", "halved", "end"),
    [
        ([3.0, 2.0, 1.0, 5.0, 9.0], [], None),  # a rise alone is no end
        ([1.0, 1.0, 1.0], [2], None),
        ([1.000001, 1.000002, 1.000003], [2], None),  # five decimals agree
        ([1.00001, 1.00002, 1.00003], [], None),
        ([1.0, 1.0], [], None),
        ([1.0, 1.0, 1.0, 0.9, 0.8, 0.85, 0.7, 0.95], [2], 7),  # 0.85 is below 0.9
        ([1.0, 1.0, 1.0, 1.1], [2], 3),
        ([1.0, 1.0, 1.0, 1.0, 0.5, 0.4, 0.3], [2, 3], None),
    ],
)
def test_the_rule(losses, halved, end):
    assert what_happens(losses) == (halved, end)


class Stub:
    """What the callback needs of a model."""

    class Optimizer:
        learning_rate = np.float32(0.5)

    def __init__(self):
        self.optimizer, self.stop_training = self.Optimizer(), False


def play(folder, losses, done=0, title=None):
    """Epochs from ``done`` on with these validation losses -> the callback and the model."""
    callback = HalveAndStop("val", folder / "history.csv", done, title)
    model = Stub()
    history = History(folder / "history.csv", done, ("val",))
    for each in (callback, history):
        each.set_model(model)
    for epoch, loss in enumerate(losses[done:], start=done):
        logs = {"loss": 1.0, "val": loss}
        callback.on_epoch_end(epoch, logs)
        history.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    return callback, model


def test_the_rate_is_halved_and_the_end_is_told(tmp_path, capsys):
    callback, model = play(tmp_path, [2.0, 2.0, 2.0, 1.0, 2.5, 3.0], title="sorting-y")
    assert float(model.optimizer.learning_rate) == 0.25
    assert (callback.satisfied, callback.ended, model.stop_training) == (True, 5, True)
    assert capsys.readouterr().out.splitlines() == [
        "sorting-y epoch 3: losses agree, learning rate 0.25",
        "sorting-y epoch 5: the loss rises after the rate was halved, which ends the training",
    ]


# the first three agree to five decimals, which six digits would not tell from the second case
@pytest.mark.parametrize(("third", "ended"), [(1234.567894, 5), (1234.56792, None)])
def test_a_run_that_goes_on_judges_as_one_that_was_not_stopped(tmp_path, third, ended):
    losses = [1234.567891, 1234.567892, third, 1000.0, 2000.0]
    play(tmp_path, losses[:3])
    callback, _ = play(tmp_path, losses, done=3)
    assert (callback.ended if callback.satisfied else None) == ended


def test_a_run_that_had_ended_knows_it(tmp_path):
    losses = [2.0, 2.0, 2.0, 2.5]
    play(tmp_path, losses)
    assert HalveAndStop("val", tmp_path / "history.csv", 4).satisfied
    assert not HalveAndStop("val", tmp_path / "history.csv", 3).satisfied
