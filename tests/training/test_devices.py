"""Two devices learn what one device learns from their batches joined."""

import csv

import keras
import numpy as np
import pytest

from keras_gait.checkpoints import load_model
from keras_gait.errors import GaitError
from keras_gait.training import attengait, supervised
from keras_gait.training.devices import distribute, half_precision_policy

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()
several_devices = pytest.mark.skipif(BACKEND == "torch", reason="one device only on PyTorch")


@pytest.mark.parametrize("count", [0, 1])
def test_one_device_is_plain_training(count):
    with distribute(count):
        assert keras.distribution.distribution() is None


@several_devices
def test_more_devices_than_there_are_is_refused_with_a_list():
    with pytest.raises(GaitError, match=r"--multi_gpu 3 asks for more devices than there are: .*0.*1"):
        distribute(3)


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's refusal")
def test_pytorch_refuses_several_devices():
    with pytest.raises(GaitError, match=r"does not run on PyTorch. Set KERAS_BACKEND"):
        distribute(2)


@several_devices
def test_two_devices_end_with_the_weights_of_one(tiny_recipe, tmp_path, monkeypatch, request):
    settings = {
        "optimizer.name": "SGD",  # unlike Adam, it shows a gradient that is too large
        "optimizer.learning_rate": 1e-5,
        "optimizer.weight_decay": 0.0,
        "model.attention_drop_rate": 0.0,
        "augmentation.mixup_rate": 0.0,
        "augmentation.cutmix_rate": 0.0,
        "train.multi_gpu": 2,
    }
    two = supervised.train(tiny_recipe(**settings))
    (row,) = csv.DictReader((two / "history.csv").open())
    expected = 62 / 4 * float(row["embeddings_loss"]) + float(
        row["logits_loss"]
    )  # each device has a batch of 4
    assert float(row["loss"]) == pytest.approx(expected, rel=1e-3)
    # one device with the batches of both, and triplets within each half of a batch
    triplet = attengait.BatchAllTriplet
    monkeypatch.setattr(
        attengait, "BatchAllTriplet", lambda margin, soft, normalise, blocks, *rest: triplet(blocks=2)
    )
    monkeypatch.setattr(supervised, "distribute", lambda count: distribute(0))
    request.getfixturevalue("step_by_step")  # the two devices ran as users run them
    one = supervised.train(tiny_recipe(**settings, **{"train.experdir": str(tmp_path / "one")}))

    weights = [load_model(folder / "model-final.keras").get_weights() for folder in (one, two)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(b, a, atol=1e-5)
    changes = [np.abs(w).max() for w in weights[0] if w.ndim == 1 and w[0] not in (0, 1)]
    assert max(changes) > 1e-3  # or the above would say nothing


def test_half_precision_without_a_gpu_is_bfloat16():
    assert half_precision_policy() == "mixed_bfloat16"
