"""SkeletonGait in its three modes and SkeletonGait++: what holds for both, and SkeletonGait's own."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from gradients import model_gradients
from keras import ops

from keras_gait.models import SkeletonGait, SkeletonGaitPlusPlus

pytestmark = pytest.mark.backend

TINY = {"channels": (2, 3, 4, 5), "frame_shape": (16, 16, 2)}
MODELS = {
    "2d": lambda **more: SkeletonGait(mode="2d", **TINY, **more),
    "3d": lambda **more: SkeletonGait(mode="3d", layers=(1, 2, 1, 1), **TINY, **more),
    "p3d": lambda **more: SkeletonGait(use_emb2=True, **TINY, **more),
    "++": lambda **more: SkeletonGaitPlusPlus(C=1, frame_shape=(16, 16, 3), **more),
}


def clips(model, lengths, seed=0):
    """Frames of noise; -1 fills up."""
    shape = (len(lengths), max(lengths), *model.frame_shape)
    frames = np.random.default_rng(seed).integers(0, 256, shape).astype("float32")
    for clip, length in zip(frames, lengths, strict=True):
        clip[length:] = -1
    return frames


def embed(model, frames):
    return ops.convert_to_numpy(model.encoder(frames))


def trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    keras.utils.set_random_seed(1)
    return MODELS[request.param](nclasses=3)


def test_an_embedding_is_the_same_alone_and_among_longer_clips(model):
    lengths = (1, 2, 5, 7)
    frames = clips(model, lengths)
    together = embed(model, frames)
    alone = [embed(model, frames[i : i + 1, :length]) for i, length in enumerate(lengths)]
    scale = np.abs(together).max()
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5 * scale)
    assert min(np.abs(a - b).max() for a, b in pairwise(alone)) > 1e-2 * scale


def test_in_training_too_frames_that_fill_up_change_nothing(model):
    # noise, for clips all alike would leave a batch without variance
    frames = clips(model, (4, 4))
    filled = np.concatenate([frames, np.full_like(frames, -1)], axis=1)
    results = []
    for given in (frames, filled):
        copy = model.__class__.from_config(model.get_config())
        copy.set_weights(model.get_weights())
        outputs = copy(given, training=True)
        results.append([ops.convert_to_numpy(x) for x in (*outputs.values(), *copy.non_trainable_variables)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4 * max(1, np.abs(one).max()))


def test_bytes_and_wider_frames_give_the_same_embedding(model):
    frames = clips(model, (4, 4))
    wider = np.pad(frames, [(0, 0)] * 3 + [(3, 3), (0, 0)])
    np.testing.assert_allclose(embed(model, wider.astype(np.uint8)), embed(model, frames), atol=1e-6)


def test_outputs_are_embeddings_logits_and_what_the_triplet_loss_wants(model):
    outputs = model(clips(model, (4, 4)))
    second = getattr(model, "use_emb2", False)
    assert set(outputs) == {"embeddings", "logits"} | ({"features"} if second else set())
    width = 128 if isinstance(model, SkeletonGaitPlusPlus) else 4
    assert tuple(outputs["embeddings"].shape) == (2, 16, width)
    assert tuple(outputs["logits"].shape) == (2, 16, 3)
    assert np.abs(ops.convert_to_numpy(outputs["logits"])).max() <= 1.0001
    lengths = np.linalg.norm(ops.convert_to_numpy(outputs["embeddings"]), axis=-1)
    assert np.allclose(lengths, 1, atol=1e-5) == second


def test_every_weight_has_a_finite_gradient(model):
    def loss(outputs, regularisation):
        return {"total": sum(ops.mean(ops.square(x - 0.3)) for x in outputs.values())}

    _, gradients = model_gradients(model, clips(model, (4, 3, 2)), loss)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


@pytest.mark.filterwarnings("ignore:You are saving")
@pytest.mark.parametrize("ending", ["keras", "hdf5"])
def test_a_saved_model_comes_back_without_custom_objects(model, tmp_path, ending):
    model.save(tmp_path / f"model.{ending}")
    again = keras.models.load_model(tmp_path / f"model.{ending}", compile=False)
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    frames = clips(model, (3, 4))
    np.testing.assert_array_equal(embed(again, frames), embed(model, frames))


def test_embeddings_are_float32_under_mixed_precision(model):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = type(model)(**{k: v for k, v in model.get_config().items() if k not in ("name", "trainable")})
    finally:
        keras.config.set_dtype_policy(policy)
    half.set_weights(model.get_weights())
    frames = clips(model, (5, 3))
    found, expected = embed(half, frames), embed(model, frames)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.03 * np.abs(expected).max())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same on all backends, slow on some")
@pytest.mark.parametrize(
    ("blocks", "classes", "sizes"),
    [((1, 4, 4, 1), 3000, (25.49, 25.57)), ((1, 1, 1, 1), 100, (8.45, 8.52))],
)
def test_the_sizes_are_the_published_ones(blocks, classes, sizes):
    models = SkeletonGait(classes, layers=blocks), SkeletonGaitPlusPlus(classes, blocks=blocks)
    assert tuple(round(trainable(model) / 1e6, 2) for model in models) == sizes


def test_a_classifier_is_built_for_classes_only():
    assert SkeletonGait.for_classes(7, **TINY).output["logits"].shape == (None, 16, 7)
    assert set(SkeletonGait.for_classes(7, classifier=False, **TINY).output) == {"embeddings"}
    both = SkeletonGait.for_classes(7, classifier=False, use_emb2=True, **TINY).output
    assert set(both) == {"embeddings", "features"}


def test_one_channel_is_deepgaitv2_on_silhouettes():
    model = SkeletonGait(frame_shape=(16, 16, 1), channels=(2, 3, 4, 5))
    assert embed(model, clips(model, (3,))).shape == (1, 16, 4)


@pytest.mark.parametrize(("mode", "sees"), [("2d", False), ("3d", True), ("p3d", True)])
def test_only_2d_is_blind_to_the_order_of_frames(mode, sees):
    keras.utils.set_random_seed(1)
    model = SkeletonGait(mode=mode, **TINY)
    frames = clips(model, (6,))
    gap = np.abs(embed(model, frames) - embed(model, frames[:, [4, 2, 0, 5, 1, 3]])).max()
    assert (gap > 1e-3 * np.abs(embed(model, frames)).max()) == sees


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "4d"}, r"mode must be one of \['2d', '3d', 'p3d'\]. Received: mode='4d'"),
        ({"use_emb": True}, r"SkeletonGait has no argument 'use_emb'. Received: \['use_emb'\]"),
        ({"layers": (1, 1, 1)}, "layers must have 4 entries"),
        ({"layers": (1, 1, 0, 1)}, "layers must be whole numbers from 1"),
        ({"channels": (2, 3, 4)}, "channels must have 4 entries"),
        ({"channels": (2, 3, 4.5, 5)}, "channels must be whole numbers from 1"),
        ({"frame_shape": (16, 16)}, r"frame_shape must be \(height, width, channels\)"),
        ({"frame_shape": (16, 20, 2)}, r"Strip counts must divide .* \[16\] leave a remainder"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        SkeletonGait(**TINY | options)
