"""The state of a training run: saved whole, restored exactly."""

import keras
import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.training.checkpointing import STATE_FILE, History, restore_state, save_state, to_numpy

pytestmark = pytest.mark.backend


def compiled(units=3):
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(units)(keras.layers.Dropout(0.5)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("adam", loss="mse", metrics=["mae"])
    model.optimizer.build(model.trainable_variables)
    return model


def variables(model):
    return [to_numpy(v) for v in [*model.variables, *model.optimizer.variables]]


def test_weights_optimizer_and_random_state_come_back(tmp_path):
    model = compiled()
    model.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    save_state(model, tmp_path / STATE_FILE, 7)
    again = compiled()
    again.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    assert restore_state(again, tmp_path / STATE_FILE) == 7
    names = [v.path for v in again.variables]
    assert any("seed" in name for name in names)
    metrics = {id(v) for v in again.metrics_variables}
    kept = [id(v) not in metrics for v in again.variables] + [True] * len(again.optimizer.variables)
    for a, b, compared in zip(variables(model), variables(again), kept, strict=True):
        if compared:
            np.testing.assert_array_equal(a, b)


def test_a_state_of_another_model_is_refused(tmp_path):
    save_state(compiled(), tmp_path / STATE_FILE, 1)
    with pytest.raises(GaitError, match="belongs to another model or optimizer; use another --prefix"):
        restore_state(compiled(units=4), tmp_path / STATE_FILE)


@pytest.mark.parametrize("kept", [0, 100, -50])
def test_a_state_that_is_cut_off_is_refused(tmp_path, kept):
    path = tmp_path / STATE_FILE
    save_state(compiled(), path, 1)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(GaitError, match=r"not a readable training state; delete it to start over"):
        restore_state(compiled(), path)


def test_a_state_with_a_nan_is_refused_and_the_last_good_one_stays(tmp_path):
    model, path = compiled(), tmp_path / STATE_FILE
    save_state(model, path, 1)
    before = path.read_bytes()
    model.weights[0].assign(np.full((2, 3), np.nan))
    with pytest.raises(GaitError, match=r"weights became .* keeps the last good state. Lower --lr"):
        save_state(model, path, 2)
    assert path.read_bytes() == before


def test_a_first_state_with_a_nan_leaves_none_and_says_so(tmp_path):
    model = compiled()
    model.weights[0].assign(np.full((2, 3), np.nan))
    with pytest.raises(GaitError, match=r"weights became infinite or NaN; .* has no state saved before"):
        save_state(model, tmp_path / STATE_FILE, 1)


def test_the_history_drops_rows_of_epochs_that_will_be_run_again(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,learning_rate\n0,3,0.1\n1,2,0.1\n2,1,0.1\n")
    history = History(path, done=2)
    history.set_model(compiled())
    history.on_epoch_end(2, {"loss": 0.5})
    assert path.read_text() == "epoch,loss,learning_rate\n0,3,0.1\n1,2,0.1\n2,0.5,0.001\n"
