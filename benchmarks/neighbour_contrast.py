"""The contrast of neighbouring sequences against a loop over its pairs, on the backend of ``KERAS_BACKEND``.

    python benchmarks/neighbour_contrast.py
    KERAS_BACKEND=torch python benchmarks/neighbour_contrast.py --batch 32 --units 64

Value and gradient of the loss for random projections. The loop computes, for each row of every pair, the
cosine to each other row, one after the other, in NumPy; it is timed right after ours. Prints one JSON line
per figure.
"""

import argparse
import sys

import keras
import numpy as np
from keras import ops
from timing import report, shortest

from keras_gait.losses import NeighbourContrast


def make_ours(temperature):
    """``z (batch, units)`` -> loss and gradient, compiled."""
    loss = NeighbourContrast(temperature)
    backend = keras.backend.backend()

    def value(z):
        return loss(ops.zeros(z.shape[0]), z)

    if backend == "jax":
        import jax

        compiled = jax.jit(jax.value_and_grad(value))
        return lambda z: [np.asarray(each) for each in compiled(z)]
    if backend == "torch":
        return lambda z: _by_backward(value, z)
    import tensorflow as tf

    @tf.function
    def compiled(z):
        with tf.GradientTape() as tape:
            tape.watch(z)
            found = value(z)
        return found, tape.gradient(found, z)

    return lambda z: [each.numpy() for each in compiled(tf.convert_to_tensor(z))]


def _by_backward(value, z):
    tensor = ops.convert_to_tensor(z).detach().requires_grad_(True)
    found = value(tensor)
    found.backward()
    return [ops.convert_to_numpy(found), ops.convert_to_numpy(tensor.grad)]


def looped(z, temperature):
    """Loss and gradient, row by row and pair by pair."""
    lengths = [np.sqrt(row @ row) for row in z]
    x = [row / length for row, length in zip(z, lengths, strict=True)]
    rows = [*range(1, len(z)), *range(len(z) - 1)]
    total, slopes = 0.0, [np.zeros_like(row) for row in z]
    for i, row in enumerate(rows):
        partner = (i + len(z) - 1) % len(rows)
        others = [k for k in range(len(rows)) if k != i]
        scores = [x[row] @ x[rows[k]] / temperature for k in others]
        highest = max(scores)
        weights = [np.exp(score - highest) for score in scores]
        whole = sum(weights)
        total += highest + np.log(whole) - scores[others.index(partner)]
        for k, weight in zip(others, weights, strict=True):
            slope = (weight / whole - (k == partner)) / temperature
            slopes[row] += slope * x[rows[k]]
            slopes[rows[k]] += slope * x[row]
    gradient = [(s - x_i * (x_i @ s)) / n for s, x_i, n in zip(slopes, x, lengths, strict=True)]
    return total / len(rows), np.array(gradient) / len(rows)


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    z = np.random.default_rng(0).normal(size=(args.batch, args.units)).astype(np.float32)
    ours = make_ours(args.temperature)
    found, expected = ours(z), looped(z, args.temperature)  # the first call of ours compiles
    seconds = shortest(lambda: ours(z), 4 * args.repeats)
    loop = shortest(lambda: looped(z, args.temperature), args.repeats)
    apart = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(found, expected, strict=True)]
    figures = {
        "losses a second": 1 / seconds,
        "losses a second by the loop": 1 / loop,
        "ratio": loop / seconds,
        "difference of the value": apart[0],
        "difference of the gradient": apart[1],
    }
    setting = {"backend": keras.backend.backend(), "batch": args.batch, "units": args.units}
    for figure, value in figures.items():
        report("neighbour_contrast", figure, value, **setting)


if __name__ == "__main__":
    main(sys.argv[1:])
