"""Several devices: ``MirroredStrategy`` on TensorFlow, ``DataParallel`` on JAX."""

import contextlib
import functools

import keras
from keras import ops

from keras_gait.errors import GaitError
from keras_gait.layers import BatchNorm


def distribute(count):
    """A context in which a model must be built and compiled to train on ``count`` devices.

    GPUs where there are any, else the logical CPU devices of the backend (two of them stand in for two GPUs
    in tests). 0 and 1 mean plain training.

    Raises:
        GaitError: fewer devices than asked for, or a backend that cannot.
    """
    if count <= 1:
        return contextlib.nullcontext()
    backend = keras.backend.backend()
    if backend == "torch":
        raise GaitError(
            f"--multi_gpu {count} does not run on PyTorch. Set KERAS_BACKEND to tensorflow or jax"
        )
    devices = keras.distribution.list_devices() if backend == "jax" else _tensorflow_devices()
    if len(devices) < count:
        raise GaitError(f"--multi_gpu {count} asks for more devices than there are: {', '.join(devices)}")
    if backend == "jax":
        return _data_parallel(devices[:count])
    return _strategy(tuple(devices[:count])).scope()


@contextlib.contextmanager
def undistributed():
    """Within, JAX takes batches of any size, those that do not divide among the devices, too."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def check_division(p, k, devices):
    """`GaitError` unless a batch of P x K divides among the devices."""
    if p * k % devices:
        raise GaitError(
            f"a batch of {p} x {k} sequences (sampler.p x sampler.k, of all devices together) does not "
            f"divide among {devices} devices. Choose another --p, --k or --multi_gpu"
        )


@functools.cache
def _strategy(devices):
    """One strategy for the same devices: TensorFlow mixes up what two of them reduce over replicas."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


@contextlib.contextmanager
def _data_parallel(devices):
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


def _tensorflow_devices():
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in devices]


def gather(values):
    """A tensor of this replica -> those of all replicas along the first axis, gradients included.

    On one device, and on JAX, where a batch is one array on all devices, ``values`` as they are.
    """
    if keras.backend.backend() != "tensorflow":
        return values
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return values
    gathered = replica.all_gather(tf.convert_to_tensor(values), axis=0)
    gathered.set_shape((None, *values.shape[1:]))  # it forgets them all
    return gathered


class OverReplicas(keras.losses.Loss):
    """A loss of the samples of all replicas together, for losses that compare samples."""

    def __init__(self, loss):
        super().__init__(name=loss.name)
        self.loss = loss

    def call(self, y_true, y_pred):
        value = self.loss.call(gather(y_true), gather(y_pred))
        return ops.reshape(value, (-1,))  # Keras takes a scalar's share for each replica as the whole


def replicas():
    """How many devices share a batch where a model is being made."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def share_batches(model, devices):
    """Tell the model's normalisation how many devices share a batch; on JAX it sees all of it anyway.

    Of models within the model, too.
    """
    if keras.backend.backend() == "tensorflow":
        for layer in model.layers:
            if isinstance(layer, BatchNorm):
                layer.replicas = devices
            elif isinstance(layer, keras.Model):
                share_batches(layer, devices)


def half_precision_policy():
    """The dtype policy of ``--mixed_precision``: float16 needs a GPU, bfloat16 runs anywhere."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        on_gpu = bool(tf.config.list_physical_devices("GPU"))
    elif backend == "jax":
        import jax

        on_gpu = jax.default_backend() == "gpu"
    else:
        import torch

        on_gpu = torch.cuda.is_available()
    return "mixed_float16" if on_gpu else "mixed_bfloat16"
