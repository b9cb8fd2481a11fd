"""Learning from two views by an encoder of one's own."""

import keras
import numpy as np
import pytest
from keras import ops
from two_views import regression, step, views

from keras_gait.training import byol_of
from keras_gait.training.checkpointing import to_numpy

pytestmark = [pytest.mark.backend, pytest.mark.usefixtures("step_by_step")]


class Block(keras.layers.Layer):
    """A layer of a layer without a name, which a clone names anew."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(4)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return self.inner(x)


def own_encoder(as_dict=False):
    clips = keras.Input((5, 6))
    scale = keras.layers.Normalization(name="scale")
    scale.adapt(10.0 * views()["view_1"])
    x = Block()(scale(clips))
    flat = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(clips, {"embeddings": x, "more": flat} if as_dict else flat)


def test_any_encoder_learns():
    encoder = own_encoder()
    byol = byol_of(encoder, hidden=4, size=3, momentum=0.5)
    assert byol.cosine.axis == "features"
    assert byol.product.output["embeddings"].shape == (None, 1, 4)
    before = encoder.get_weights()
    for theirs, ours in zip(byol.target.get_weights(), byol.online.get_weights(), strict=False):
        np.testing.assert_array_equal(theirs, ours)  # the adapted scale, too
    byol.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    step(byol)
    kernels = [w for w in encoder.weights if w.path.endswith("kernel")]
    (follower,) = [t for t, o in byol.followers.pairs if o is kernels[0]]
    start = before[[w is kernels[0] for w in encoder.weights].index(True)]
    learnt = to_numpy(kernels[0])
    assert np.abs(learnt - start).max() > 1e-4
    np.testing.assert_allclose(to_numpy(follower), (start + learnt) / 2, rtol=0, atol=1e-6)


def test_a_sequential_encoder_learns():
    dense = keras.layers.Dense(4)
    encoder = keras.Sequential([keras.Input((5, 6)), dense, keras.layers.GlobalMaxPooling1D()])
    byol = byol_of(encoder, hidden=4, size=3)
    byol.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = to_numpy(dense.kernel)
    step(byol)
    assert np.abs(to_numpy(dense.kernel) - before).max() > 1e-4


def test_an_encoder_of_parts_learns_along_its_parts():
    byol = byol_of(own_encoder(as_dict=True), hidden=4, size=3)
    assert byol.cosine.axis == "strips"
    assert byol.product.output["prediction"].shape == (None, 5, 3)
    assert byol_of(own_encoder(as_dict=True), 4, 3, cosine="features").cosine.axis == "features"


def test_losses_of_the_encoder_itself_count():
    clips = keras.Input((5, 6))
    decay = keras.regularizers.L2(0.5)
    encoder = keras.Model(clips, keras.layers.Dense(2, kernel_regularizer=decay)(clips))
    byol = byol_of(encoder, hidden=4, size=3)
    loss = float(byol.compute_loss(y_pred=byol(views())))
    own = 0.5 * np.square(encoder.get_weights()[0]).sum()
    assert loss - regression(byol, views(), training=False) == pytest.approx(own, rel=1e-4)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="once is enough")
def test_in_half_precision_an_encoder_gets_the_views_as_they_are():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        clips = keras.Input((6,), dtype="float32")
        byol = byol_of(keras.Model(clips, keras.layers.Dense(4, dtype="float32")(clips)), hidden=4, size=3)
        batch = {name: clips[:, 0] for name, clips in views().items()}
        found = ops.convert_to_numpy(byol(batch)["prediction_1"])
    finally:
        keras.config.set_dtype_policy(before)
    alone = ops.convert_to_numpy(byol.online(batch["view_1"])["prediction"])
    np.testing.assert_array_equal(found, alone)


def test_what_is_no_encoder_is_refused():
    clips = keras.Input((5, 6))
    for what, name in ((Block(), "Block"), (keras.Sequential([Block()]), "Sequential")):
        with pytest.raises(ValueError, match=f"must be a functional model.*Received: {name} with the output"):
            byol_of(what)
    with pytest.raises(ValueError, match=r"\(batch, parts, dim\) or \(batch, dim\). Received: Functional"):
        byol_of(keras.Model(clips, clips[..., None]))
    with pytest.raises(ValueError, match=r"needs several. Received: cosine='strips' and one part"):
        byol_of(own_encoder(), cosine="strips")
