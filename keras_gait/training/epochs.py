"""The epochs of a run, whatever is trained: what ``model.fit`` is given, and what is kept at their ends."""

import keras

from keras_gait.errors import GaitError
from keras_gait.training.checkpointing import History, KeepState, SaveState, not_finite


def epochs_of(train):
    """How many epochs the iterations of a recipe's section ``train`` are."""
    iterations, steps = train["iterations"], train["steps_per_epoch"]
    if iterations % steps:
        raise GaitError(
            f"train.iterations {iterations} must be a multiple of train.steps_per_epoch {steps}: an epoch is "
            "what a run that goes on can start from"
        )
    return iterations // steps


def run_epochs(model, batches, first, last, steps, folder, train, own=()):
    """Train a compiled model for the epochs from ``first`` (counted from 0) to before ``last``.

    Args:
        batches: see `keras_gait.data.pipeline.Batches`; epoch ``n`` takes those from number ``n * steps``.
        folder: of the run, for ``history.csv``, its state and TensorBoard.
        train: the recipe's section of that name.
        own: further callbacks; each has ``logged``, the names of values that it adds in some epochs. One that
            ends the run early has ``satisfied``, which is then true.

    Raises:
        GaitError: the loss became infinite or NaN.
    """
    callbacks = [
        KeepState(model),
        *own,
        History(folder / "history.csv", first, [name for each in own for name in each.logged]),
        keras.callbacks.TerminateOnNaN(),
        SaveState(folder, train["save_epoch"]),
        keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False),
    ]
    with batches.own_errors():
        model.fit(
            batches.to_tf_data(first * steps),
            initial_epoch=first,
            epochs=last,
            steps_per_epoch=steps,
            callbacks=callbacks,
            verbose=train["verbose"],
            shuffle=False,
        )
    if model.stop_training and not any(getattr(each, "satisfied", False) for each in own):
        raise not_finite("loss", folder)
