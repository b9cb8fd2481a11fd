"""ST-GCN: size, one frame, how it starts, what is kept."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.models import STGCN


@pytest.fixture(scope="module")
def model():
    return STGCN()


def poses(*shape):
    return np.random.default_rng(0).uniform(0, 240, shape).astype("float32")


def test_the_size_is_the_published_one(model):
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 3_329_164


def test_kernels_and_biases_start_within_one_over_the_root_of_the_fan_in(model):
    limits = {"st_gcn_networks-1-gcn-conv": 64, "st_gcn_networks-1-tcn-2": 9 * 64, "fcn": 256}
    for name, fan_in in limits.items():
        layer = model.get_layer(name)
        for values in (layer.kernel, layer.bias):
            largest = np.abs(ops.convert_to_numpy(values)).max()
            assert 0.9 < largest * fan_in**0.5 <= 1 + 1e-6


def test_one_sample_of_one_frame_has_an_embedding_of_its_own(model):
    x = poses(2, 1, 18, 3)
    together = model.encoder.predict_on_batch(x)
    assert together.shape == (2, 1, 128)
    np.testing.assert_allclose(model.encoder.predict_on_batch(x[:1]), together[:1], atol=1e-6)


def test_every_channel_of_every_joint_is_normalised_by_itself(model):
    x = poses(4, 6, 18, 3)
    layer = model.get_layer("data_bn")
    layer(ops.reshape(x, (4, 6, 1, 54)), training=True)
    expected = 0.1 * x.mean(axis=(0, 1)).ravel()  # joint by joint, x y confidence
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_mean), expected, rtol=1e-4)


def test_it_comes_back_from_its_file(tmp_path):
    model = STGCN(embedding_size=4, joints="coco", frames=8)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    x = poses(1, 8, 17, 3)
    np.testing.assert_array_equal(again(x)["embeddings"], model(x)["embeddings"])


def test_arguments_of_other_networks_are_refused():
    with pytest.raises(ValueError, match="STGCN has no argument 'network'"):
        STGCN(network="resgcn-n39-r8")
