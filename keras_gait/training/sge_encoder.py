"""SGE's encoder of one axis, trained without labels on one pretext task (spec, sections 3, 5 and 6)."""

import keras
import numpy as np
from keras import ops

from keras_gait.data.sampling import ConsecutiveSampler
from keras_gait.data.skeleton_batches import SkeletonBatches
from keras_gait.data.skeletons.normalisation import axis_range
from keras_gait.data.skeletons.published import biwi_training_rows
from keras_gait.data.skeletons.recordings import recording_of
from keras_gait.errors import GaitError
from keras_gait.losses.locality import Locality
from keras_gait.losses.neighbours import NeighbourContrast
from keras_gait.losses.reconstruction import HalfSquaredError, half_squares
from keras_gait.models.sge import AXES, TASKS
from keras_gait.models.skeleton_axis import SGEAxis
from keras_gait.training.checkpointing import export, to_numpy
from keras_gait.training.clipped_adam import ClippedAdam
from keras_gait.training.devices import OverReplicas, distribute, undistributed
from keras_gait.training.plateau import HalveAndStop
from keras_gait.training.runs import FINAL_MODEL
from keras_gait.training.stage import seed_of, train_stage

SCHEDULES = ("plateau", "constant")


def train_encoder(recipe, options, task, axis, training, validation, folder, compiled):
    """Train the encoder of ``task`` and ``axis`` (0, 1, 2) -> its ``model-final.keras`` in ``folder``.

    Args:
        options: arguments of its `SGEAxis`, see `SGE.axis_options`.
        training: the windows to learn from, in file order. validation: those held out, or None: the first
            batch of training stands in, as published.
        compiled: a dict that keeps the compiled models of a run; encoders of the same options share one, for
            compiling takes as long as some epochs.
    """
    train, title = recipe["train"], f"{task}-{AXES[axis]}"
    keras.utils.set_random_seed(seed_of(train["seed"], TASKS.index(task), axis))
    batches = make_batches(recipe, training, task, axis)
    with distribute(train["multi_gpu"]):
        model = _start(recipe, options, compiled)
        if options["normalise"] == "range":
            model.get_layer("normalisation").set_range(*axis_range(training, axis))
        batches.label_outputs = tuple(model.output)

        def make_callbacks(done):
            own = [EncoderValidation(recipe, batches, validation, title)]
            if recipe["schedule"]["name"] == "plateau":
                told = title if train["verbose"] else None
                own.append(HalveAndStop("val_reconstruction", folder / "history.csv", done, told))
            return own

        train_stage(model, batches, folder, train["epochs"], train, make_callbacks)
    export(model, folder / FINAL_MODEL)


def _start(recipe, options, compiled):
    """A compiled model with new weights, its optimizer at the start."""
    fresh = SGEAxis(**options, l2=recipe["losses"]["l2"], decay=recipe["losses"]["decay"])
    key = tuple(options.items())
    if key not in compiled:
        compile_axis(recipe, fresh)
        compiled[key] = fresh
        return fresh
    model = compiled[key]
    model.set_weights(fresh.get_weights())
    for variable in model.optimizer.variables:
        variable.assign(np.zeros(variable.shape))
    model.optimizer.learning_rate = recipe["optimizer"]["learning_rate"]
    return model


def make_batches(recipe, dataset, task, axis, limit=True):
    """The recipe's `SkeletonBatches` over windows in file order; ``limit``: as training takes them."""
    settings, devices = recipe["sampler"], max(1, recipe["train"]["multi_gpu"])
    published = settings["published"] and limit
    total = len(dataset)
    if published and recipe["data"]["dataset"] == "BIWI":
        total = len(biwi_training_rows(total))
    if limit:
        total -= total % devices
        if settings["batch_size"] % devices:
            raise GaitError(
                f"a batch of {settings['batch_size']} sequences (sampler.batch_size, --bs; of all devices "
                f"together) does not divide among {devices} devices"
            )
    return SkeletonBatches(
        dataset,
        axis,
        task,
        ConsecutiveSampler(total, settings["batch_size"], published),
        recording_of(dataset),
        seed_of(recipe["train"]["seed"], TASKS.index(task)),
        recipe["losses"]["pairs"],
    )


