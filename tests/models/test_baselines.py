"""What holds for GaitSet, GaitPart, GaitGL, GaitBase and SelfGait alike."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from keras import ops

from keras_gait.models import GaitBase, GaitGL, GaitPart, GaitSet, SelfGait

pytestmark = pytest.mark.backend

SMALL = (16, 11, 1)
TINY = {
    "set": lambda **more: GaitSet(
        channels=(2, 3, 4), embedding_size=5, bins=(4, 2, 1), frame_shape=SMALL, **more
    ),
    "part": lambda **more: GaitPart(
        backbone_layers=("BC-2", "M", "FC-4-1", "M", "FC-8-2"),
        embedding_size=5,
        bins=(4,),
        frame_shape=SMALL,
        **more,
    ),
    "gl": lambda **more: GaitGL(channels=(2, 3, 4), frame_shape=(64, 6, 1), **more),
    "gl-deep": lambda **more: GaitGL(
        channels=(2, 3, 4, 5), bn_necks=True, frame_shape=(64, 6, 1), **{"nclasses": 3} | more
    ),
    "base": lambda **more: GaitBase(
        channels=(2, 3, 4, 5), embedding_size=5, bins=(4,), frame_shape=SMALL, **{"nclasses": 3} | more
    ),
    "self": lambda **more: SelfGait(
        channels=(2, 3, 4), hidden_dim=5, bins=(1, 2), mlp_hidden_size=6, frame_shape=SMALL, **more
    ),
}


def clips(model, lengths, seed=0):
    """Frames of noise; -1 fills up."""
    height, width, channels = model.frame_shape
    shape = (len(lengths), max(lengths), height, width, channels)
    frames = np.random.default_rng(seed).integers(0, 256, shape).astype("float32")
    for clip, length in zip(frames, lengths, strict=True):
        clip[length:] = -1
    return frames


def embed(model, frames):
    return model.encoder.predict_on_batch(frames)  # in one piece: JAX compiles it operation by operation else


@pytest.fixture(scope="module", params=TINY)
def model(request):
    keras.utils.set_random_seed(1)
    return TINY[request.param]()


@pytest.fixture(scope="module")
def frames(model):
    return clips(model, (5, 2, 1))


@pytest.fixture(scope="module")
def embeddings(model, frames):
    return embed(model, frames)


def test_an_embedding_is_the_same_alone_and_among_longer_clips(model, frames, embeddings):
    alone = np.concatenate([embed(model, frames[i : i + 1, :length]) for i, length in enumerate((5, 2, 1))])
    scale = np.abs(embeddings).max()
    np.testing.assert_allclose(embeddings, alone, atol=1e-5 * scale)
    assert min(np.abs(a - b).max() for a, b in pairwise(alone)) > 1e-2 * scale


def test_what_fills_a_clip_up_does_not_matter_even_in_training(model, frames):
    weights = model.get_weights()  # training moves the running statistics of the model that all tests share
    other = np.where(frames < 0, -200, frames)
    one, two = (ops.convert_to_numpy(model(x, training=True)["embeddings"]) for x in (frames, other))
    model.set_weights(weights)
    np.testing.assert_allclose(one, two, atol=1e-5 * np.abs(one).max())


def test_bytes_and_wider_frames_give_the_same_embedding(model, frames, embeddings):
    wider = np.pad(frames[:1], [(0, 0)] * 3 + [(3, 3), (0, 0)])
    np.testing.assert_allclose(embed(model, wider.astype(np.uint8)), embeddings[:1], atol=1e-6)


def test_frames_that_are_too_narrow_are_refused(model, frames):
    with pytest.raises(ValueError, match="must be at least"):
        model(frames[..., 1:, :])


def test_a_saved_model_comes_back_without_custom_objects(model, frames, embeddings, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(embed(again, frames), embeddings)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="the same on all backends, slow there")
def test_embeddings_are_float32_under_mixed_precision(model, frames, embeddings):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = type(model)(**{k: v for k, v in model.get_config().items() if k not in ("name", "trainable")})
    finally:
        keras.config.set_dtype_policy(policy)
    half.set_weights(model.get_weights())
    found = embed(half, frames)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, embeddings, atol=0.02 * np.abs(embeddings).max())


@pytest.mark.parametrize("kind", ["set", "part", "self"])
def test_models_of_triplets_alone_take_no_classes(kind):
    with pytest.raises(ValueError, match=r"has no classifier\. Received: nclasses=3"):
        TINY[kind](nclasses=3)


@pytest.mark.parametrize("cls", [GaitSet, GaitPart, GaitGL, GaitBase, SelfGait])
@pytest.mark.parametrize("shape", [(64, 44), (64, 0, 1)])
def test_a_frame_shape_of_other_axes_is_refused(cls, shape):
    with pytest.raises(ValueError, match=r"frame_shape must be \(height, width, channels\)"):
        cls(frame_shape=shape)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="the same on all backends, slow there")
@pytest.mark.parametrize("kind", ["gl", "base"])
def test_a_classifier_is_built_for_classes_only(kind):
    cls = {"gl": GaitGL, "base": GaitBase}[kind]
    options = {k: v for k, v in TINY[kind]().get_config().items() if k not in ("name", "nclasses")}
    with_classes = cls.for_classes(7, **options)
    assert with_classes.output["logits"].shape[-1] == with_classes.nclasses == 7
    without = cls.for_classes(7, classifier=False, **options)
    assert "logits" not in without.output
    assert without.nclasses == 0
