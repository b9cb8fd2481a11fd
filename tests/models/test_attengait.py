"""AttenGait as a model: its size, its outputs, its files."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.models import AttenGait
from keras_gait.models.attengait import attention_maps

pytestmark = pytest.mark.backend

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TINY = {"n_filters": (3, 4, 4, 5), "combined_output_length": 4, "softmax_attention": True}


def clips(batch=2, frames=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (batch, frames, 64, 64, 3), np.uint8)


def embed(model, frames):
    return ops.convert_to_numpy(model.encoder(frames))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return AttenGait(nclasses=3, split_crossentropy=True, attention_drop_rate=0.5, name="tiny", **TINY)


@pytest.fixture(scope="module")
def embeddings(model):
    return embed(model, clips())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
@pytest.mark.parametrize(
    ("size", "deep", "parameters"),
    [
        ("small", False, 3_602_240),
        ("small", True, 3_991_490),
        ("medium", False, 7_284_320),
        ("medium", True, 8_835_682),
        ("large", False, 16_417_952),
        ("large", True, 22_615_970),
    ],
)
def test_the_sizes_are_the_published_ones(size, deep, parameters):
    model = AttenGait(model_size=size, deep=deep, combined_output_length=32)
    assert sum(int(np.prod(w.shape)) for w in model.weights) == parameters
    assert len([layer for layer in model.layers if layer.name.startswith("conv_")]) == (13 if deep else 7)


def test_a_split_classifier_adds_one_linear_map_a_part(model):
    classifier = sum(int(np.prod(w.shape)) for w in model.weights) - sum(
        int(np.prod(w.shape)) for w in model.encoder.weights
    )
    assert classifier == 62 * (4 * 3 + 3)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
@pytest.mark.parametrize(("nclasses", "deep"), [(999, False), (1000, True)])
def test_a_thousand_classes_make_it_deep(nclasses, deep):
    assert AttenGait(nclasses=nclasses, **TINY).deep is deep


def test_outputs_are_62_part_descriptors_and_logits(model, embeddings):
    outputs = model(clips())
    assert set(outputs) == {"embeddings", "logits"}
    assert tuple(outputs["embeddings"].shape) == (2, 62, 4)
    assert tuple(outputs["logits"].shape) == (2, 62, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(outputs["embeddings"]), embeddings)


def test_an_embedding_does_not_depend_on_its_batch_mates(model, embeddings):
    alone = np.concatenate([embed(model, clips()[i : i + 1]) for i in range(2)])
    np.testing.assert_allclose(alone, embeddings, atol=1e-5)
    assert np.abs(embeddings[0] - embeddings[1]).max() > 1e-2  # or the above would say nothing


def test_bytes_and_floats_give_the_same_embedding(model, embeddings):
    np.testing.assert_allclose(embed(model, clips().astype("float32")), embeddings, atol=1e-6)


@pytest.mark.parametrize("frames", [17, 30])
def test_clips_may_have_any_length_from_16_frames(model, frames):
    found = embed(model, clips(1, frames))
    assert found.shape == (1, 62, 4)
    assert np.isfinite(found).all()


def test_a_clip_below_16_frames_is_refused(model):
    with pytest.raises(ValueError, match=r"needs 16 frames.*frames=15"):
        model(clips(1, 15))


def test_dropout_acts_in_training_only(model, embeddings):
    np.testing.assert_array_equal(embed(model, clips()), embeddings)
    dropped = ops.convert_to_numpy(model(clips(), training=True)["embeddings"])
    assert np.abs(dropped - embeddings).max() > 1e-2


@pytest.mark.filterwarnings("ignore:You are saving")
@pytest.mark.parametrize("ending", ["keras", "hdf5"])
def test_a_saved_model_comes_back_without_custom_objects(model, embeddings, tmp_path, ending):
    model.save(tmp_path / f"model.{ending}")
    again = keras.models.load_model(tmp_path / f"model.{ending}", compile=False)
    assert type(again) is AttenGait
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(embed(again, clips()), embeddings)


def test_a_file_written_on_tensorflow_gives_the_same_embeddings_here():
    model = keras.models.load_model(FIXTURES / "attengait_small.keras", compile=False)
    expected = np.load(FIXTURES / "attengait_small.npz")["embeddings"]
    np.testing.assert_allclose(embed(model, clips()), expected, atol=1e-4 * np.abs(expected).max())


def test_attention_maps_have_each_layers_resolution(model):
    maps = attention_maps(model)
    assert [m.shape for m in maps.values()] == [(64, 64)] * 2 + [(32, 32)] * 2 + [(16, 16)] * 3
    assert list(maps) == [f"attention_{i}" for i in range(7)]
    np.testing.assert_allclose(maps["attention_0"], 1 / 484, rtol=1e-5)  # 22 x 22 patches, all alike


def test_the_mean_frame_is_subtracted_and_saved_with_the_model(tmp_path):
    model = AttenGait(subtract_mean=True, **TINY)
    before = embed(model, clips())
    mean = clips(1, 1, seed=9)[0, 0]
    model.mean_frame.assign(mean)
    after = embed(model, clips())
    assert np.abs(after - before).max() > 1e-2
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(again.mean_frame), mean)


@pytest.mark.parametrize("shape", [(64, 44, 1), (66, 45, 2)])
def test_other_frames_than_64x64_are_allowed(shape):
    model = AttenGait(frame_shape=shape, **TINY)
    assert model.output["embeddings"].shape == (None, 62, 4)
    assert "logits" not in model.output


@pytest.mark.parametrize("shape", [(60, 64, 3), (64, 3, 3), (64, 64)])
def test_frames_that_do_not_fit_are_refused_by_their_shape(shape):
    with pytest.raises(ValueError, match=rf"frame_shape=\({shape[0]}, {shape[1]}"):
        AttenGait(frame_shape=shape, **TINY)


def test_an_unknown_size_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'large', 'medium', 'small'.*'huge'"):
        AttenGait(model_size="huge")


@pytest.mark.parametrize("widths", [(3, 4, 4), 5, (3, 4, 4, 0), (3, 4, 4, -1), "abcd", ["a", "b", "c", "d"]])
def test_four_widths_are_needed(widths):
    with pytest.raises(ValueError, match="n_filters must be four widths"):
        AttenGait(n_filters=widths)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("combined_output_length", 0),
        ("attention_drop_rate", 1.0),
        ("attention_drop_rate", -0.1),
        ("attention_drop_rate", float("nan")),
    ],
)
def test_a_value_that_cannot_train_is_refused_by_name(option, value):
    with pytest.raises(ValueError, match=rf"{option} must be .* Received: {option}={value}"):
        AttenGait(**TINY | {option: value})


@pytest.mark.parametrize(("classes", "deep"), [(999, False), (1000, True)])
def test_the_data_tells_the_depth_even_without_a_classifier(classes, deep):
    model = AttenGait.for_classes(classes, classifier=False, **TINY)
    assert (model.deep, model.nclasses) == (deep, 0)
    assert AttenGait.for_classes(classes, deep=not deep, **TINY).nclasses == classes


def test_the_weight_decay_is_on_all_kernels_but_the_classifier():
    model = AttenGait(nclasses=2, weight_decay=0.5, **TINY)
    kernels = [w for w in model.encoder.trainable_weights if w.name not in ("gamma", "beta")]
    expected = 0.5 * sum(float(np.square(ops.convert_to_numpy(w)).sum()) for w in kernels)
    assert float(ops.convert_to_numpy(sum(model.losses))) == pytest.approx(expected, rel=1e-4)
