"""SGE: what its embeddings are made of, who they are of, what is saved, what is refused."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.models import SGE, SGEAxis
from keras_gait.models.sge import recognition_network

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
F, J, H = 4, 5, 6
TINY = {"frames": F, "joints": J, "units": H, "hidden": 4}


def skeletons(count=2):
    return np.random.default_rng(0).normal(size=(count, F, J, 3)).astype("float32")


def run(model, x):
    # on JAX, a loop that is not part of a compiled whole is compiled anew in each call
    found = model.predict_on_batch(x) if keras.backend.backend() == "jax" else model(x)
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


@pytest.fixture(scope="module")
def model():
    return SGE(3, ("7", "8", "9"), **TINY)


@pytest.mark.parametrize("manner", ["ap", "sc"])
def test_embeddings_run_over_axes_then_tasks_then_frames(manner):
    model = SGE(**TINY, pretext="rev_rec_plus", double_pretext="pred+sort", manner=manner)
    x = skeletons()
    embeddings = run(model, x)["embeddings"]
    assert embeddings.shape == ((2, F, 6 * H) if manner == "ap" else (2, 1, 6 * F * H))
    blocks = np.split(embeddings, 6, axis=-1)
    names = [f"{task}-{axis}" for axis in "xyz" for task in ("prediction", "sorting")]
    for name, block in zip(names, blocks, strict=True):
        own = np.ascontiguousarray(x[..., "xyz".index(name[-1])])
        codes = ops.convert_to_numpy(model.get_layer(name)(own)["codes"])
        np.testing.assert_allclose(block.reshape(codes.shape), codes, atol=1e-6)


def test_a_projection_can_be_the_feature():
    model = SGE(2, **TINY, features="projection", contrast="frozen")
    found = run(model, skeletons(3))
    assert found["embeddings"].shape == (3, 1, 3 * H)
    assert found["logits"].shape == (3, 1, 2)


@pytest.mark.backend
def test_one_sequence_has_the_embedding_that_it_has_in_a_batch(model):
    alone, together = (run(model, skeletons()[:n]) for n in (1, 2))
    for name in alone:
        np.testing.assert_allclose(alone[name], together[name][:1], atol=1e-6)


def test_scores_are_the_mean_over_frames_and_each_encoder_has_its_map(model):
    x = skeletons()
    logits = run(model, x)["logits"]
    scores = ops.convert_to_numpy(model.scorer(x))
    np.testing.assert_allclose(scores, logits.mean(axis=1, keepdims=True), rtol=1e-5, atol=1e-5)
    maps = run(model.attention_maps, x)
    assert sorted(maps) == ["rev_rec-x", "rev_rec-y", "rev_rec-z"]
    np.testing.assert_allclose(maps["rev_rec-z"].sum(axis=2), np.ones((2, F)), atol=1e-6)


def test_trained_axes_and_a_trained_recognition_network_become_one_model(model):
    axis = SGEAxis(**{name: TINY[name] for name in ("frames", "joints", "units")})
    model.take_axis("rev_rec", 1, axis)
    network = recognition_network(3 * H, 3, 4)
    for name in ("hidden", "logits"):
        model.get_layer(name).set_weights(network.get_layer(name).get_weights())
    x = skeletons()
    found = run(model, x)
    codes = ops.convert_to_numpy(axis.parts(x[..., 1].copy())["codes"])
    np.testing.assert_allclose(found["embeddings"][..., H : 2 * H], codes, atol=1e-6)
    logits = ops.convert_to_numpy(network(found["embeddings"].reshape(-1, 3 * H)))
    np.testing.assert_allclose(found["logits"].reshape(-1, 3), logits, rtol=1e-5, atol=1e-5)


def test_the_range_of_an_axis_is_taken_along():
    options = {"frames": F, "joints": J, "units": H, "normalise": "range"}
    axis, model = SGEAxis(**options), SGE(**options)
    axis.get_layer("normalisation").set_range(np.zeros((F, J)), np.full((F, J), 3.0))
    model.take_axis("rev_rec", 2, axis)
    ranges = [model.get_layer(f"normalisation-{name}").high for name in "xyz"]
    assert [float(ops.convert_to_numpy(high).max()) for high in ranges] == [0, 0, 3]


def test_each_task_is_trained_in_its_way():
    plus = SGE(**TINY, pretext="rev_rec_plus", locality="forward", contrast="none")
    assert plus.tasks == ("rev_rec", "prediction", "sorting")
    options = {task: plus.axis_options(task) for task in plus.tasks}
    assert [options[task]["attention"] for task in plus.tasks] == ["LA", "BA", "BA"]
    assert [options[task]["reverse"] for task in plus.tasks] == [True, False, False]
    assert SGE(**TINY, pretext="sorting").axis_options("sorting")["attention"] == "LA"
    assert options["sorting"]["locality"] == "forward"
    plus.take_axis("sorting", 0, SGEAxis(**options["sorting"]))


def test_an_axis_of_another_kind_is_refused(model):
    other = SGEAxis(F, 25, H)
    with pytest.raises(ValueError, match=r"rev_rec-x must have joints=5\. Received: joints=25"):
        model.take_axis("rev_rec", 0, other)


def test_a_sequence_must_be_what_the_model_was_trained_on(model):
    np.testing.assert_array_equal(model.prepare(skeletons()[0]), skeletons()[0])
    with pytest.raises(GaitError, match=r"\(6, 5, 3\).* the model takes \(4, 5, 3\).*with 4 frames and 5"):
        model.prepare(np.zeros((6, 5, 3), "float32"))


@pytest.mark.backend
def test_one_file_gives_the_same_on_each_backend():
    model = keras.models.load_model(FIXTURES / "sge_small.keras")
    with np.load(FIXTURES / "sge_small.npz") as expected:
        for name, found in run(model, expected["skeletons"]).items():
            np.testing.assert_allclose(found, expected[name], atol=1e-5)
    assert model.subjects == ("7", "8", "9")


@pytest.mark.parametrize("suffix", ["keras", "hdf5"])
def test_it_is_saved_and_comes_back_without_custom_objects(model, suffix, tmp_path):
    model.save(tmp_path / f"model.{suffix}")
    again = keras.models.load_model(tmp_path / f"model.{suffix}")
    assert again.get_config() == model.get_config()
    for name, value in run(model, skeletons()).items():
        np.testing.assert_array_equal(run(again, skeletons())[name], value)


def test_half_precision_leaves_all_in_single():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = SGE(2, **TINY)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {name: each.dtype for name, each in run(half, skeletons()).items()} == {
        "embeddings": np.float32,
        "logits": np.float32,
    }
    assert half.get_layer("rev_rec-x").layers[0].compute_dtype == "float32"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "units must be whole numbers from 1. Received: units=0"),
        ({"pretext": "rev"}, "pretext must be one of rev_rec, prediction, .*pretext='rev'"),
        ({"double_pretext": "rev_rec+pred"}, "with pretext rev_rec_plus. Received: .*pretext='rev_rec'"),
        ({"pretext": "rev_rec_plus", "double_pretext": "all"}, "double_pretext must be one of.*'all'"),
        ({"attention": "ba"}, "attention must be LA or BA. Received: attention='ba'"),
        ({"manner": "mean"}, "manner must be ap or sc. Received: manner='mean'"),
        ({"features": "V"}, "features must be attention or projection. Received: features='V'"),
        ({"features": "projection", "contrast": "none"}, "needs contrast joint or frozen"),
        ({"nclasses": 2, "subjects": ["1"]}, "subjects must be the 2 names of the classes. Received: 1"),
        ({"dropout": 0.5}, "SGE has no argument 'dropout'"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        SGE(**TINY | options)
