"""Gradients on whichever backend runs, for tests and the parity runner."""

import keras
import numpy as np
from keras import ops


def gradient(function, values):
    """Gradient of the scalar ``function(tensor)`` at ``values``, as a NumPy array."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return np.asarray(as_one(jax.grad(function))(ops.convert_to_tensor(values)))
    if backend == "torch":
        tensor = ops.convert_to_tensor(values).detach().requires_grad_(True)
        function(tensor).backward()
        return ops.convert_to_numpy(tensor.grad)
    import tensorflow as tf

    tensor = tf.Variable(values)
    with tf.GradientTape() as tape:
        value = function(tensor)
    return tape.gradient(value, tensor, unconnected_gradients="zero").numpy()


def as_one(function):
    """The function of tensors itself; on JAX compiled as one, as its operations one by one take longer."""
    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(function)


def model_gradients(model, inputs, loss):
    """Terms and gradients of one training-mode pass of a model.

    ``loss(outputs, regularisation)`` returns a dict of scalars with the key ``"total"``. Returns that dict
    and the gradients of the total in the order of ``model.trainable_variables``, all NumPy.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        fixed = [v.value for v in model.non_trainable_variables]

        def total(trainable):
            outputs, _, losses = model.stateless_call(
                trainable, fixed, inputs, training=True, return_losses=True
            )
            terms = loss(outputs, sum(losses))
            return terms["total"], terms

        grads, terms = jax.grad(total, has_aux=True)([v.value for v in model.trainable_variables])
    elif backend == "torch":
        terms = loss(model(inputs, training=True), sum(model.losses))
        terms["total"].backward()
        grads = [v.value.grad for v in model.trainable_variables]
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            terms = loss(model(inputs, training=True), sum(model.losses))
        grads = tape.gradient(terms["total"], [v.value for v in model.trainable_variables])
    return {k: float(ops.convert_to_numpy(v)) for k, v in terms.items()}, [
        ops.convert_to_numpy(g) for g in grads
    ]
