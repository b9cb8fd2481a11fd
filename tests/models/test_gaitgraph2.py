"""GaitGraph2: sizes, shapes, views of a test, what is kept, what is refused."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.models import GaitGraph2
from keras_gait.vision.pose_sequences import prepare

TINY = {"network": "resgcn-n21-r8", "embedding_size": 6, "inputs": "plain", "frames": 5}
TENSORFLOW = keras.backend.backend() == "tensorflow"
SAME_ON_ALL = pytest.mark.skipif(not TENSORFLOW, reason="the same on all backends, slow on some")


def poses(batch=2, frames=5, joints=17):
    rng = np.random.default_rng(0)
    return np.float32(rng.uniform(0, (240, 240, 1), (batch, frames, joints, 3)))


@pytest.fixture(scope="module")
def model():
    return GaitGraph2(**TINY)


@SAME_ON_ALL
@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"network": "resgcn-n21-r8"}, 350_822),
        ({"inputs": "concat"}, 321_858),
        ({"inputs": "plain"}, 319_530),
        ({"layout": "corrected"}, 425_834),
        ({"network": "resgcn-n51-r4", "joints": "oumvlp"}, 765_278),
        ({"network": "resgcn-n51-r4", "joints": "oumvlp", "inputs": "plain"}, 645_638),
    ],
)
def test_the_size_is_the_published_one(options, count):
    assert sum(int(np.prod(w.shape)) for w in GaitGraph2(**options).trainable_weights) == count


@pytest.mark.backend
def test_one_sample_of_one_frame_has_an_embedding_of_its_own(model):
    alone = model.encoder.predict_on_batch(poses(1, 1))
    assert alone.shape == (1, 1, 6)
    assert alone.dtype == np.float32
    twice = model.encoder.predict_on_batch(np.concatenate([poses(1, 1), poses(1, 1) + 9]))
    np.testing.assert_allclose(twice[:1], alone, atol=1e-6)


@pytest.mark.backend
def test_three_views_of_a_test_are_given_backwards_and_exchanged(model):
    x = poses()
    joined = model.tta_encoder.predict_on_batch(x)
    views = [x, x[:, ::-1], x[:, :, list(model.graph.flip_index)]]
    expected = [model.encoder.predict_on_batch(np.ascontiguousarray(view)) for view in views]
    np.testing.assert_allclose(joined, np.concatenate(expected, axis=-1), atol=1e-6)


@pytest.mark.backend
def test_the_embedding_is_linear_in_the_mean_of_the_feature_maps(model):
    maps = model.feature_maps.predict_on_batch(poses(frames=7))
    assert maps.shape == (2, 2, 17, 256)
    kernel, bias = map(ops.convert_to_numpy, model.get_layer("fcn").get_weights())
    embeddings = model.encoder.predict_on_batch(poses(frames=7))
    np.testing.assert_allclose(embeddings[:, 0], maps.mean(axis=(1, 2)) @ kernel + bias, atol=1e-5)


@pytest.mark.backend
def test_a_training_step_changes_weights_and_leaves_them_finite(step_by_step):
    model = GaitGraph2(**TINY | {"inputs": "branches", "network": "psa-resgcn-b1.1.1.1"})
    before = [ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    compiled = keras.backend.backend() == "jax"  # operation by operation it takes a minute
    model.compile(keras.optimizers.SGD(1e-2), {"embeddings": "mse"}, jit_compile=compiled)
    model.train_on_batch(poses(), {"embeddings": np.ones((2, 1, 6), "float32")})
    after = [ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    edge = ops.convert_to_numpy(model.get_layer("main_stream-0-scn-conv-gcn").edge)
    assert (edge[3] == 1).all()  # joints three bones away do not count
    assert (edge[:3] != 1).any()


def test_it_is_saved_and_comes_back_without_custom_objects(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(
        again.encoder.predict_on_batch(poses()), model.encoder.predict_on_batch(poses())
    )


@pytest.mark.backend
def test_half_precision_keeps_pixels_and_embeddings_in_single(model):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = GaitGraph2(**TINY)
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(model.get_weights())
    found, expected = (m.encoder.predict_on_batch(poses()) for m in (half, model))
    assert half.get_layer("main_stream-0-scn-conv-gcn").compute_dtype == "float16"
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-2 * np.abs(expected).max())


def test_sequences_are_prepared_as_the_model_was_trained(model):
    long, short = poses(1, 9)[0], poses(1, 2)[0]
    np.testing.assert_array_equal(model.prepare(long), long[2:7])
    assert model.prepare(short).shape == (5, 17, 3)
    holes = short.copy()
    holes[0, 3] = 0
    filling = GaitGraph2(**TINY | {"fill_empty": True})
    np.testing.assert_array_equal(filling.prepare(holes), prepare(holes, 5, fill=True))
    assert (filling.prepare(holes) != model.prepare(holes)).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "resgcn-n31-r8"}, "no structure 'n31'.*network='resgcn-n31-r8'"),
        ({"inputs": "three"}, "inputs must be.*'three'"),
        ({"layout": "gaitgraph"}, "layout must be published or corrected. Received: layout='gaitgraph'"),
        ({"joints": "kinect"}, "joints must be.*kinect"),
        ({"joints": 17}, "joints must be.*joints=17"),
        ({"frames": 0}, "frames must be whole numbers from 1. Received: frames=0"),
        ({"embedding_size": 1.5}, "embedding_size must be whole numbers from 1"),
        ({"nclasses": 3}, "GaitGraph2 learns from distances and has no classifier"),
        ({"dropout": 0.4}, "GaitGraph2 has no argument 'dropout'"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        GaitGraph2(**TINY | options)
