"""SelfGait: its heads, its target network, its size; what all models of silhouettes share is tested there."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.layers import PartsConvolution
from keras_gait.models import SelfGait
from keras_gait.models.selfgait import target_of

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TINY = {
    "channels": (2, 4, 4),
    "hidden_dim": 4,
    "bins": (1, 2),
    "div": 2,
    "mlp_hidden_size": 6,
    "projection_size": 5,
    "frame_shape": (16, 11, 1),
}


def run(model, clips):
    return model.predict_on_batch(clips)  # in one piece: JAX compiles it operation by operation else


@pytest.fixture(scope="module")
def clips():
    """Two clips, the second a frame shorter."""
    clips = np.random.default_rng(0).integers(0, 256, (2, 4, 16, 11, 1)).astype("float32")
    clips[1, 3] = -1
    return clips


@pytest.fixture(scope="module")
def model():
    return SelfGait(**TINY)


@pytest.fixture(scope="module")
def outputs(model, clips):
    return run(model, clips)


@pytest.mark.backend
def test_heads_project_and_predict_the_embedding_of_every_strip(outputs):
    shapes = {name: value.shape for name, value in outputs.items()}
    assert shapes == {"embeddings": (2, 3, 4), "projection": (2, 3, 5), "prediction": (2, 3, 5)}
    assert {value.dtype for value in outputs.values()} == {np.dtype("float32")}


@pytest.mark.backend
def test_a_clip_gives_the_same_alone_and_beside_a_longer_one(model, clips, outputs):
    for name, alone in run(model, clips[1:, :3]).items():
        np.testing.assert_allclose(outputs[name][1:], alone, atol=1e-5)


@pytest.mark.backend
def test_a_target_without_short_motions_pairs_with_the_model_by_path(model, clips):
    target = target_of(model)
    online = {weights.path: weights for weights in model.variables}
    assert {weights.path for weights in target.variables} <= set(online)
    assert {path.split("-")[0] for path in online if path not in {w.path for w in target.variables}} == {
        "conv_trans",
        "predictor",
    }
    assert not any(isinstance(layer, PartsConvolution) for layer in target.layers)
    before = run(target, clips[:, :1])
    assert before.shape == (2, 3, 5)
    for weights in target.variables:
        assert weights is not online[weights.path]
        weights.assign(online[weights.path])
    without = run(target, clips[:1, :1])
    assert np.abs(without - before[:1]).max() > 1e-3
    np.testing.assert_allclose(run(target, clips[:1, [0, 0]]), without, atol=1e-6)  # a set's maximum
    np.testing.assert_array_equal(run(target, clips[1:, :3]), run(target, clips[1:]))


@pytest.mark.backend
def test_one_file_gives_the_same_on_each_backend():
    model = keras.models.load_model(FIXTURES / "selfgait_small.keras", compile=False)
    with np.load(FIXTURES / "selfgait_small.npz") as expected:
        for name, found in run(model, expected["clips"]).items():
            scale = np.abs(expected[name]).max()
            np.testing.assert_allclose(found, expected[name], atol=1e-4 * scale)


@pytest.mark.filterwarnings("ignore:You are saving")
@pytest.mark.parametrize("heads", [True, False])
@pytest.mark.parametrize("suffix", ["keras", "hdf5"])
def test_it_is_saved_and_comes_back_without_custom_objects(clips, suffix, heads, tmp_path):
    model = SelfGait(**TINY, heads=heads)
    model.save(tmp_path / f"model.{suffix}")
    again = keras.models.load_model(tmp_path / f"model.{suffix}", compile=False)
    assert type(again) is SelfGait
    assert again.get_config() == model.get_config()
    expected = run(model, clips)
    assert set(expected) == ({"embeddings", "projection", "prediction"} if heads else {"embeddings"})
    for name, value in run(again, clips).items():
        np.testing.assert_array_equal(value, expected[name])


def test_the_encoder_is_the_same_with_and_without_heads(model, clips, outputs):
    plain = SelfGait(**TINY, heads=False)
    weights = {weights.path: weights for weights in model.variables}
    for own in plain.variables:
        own.assign(weights[own.path])
    np.testing.assert_array_equal(plain.encoder.predict_on_batch(clips), outputs["embeddings"])
    np.testing.assert_array_equal(model.encoder.predict_on_batch(clips), outputs["embeddings"])


def test_its_modules_have_the_published_sizes():
    model = SelfGait()
    found = {}
    for weights in model.trainable_variables:
        module = weights.path.split("/")[0].split("-")[0]
        found[module] = found.get(module, 0) + int(np.prod(weights.shape))
    assert found == {
        "online_network": 286_496,  # without the 1 015 808 that nothing uses
        "conv_trans": 1_279_680,
        "TP_1": 507_904,
        "projection_1": 66_432,
        "predictor": 66_432,
    }
    assert {name: value.shape for name, value in model.output.items()} == dict.fromkeys(
        ("embeddings", "projection", "prediction"), (None, 31, 128)
    )
    assert target_of(model).count_params() == 286_496 + 507_904 + 66_432 + 2 * 256


def test_the_predictor_takes_the_projection_whatever_its_length():
    model = SelfGait(**TINY | {"hidden_dim": 3, "projection_size": 7})
    assert tuple(model.get_layer("predictor-net-0").kernel.shape) == (7, 6)


def test_strip_maps_start_as_narrow_as_published():
    limit = (6 / (159 * 8)) ** 0.5
    model = SelfGait(channels=(1, 1, 128), hidden_dim=8, frame_shape=(64, 44, 1))
    found = np.abs(ops.convert_to_numpy(model.get_layer("TP_1").kernel)).max()
    assert 0.99 * limit < found <= limit
    kernel, bias = model.get_layer("conv_trans-conv_list_1-0").get_weights()
    assert 0.99 < np.abs(kernel).max() * (3 * 128) ** 0.5 <= 1
    assert 0.9 < np.abs(bias).max() * (3 * 128) ** 0.5 <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": (2, 4)}, r"channels must have 3 entries\. Received: channels=\(2, 4\)"),
        ({"channels": (2, 4, 0)}, "channels must be whole numbers from 1"),
        ({"div": 5}, r"div must not exceed channels\[2\]=4\. Received: div=5"),
        ({"div": 0}, "div must be whole numbers from 1. Received: div=0"),
        ({"bins": ()}, "bins must be whole numbers from 1"),
        ({"bins": (3,)}, r"Strip counts must divide .* bins=\(3,\), height=4, width=2"),
        ({"hidden_dim": 1.5}, "hidden_dim must be whole numbers from 1. Received: hidden_dim=1.5"),
        ({"mlp_hidden_size": 0}, "mlp_hidden_size must be"),
        ({"projection_size": -1}, "projection_size must be"),
        ({"width": 3}, "SelfGait has no argument 'width'"),
    ],
)
def test_a_wrong_size_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        SelfGait(**TINY | options)


def test_a_model_without_heads_has_no_target():
    with pytest.raises(ValueError, match=r"with heads\. Received: heads=False"):
        target_of(SelfGait(**TINY, heads=False))
