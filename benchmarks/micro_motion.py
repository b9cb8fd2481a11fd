"""The micro-motion blocks of all strips at once against a pair of blocks a strip, on ``KERAS_BACKEND``.

    python benchmarks/micro_motion.py
    KERAS_BACKEND=torch python benchmarks/micro_motion.py --batch 32

Forward pass, and gradient for weights and input of the mean square, of SelfGait's blocks for random strips.
The separate blocks are Keras's own convolutions and poolings with the same weights; both are compiled where
the backend compiles, and timed right after each other. Prints one JSON line per figure.
"""

import argparse
import sys

import keras
import numpy as np
from keras import layers, ops
from timing import report, shortest

from keras_gait.layers import PartsConvolution, micro_motion
from keras_gait.layers.micro_motion import WINDOWS


def together(frames, parts, channels, hidden):
    """Ours: ``(batch, frames, parts, channels)``, shape kept."""
    x = keras.Input((frames, parts, channels))
    everywhere = ops.ones_like(x[:, :, 0, 0])
    options = {"use_bias": True, "kernel_initializer": "fan_in_uniform"}
    return keras.Model(x, micro_motion(x, everywhere, hidden, "blocks", **options))


def separate(grouped, hidden):
    """One pair of blocks a strip, with the weights of the ``grouped``."""
    x = keras.Input(grouped.input.shape[1:])
    *_, parts, channels = x.shape
    convolutions = [layer for layer in grouped.layers if isinstance(layer, PartsConvolution)]
    weights = {layer.name: layer.get_weights() for layer in convolutions}
    owners = []

    def convolved(strip, units, size, activation, name, i):
        layer = layers.Conv1D(units, size, padding="same", activation=activation)
        owners.append((layer, [of_all[i] for of_all in weights[name]]))
        return layer(strip)

    def block(strip, i, name, window, size):
        scores = convolved(strip, hidden, 3, "relu", f"{name}-0", i)
        scores = convolved(scores, channels, size, "sigmoid", f"{name}-2", i)
        mean = layers.AveragePooling1D(window, 1)(layers.ZeroPadding1D(window // 2)(strip))
        return scores * (layers.MaxPooling1D(window, 1, "same")(strip) + mean)

    strips = []
    for i in range(parts):
        first, second = (
            block(x[:, :, i], i, f"blocks-conv_list_{n}", *sizes) for n, sizes in enumerate(WINDOWS, 1)
        )
        strips.append(first + second)
    model = keras.Model(x, ops.stack(strips, axis=2))
    for layer, own in owners:
        layer.set_weights(own)
    return model


def _loss(outputs):
    return ops.mean(ops.square(outputs))


def passes(model, x):
    """Two functions without arguments: output, and gradient for the input (those for weights are dropped)."""
    backend = keras.backend.backend()
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend](model, x)


def _tensorflow(model, x):
    import tensorflow as tf

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = _loss(model(x))
        return tape.gradient(loss, [x, *(weights.value for weights in model.trainable_weights)])

    forward, x = tf.function(model), tf.convert_to_tensor(x)
    return lambda: forward(x).numpy(), lambda: gradients(x)[0].numpy()


def _jax(model, x):
    import jax

    weights = [variable.value for variable in model.trainable_variables]
    forward = jax.jit(lambda weights, x: model.stateless_call(weights, [], x)[0])
    gradients = jax.jit(jax.grad(lambda weights, x: _loss(forward(weights, x)), argnums=(1, 0)))
    x = jax.numpy.asarray(x)
    return lambda: np.asarray(forward(weights, x)), lambda: np.asarray(
        jax.block_until_ready(gradients(weights, x))[0]
    )


def _torch(model, x):
    import torch

    weights = [variable.value for variable in model.trainable_variables]
    x = ops.convert_to_tensor(x).detach().requires_grad_(True)

    def forward():
        with torch.no_grad():
            return ops.convert_to_numpy(model(x))

    return forward, lambda: ops.convert_to_numpy(torch.autograd.grad(_loss(model(x)), [x, *weights])[0])


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--strips", type=int, default=31)
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--div", type=int, default=4, help="channels / hidden channels")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    keras.utils.set_random_seed(0)
    hidden = args.channels // args.div
    grouped = together(args.frames, args.strips, args.channels, hidden)
    models = grouped, separate(grouped, hidden)
    shape = (args.batch, args.frames, args.strips, args.channels)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    setting = {"backend": keras.backend.backend()} | {k: v for k, v in vars(args).items() if k != "repeats"}
    ours, theirs = (passes(model, x) for model in models)
    for name, one, other in zip(("forward passes", "gradients"), ours, theirs, strict=True):
        found, expected = one(), other()  # the first calls compile
        apart = np.abs(found - expected).max() / np.abs(expected).max()
        seconds, separately = shortest(one, args.repeats), shortest(other, args.repeats)
        figures = {
            f"{name} a second": 1 / seconds,
            f"{name} a second by separate blocks": 1 / separately,
            f"ratio of {name}": separately / seconds,
            f"difference of {name}": apart,
        }
        for figure, value in figures.items():
            report("micro_motion", figure, value, **setting)


if __name__ == "__main__":
    main(sys.argv[1:])
