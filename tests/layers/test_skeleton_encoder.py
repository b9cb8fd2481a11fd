"""The network of one axis: its start, its ways of decoding and of contrast, what it refuses."""

import numpy as np
import pytest
from keras import ops

from keras_gait.layers import SkeletonEncoder

B, F, J, H = 3, 4, 5, 6
X, FORCED = np.random.default_rng(0).normal(size=(2, B, F, J)).astype("float32")


def run(encoder, *arguments, **options):
    return {name: ops.convert_to_numpy(each) for name, each in encoder(*arguments, **options).items()}


def test_the_start_is_the_published_one():
    encoder = SkeletonEncoder(20, 64)
    encoder.build((None, 6, 20))
    for cell in [*(layer.cell for layer in encoder.layers), *encoder.decoder.cells]:
        for kernel in map(ops.convert_to_numpy, (cell.kernel, cell.recurrent_kernel)):
            assert 0.099 < np.abs(kernel).max() <= 0.1
        bias = ops.convert_to_numpy(cell.bias)
        np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 64))  # the second is the forget gate's
    for layer in encoder.head:
        assert np.std(ops.convert_to_numpy(layer.kernel)) == pytest.approx(1, abs=0.1)
    frame = ops.convert_to_numpy(encoder.decoder.frame.kernel)
    assert np.std(frame) == pytest.approx(0.1, abs=0.02)
    assert np.abs(frame).max() < 0.3  # two standard deviations of the normal distribution that is cut there
    kernels = [encoder.decoder.memory_layer.kernel, encoder.decoder.attention_layer.kernel]
    for kernel in map(ops.convert_to_numpy, kernels):
        assert np.abs(kernel).max() == pytest.approx(np.sqrt(6 / sum(kernel.shape)), rel=0.01)  # Glorot


@pytest.mark.backend
def test_codes_are_attention_times_what_was_encoded():
    found = run(SkeletonEncoder(J, H), X)
    np.testing.assert_allclose(found["codes"], found["attention"] @ found["encoded"], atol=1e-6)
    assert {name: each.shape for name, each in found.items()} == {
        "encoded": (B, F, H),
        "outputs": (B, F, J),
        "attention": (B, F, F),
        "codes": (B, F, H),
        "projection": (B, H),
    }


def test_a_teacher_is_heard_one_step_late_and_not_missed():
    taught, silent = SkeletonEncoder(J, H, "teacher", "none"), SkeletonEncoder(J, H, contrast="none")
    free = run(taught, X)["outputs"]  # without a teacher it hears itself
    np.testing.assert_allclose(run(taught, X, free)["outputs"], free, atol=1e-6)
    other = run(taught, X, FORCED)["outputs"]
    np.testing.assert_allclose(other[:, 0], free[:, 0], atol=1e-6)
    assert (np.abs(other - free)[:, 1:] > 1e-6).any()
    last = FORCED + np.float32(np.arange(F) == F - 1)[:, None]  # a last frame comes too late for any step
    np.testing.assert_allclose(run(taught, X, last)["outputs"], other, atol=1e-6)

    silent.build(X.shape)
    silent.set_weights(taught.get_weights())
    zeros = run(silent, X)["outputs"]
    np.testing.assert_allclose(run(taught, X, np.zeros_like(X))["outputs"], zeros, atol=1e-6)
    np.testing.assert_allclose(run(silent, X, free=True)["outputs"], free, atol=1e-6)
    assert "projection" not in run(silent, X)


def test_it_is_made_again_from_its_configuration():
    encoder = SkeletonEncoder(J, H, "teacher", "frozen")
    again = SkeletonEncoder.from_config(encoder.get_config())
    assert again.get_config() == encoder.get_config()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decoding": "free"}, "decoding must be zeros or teacher. Received: decoding='free'"),
        ({"contrast": "yes"}, "contrast must be joint, frozen or none. Received: contrast='yes'"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        SkeletonEncoder(J, H, **options)


def test_skeletons_of_other_joints_are_refused():
    with pytest.raises(ValueError, match=r"skeletons must have 25 joints\. Received: "):
        SkeletonEncoder(25, H)(X)
