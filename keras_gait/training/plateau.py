"""SGE's stop rule (spec, section 6): the rate is halved on a plateau; after that, a rise is the end."""

import csv

import keras

from keras_gait.training.checkpointing import to_numpy

WINDOW = 3  # epochs that are compared
DECIMALS = 5  # to which losses agree on a plateau


class Plateau:
    """The rule itself, on one validation loss an epoch.

    When the last three losses agree to five decimals, the learning rate is to be halved. Once that has
    happened, the first loss that is the largest of the last three is the end. (In the published code the
    halved rate is overridden, and the end is never reached.)
    """

    def __init__(self):
        self.losses, self.halved, self.ended = [], False, False

    def add(self, loss):
        """Note an epoch's loss; whether the rate is to be halved now."""
        self.losses = [*self.losses[1 - WINDOW :], loss]
        if len(self.losses) < WINDOW:
            return False
        if len({round(each, DECIMALS) for each in self.losses}) == 1:
            self.halved = True
            return True
        self.ended |= self.halved and loss == max(self.losses)
        return False


class HalveAndStop(keras.callbacks.Callback):
    """`Plateau` on the value ``monitored`` of an epoch's logs.

    Args:
        monitored: a value that another callback before this one logs.
        history: ``history.csv`` of the run, where that value lies for the epochs ``done`` before.
        title: what a printed line begins with; None prints nothing.
    """

    logged = ()

    def __init__(self, monitored, history, done, title=None):
        super().__init__()
        self.monitored, self.title, self.rule, self.ended = monitored, title, Plateau(), done
        for row in rows_before(history, done):
            self.rule.add(float(row[monitored]))

    @property
    def satisfied(self):
        return self.rule.ended

    def on_epoch_end(self, epoch, logs=None):
        self.ended = epoch + 1
        if self.rule.add(logs[self.monitored]):
            optimizer = self.model.optimizer
            optimizer.learning_rate = float(to_numpy(optimizer.learning_rate)) / 2
            self._tell(epoch, f"losses agree, learning rate {float(to_numpy(optimizer.learning_rate)):g}")
        if self.satisfied:
            self.model.stop_training = True
            self._tell(epoch, "the loss rises after the rate was halved, which ends the training")

    def _tell(self, epoch, what):
        if self.title:
            print(f"{self.title} epoch {epoch + 1}: {what}")


def rows_before(history, done):
    """The rows of ``history.csv`` of the first ``done`` epochs, dicts of text."""
    if not done:
        return []
    with history.open() as file:
        return [row for row in csv.DictReader(file) if int(row["epoch"]) < done]
