"""What is trained on one axis: sizes, outputs, decay, gradients and training with a teacher."""

import keras
import numpy as np
import pytest
from gradients import model_gradients
from keras import ops

from keras_gait.losses import HalfSquaredError, Locality, NeighbourContrast
from keras_gait.models import SGEAxis

F, J, H = 4, 5, 6
TINY = {"frames": F, "joints": J, "units": H}
LOSSES = {"errors": HalfSquaredError, "alignment": Locality, "projection": NeighbourContrast}


def batch(count=6):
    skeletons = np.random.default_rng(0).normal(size=(count, F, J)).astype("float32")
    return {"skeletons": skeletons, "targets": skeletons.copy()}


def tensors(batch):
    return {name: ops.convert_to_tensor(value) for name, value in batch.items()}


def test_three_axes_and_copies_without_a_use_have_the_published_size():
    model = SGEAxis(6)
    used = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    copies = (20 + 256) * 1024 + 1024
    assert 3 * (used + copies) == 8_474_172


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, {"errors": (2, F, J), "alignment": (2, F, F), "projection": (2, H)}),
        ({"attention": "BA", "contrast": "frozen"}, {"errors": (2, F, J), "projection": (2, H)}),
        ({"attention": "BA", "contrast": "none", "decoding": "teacher"}, {"errors": (2, F, J)}),
    ],
)
def test_the_outputs_are_what_the_losses_need(options, names):
    model = SGEAxis(**TINY, **options)
    found = model(batch(2))
    assert {name: tuple(value.shape) for name, value in found.items()} == names
    assert {name: (None, *shape[1:]) for name, shape in names.items()} == {
        name: tuple(value.shape) for name, value in model.output.items()
    }


def test_errors_are_to_the_targets_normalised_and_reversed():
    backwards, forwards = (SGEAxis(**TINY, reverse=reverse, normalise="joint") for reverse in (True, False))
    forwards.set_weights(backwards.get_weights())
    given = batch(2)
    outputs = ops.convert_to_numpy(
        backwards.parts(given["skeletons"] - given["skeletons"][:, :, :1])["outputs"]
    )
    targets = given["targets"] - given["targets"][:, :, :1]
    for model, wanted in ((forwards, targets), (backwards, targets[:, ::-1])):
        errors = ops.convert_to_numpy(model(given)["errors"])
        np.testing.assert_allclose(errors, outputs - wanted, atol=1e-6)


@pytest.mark.parametrize("decay", ["published", "kernels"])
def test_decay_is_half_the_squares_and_forget_gates_start_at_one(decay):
    model = SGEAxis(**TINY, l2=0.3, decay=decay)
    rng = np.random.default_rng(0)
    total = 0.0
    for weight in model.trainable_weights:
        value = rng.normal(size=weight.shape).astype("float32")
        weight.assign(value)
        if weight.shape == (4 * H,):
            value = value - np.repeat([0, 1, 0, 0], H)
        if decay == "published" or value.ndim == 2:
            total += 0.15 * np.square(value).sum()
    assert float(ops.convert_to_numpy(sum(model.losses))) == pytest.approx(total, rel=1e-5)
    assert not SGEAxis(**TINY, l2=0).losses


@pytest.mark.backend
@pytest.mark.parametrize("contrast", ["joint", "frozen"])
def test_frozen_contrast_teaches_its_head_alone(contrast):
    model = SGEAxis(**TINY, contrast=contrast, l2=1e-12)  # every variable has a gradient, next to none

    def loss(outputs, decayed):
        return {"total": decayed + ops.sum(ops.square(outputs["projection"]))}

    slopes = model_gradients(model, tensors(batch()), loss)[1]
    names = [weight.path for weight in model.trainable_weights]
    taught = {name for name, slope in zip(names, slopes, strict=True) if np.abs(slope).max() > 1e-6}
    assert any("projection/kernel" in name for name in taught)
    assert any("lstm_0" in name for name in taught) == (contrast == "joint")
    assert not any("frame" in name for name in taught)


@pytest.mark.backend
def test_training_with_a_teacher_lowers_the_loss():
    keras.utils.set_random_seed(0)
    model = SGEAxis(**TINY, decoding="teacher")
    losses = {name: LOSSES[name]() for name in LOSSES}
    model.compile(keras.optimizers.SGD(1e-3), loss=losses)
    nobody = {name: np.zeros(8, "float32") for name in losses}
    history = model.fit(batch(8), nobody, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert history[2] < history[1] < history[0]
    assert all(np.isfinite(ops.convert_to_numpy(weight)).all() for weight in model.trainable_weights)


def test_it_is_saved_and_comes_back_without_custom_objects(tmp_path):
    model = SGEAxis(**TINY, decoding="teacher", normalise="range", l2=0.1, decay="kernels")
    rng = np.random.default_rng(0)
    model.get_layer("normalisation").set_range(-rng.random((F, J)), rng.random((F, J)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    for name, value in model(batch(2)).items():
        found, expected = (ops.convert_to_numpy(each) for each in (again(batch(2))[name], value))
        np.testing.assert_array_equal(found, expected)
    losses = [float(ops.convert_to_numpy(sum(each.losses))) for each in (model, again)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 0}, "frames must be whole numbers from 1. Received: frames=0"),
        ({"attention": "MA"}, "attention must be LA or BA. Received: attention='MA'"),
        ({"locality": "up"}, "locality must be reverse or forward. Received: locality='up'"),
        ({"decay": "all"}, "decay must be published or kernels. Received: decay='all'"),
        ({"l2": -1}, "l2 must be 0 or above. Received: l2=-1"),
        ({"normalise": "mean"}, "rule must be none, joint or range. Received: rule='mean'"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        SGEAxis(**TINY | options)