def compile_axis(recipe, model):
    """Give an `SGEAxis` its losses, all of weight 1, and Adam with clipped gradients."""
    losses = {"errors": HalfSquaredError()}
    if "alignment" in model.output:
        losses["alignment"] = Locality(model.get_config()["locality"])
    if "projection" in model.output:
        losses["projection"] = OverReplicas(make_contrast(recipe))
    settings = recipe["optimizer"]
    optimizer = ClippedAdam(settings["learning_rate"], settings["clip"])
    model.compile(optimizer, loss=losses, metrics={"errors": [LastReconstruction()]})


def make_contrast(recipe):
    return NeighbourContrast(recipe["losses"]["temperature"], recipe["losses"]["pairs"])


class LastReconstruction(keras.metrics.Metric):
    """Reconstruction loss of a sequence of the last batch; `EncoderValidation` makes a batch's sum of it.

    What several devices found comes together as a sum of their variables, so only a ratio is safe.
    """

    def __init__(self, name="last", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = half_squares(y_pred)
        self.total.assign(ops.sum(values))
        self.count.assign(ops.sum(ops.ones_like(values)))

    def result(self):
        return self.total / ops.maximum(self.count, 1.0)


class EncoderValidation(keras.callbacks.Callback):
    """At the end of an epoch: losses of windows held out, and one line with what there is to see.

    ``errors_last`` (of the last batch of training, which may be a smaller one) and ``val_reconstruction``
    become means over sequences times the size of a batch, to stand beside each other and the sums that were
    published; ``val_contrast`` is the mean over batches, where there is a contrast.

    Args:
        batches: those of training. dataset: the windows held out; None: the first batch of training.
        title: what the line begins with.
    """

    def __init__(self, recipe, batches, dataset, title):
        super().__init__()
        self.batches, self.count = batches, 1
        if dataset is not None:
            self.batches = make_batches(recipe, dataset, batches.task, batches.axis, limit=False)
            self.count = self.batches.sampler.steps_per_epoch
        self.steps, self.size = batches.sampler.steps_per_epoch, recipe["sampler"]["batch_size"]
        self.contrast = make_contrast(recipe) if "projection" in batches.label_outputs else None
        self.title, self.train = title, recipe["train"]
        self.logged = ("val_reconstruction", "val_contrast") if self.contrast else ("val_reconstruction",)

    def on_epoch_end(self, epoch, logs=None):
        with undistributed():
            logs.update(self.measure())
        logs["errors_last"] = logs["errors_last"] * self.size
        if self.train["verbose"]:
            contrast = f", L_C {logs['val_contrast']:.4f}" if self.contrast else ""
            print(
                f"{self.title} epoch {epoch + 1}/{self.train['epochs']}: batch {self.steps}/{self.steps}, "
                f"L_R {logs['errors_last']:.4f}, validation L_R {logs['val_reconstruction']:.4f}{contrast}"
            )

    def measure(self):
        """The values of all windows held out, as a dict."""
        sums, contrasts, sizes = [], [], []
        for number in range(self.count):
            pair, recordings, _ = self.batches[number]
            found = self.model.predict_on_batch(dict(zip(self.batches.input_names, pair, strict=True)))
            size = len(recordings)  # each replica gives them all
            sums.append(0.5 * np.square(found["errors"][:size], dtype=np.float64).sum())
            sizes.append(size)
            if self.contrast:
                contrasts.append(float(to_numpy(self.contrast.call(recordings, found["projection"][:size]))))
        values = {"val_reconstruction": float(sum(sums) / sum(sizes) * self.size)}
        return values | ({"val_contrast": float(np.mean(contrasts))} if self.contrast else {})
