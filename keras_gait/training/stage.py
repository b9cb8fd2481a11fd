"""One network of several that a run trains: it goes on from the state that its own folder keeps."""

import numpy as np

from keras_gait.training.checkpointing import STATE_FILE, restore_state, save_state
from keras_gait.training.epochs import run_epochs


def train_stage(model, batches, folder, epochs, train, make_callbacks):
    """Train a compiled model for ``epochs``, or until a callback is satisfied, from where it stopped.

    Args:
        batches: see `keras_gait.data.pipeline.Batches`, with its ``sampler``.
        folder: of this network, for its state and ``history.csv``.
        train: the recipe's section of that name.
        make_callbacks: ``make_callbacks(done)`` gives the network's own callbacks, who know what
            ``history.csv`` tells of the epochs ``done`` before. One that may end the training early has
            ``satisfied`` and ``ended``, the number of epochs at which it was.

    Raises:
        GaitError: the loss became infinite or NaN.
    """
    model.optimizer.build(model.trainable_variables)
    state = folder / STATE_FILE
    done = restore_state(model, state) if state.exists() else 0
    own = make_callbacks(done)
    if done < epochs and not _ended(own):
        quiet = train | {"verbose": 0}  # the callbacks tell what is worth it
        run_epochs(model, batches, done, epochs, batches.sampler.steps_per_epoch, folder, quiet, own)
        save_state(model, state, _ended(own) or epochs)


def _ended(callbacks):
    """The epochs at which a callback ended the training, or None."""
    return next((each.ended for each in callbacks if getattr(each, "satisfied", False)), None)


def seed_of(seed, *place):
    """A seed that hangs on the run's and on what is trained, so that it does not matter what was before."""
    return int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])
