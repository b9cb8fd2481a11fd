"""Learning without labels from two views of a clip, on every backend (BYOL, Grill et al., 2020).

For any Keras encoder of your own::

    byol = byol_of(encoder)
    byol.compile(keras.optimizers.SGD(0.03, momentum=0.9))
    byol.fit(batches)  # of ({"view_1": clips, "view_2": clips},)

and ``encoder`` has learnt. It is what one saves; of ``byol`` itself, ``save_weights`` keeps the heads and
the target, too.
"""

import math

import keras
from keras import ops

from keras_gait.layers import mlp_head
from keras_gait.losses import StripCosine
from keras_gait.training.checkpointing import to_numpy
from keras_gait.training.devices import replicas, share_batches


class Followers:
    """Variables that follow others: at first their copies, then ``t <- m t + (1 - m) o`` at each step.

    They are made untrainable, so that they get neither a gradient nor an optimizer's decay.

    Args:
        pairs: ``[(follower t, variable o)]``.
    """

    def __init__(self, pairs):
        self.pairs = pairs
        for follower, leader in pairs:
            follower.assign(to_numpy(leader))
            follower.trainable = False  # of the whole model it would stop its normalisation from learning

    def follow(self, momentum):
        for follower, leader in self.pairs:
            before, new = (ops.cast(v.value, "float32") for v in (follower, leader))
            follower.assign(momentum * before + (1.0 - momentum) * ops.stop_gradient(new))


class Byol(keras.Model):
    """An online network learns to predict what a slower target network makes of another view.

    The loss is ``mean(1 - cos(p(view 1), z(view 2))) + mean(1 - cos(p(view 2), z(view 1)))`` with the online
    network's prediction p and the target's projection z, from 0 to 4 (SelfGait, sections 1, 4, 5). After each
    update the target's parameters follow the online ones; its normalisation uses and counts its own batches.

    Batches are ``({"view_1": clips, "view_2": clips}, {"labels": (batch,)})``, clips ``(batch, frames,
    ...)``; labels only for ``triplet``. ``compile`` takes an optimizer, no loss.

    Attributes:
        product: the online network, what a training is for.
        steps: updates done.

    Args:
        online: a functional model with the output ``"prediction" (batch, parts, size)`` and, for ``triplet``,
            ``"embeddings" (batch, parts, dim)``.
        target: a model with the output ``(batch, parts, size)``; its parameters become copies.
        cosine: ``"strips"`` or ``"features"``, see `StripCosine`.
        frames: ``"same"``: both networks see whole clips; ``"next"``: the online network all frames but the
            last, the target the last alone.
        momentum: m, from 0 to 1.
        ramp: steps in which m rises to 1: ``1 - (1 - m) (cos(pi step / ramp) + 1) / 2``; 0, m is constant.
        triplet: a loss of (labels, embeddings) that every ``triplet_every``-th step, the first among them,
            has of view 1's whole clips instead; under a strategy it gathers what it compares itself.
        triplet_every: see ``triplet``.
        pairs: ``[(target's variable, online variable that it follows)]``; None, those of the same ``path``.
    """

    label_outputs = ("labels",)

    def __init__(
        self,
        online,
        target,
        cosine="strips",
        frames="same",
        momentum=0.996,
        ramp=0,
        triplet=None,
        triplet_every=5,
        pairs=None,
        name="byol",
    ):
        super().__init__(name=name, autocast=False)  # what either network takes it casts itself
        _check_options(frames, momentum, ramp, triplet_every)
        _check_outputs(online, target, cosine, triplet)
        self.online, self.target = online, target
        self.cosine = StripCosine(cosine)
        self.next_frame = frames == "next"
        self.momentum, self.ramp = momentum, ramp
        self.triplet, self.triplet_every = triplet, triplet_every
        if triplet is not None:
            self.embed = keras.Model(online.input, online.output["embeddings"], name="embed")
        self.followers = Followers(pairs or pairs_by_path(target, online))
        for variable in target.trainable_variables:  # one that follows nothing
            variable.trainable = False
        self.steps = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="steps"
        )
        share_batches(self, replicas())
        self.built = True

    @property
    def product(self):
        return self.online

    def compile(self, optimizer="rmsprop", loss=None, **options):
        if loss is not None:
            raise ValueError(f"Byol has a loss of its own. Received: loss={loss!r}")
        super().compile(optimizer, **options)

    def call(self, views, training=False):
        """Dict of each view's prediction and projection and, for triplets, view 1's embeddings."""
        if not isinstance(views, dict) or not {"view_1", "view_2"} <= views.keys():
            found = ", ".join(views) if isinstance(views, dict) else type(views).__name__
            raise ValueError(
                "Two views are learnt from, ({'view_1': clips, 'view_2': clips}, ...). Received: " + found
            )
        outputs, first = {}, views["view_1"]
        for i, clips in enumerate((first, views["view_2"]), 1):
            if self.next_frame and clips.shape[1] == 1:
                raise ValueError(
                    f"A next frame takes clips of at least 2 frames. Received: view_{i} {tuple(clips.shape)}"
                )
            seen, met = (clips[:, :-1], clips[:, -1:]) if self.next_frame else (clips, clips)
            online = self.online(seen, training=training)
            outputs[f"prediction_{i}"] = online["prediction"]
            outputs[f"projection_{i}"] = ops.stop_gradient(self.target(met, training=training))
            if i == 1 and self.triplet is not None:
                whole = self.embed(first, training=training) if self.next_frame else online["embeddings"]
                outputs["embeddings"] = whole
        return outputs

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = self.cosine(y_pred["projection_2"], y_pred["prediction_1"])
        loss += self.cosine(y_pred["projection_1"], y_pred["prediction_2"])
        if self.triplet is not None:
            # by weights: one step for all, whatever compiles it
            turn = ops.cast(self.steps % self.triplet_every == 0, loss.dtype)
            loss = turn * self.triplet(y["labels"], y_pred["embeddings"]) + (1.0 - turn) * loss
        if self.losses:  # an encoder's own
            loss += super().compute_loss(x, y, y_pred, sample_weight)
        return loss

    def momentum_now(self):
        """m of the step that is being made."""
        if not self.ramp:
            return self.momentum
        share = ops.minimum(ops.cast(self.steps, "float32") / self.ramp, 1.0)
        return 1.0 - (1.0 - self.momentum) * (ops.cos(math.pi * share) + 1.0) / 2.0

    def train_step(self, *arguments):
        """Keras's own step of the backend, then the target follows."""
        if keras.backend.backend() == "jax":
            logs, state = super().train_step(*arguments)
            return logs, self._followed(*state)
        logs = super().train_step(*arguments)
        self._follow()
        return logs

    def _follow(self):
        self.followers.follow(self.momentum_now())
        self.steps.assign_add(1)

    def _followed(self, trainable, others, optimizer, metrics):
        """JAX's state with the target's variables one step on."""
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        with keras.StatelessScope(list(zip(variables, [*trainable, *others], strict=True))) as scope:
            self._follow()
        others = [scope.get_current_value(variable) for variable in self.non_trainable_variables]
        return trainable, others, optimizer, metrics


def byol_of(encoder, hidden=256, size=128, **options):
    """A `Byol` that trains any functional or sequential Keras encoder, which shares its weights.

    Adds a projector and a predictor (`mlp_head`); the target is a clone of encoder and projector.

    Args:
        encoder: its output, or of a dict the output ``"embeddings"``, is ``(batch, parts, dim)`` or ``(batch,
            dim)``; the latter counts as one part, whose cosine is along its features.
        hidden: channels within either head.
        size: channels that either head gives.
        options: of `Byol`.
    """
    if isinstance(encoder, keras.Sequential) and encoder.built:
        encoder = keras.Model(encoder.inputs, encoder.outputs[0])
    output = getattr(encoder, "output", None)  # which only a functional model has
    embeddings = output.get("embeddings") if isinstance(output, dict) else output
    if embeddings is None or isinstance(embeddings, list | tuple) or len(embeddings.shape) not in (2, 3):
        raise ValueError(
            "The encoder must be a functional model, keras.Model(inputs, encoder(inputs)), with one output "
            "or one named 'embeddings', (batch, parts, dim) or (batch, dim). Received: "
            f"{type(encoder).__name__} with the output {output!r}"
        )
    if len(embeddings.shape) == 2:
        embeddings = keras.layers.Reshape((1, embeddings.shape[1]), name="one_part")(embeddings)
        options = {"cosine": "features"} | options
    projection = mlp_head(embeddings, hidden, size, "projector")
    prediction = mlp_head(projection, hidden, size, "predictor")
    outputs = {"embeddings": embeddings, "projection": projection, "prediction": prediction}
    online = keras.Model(encoder.input, outputs, name="online")
    branch = keras.Model(encoder.input, projection, name="target")
    target = keras.models.clone_model(branch)
    target.set_weights(branch.get_weights())  # what is not trained, too
    # in order, for a layer within a layer may be named anew
    pairs = [(t, o) for t, o in zip(target.weights, branch.weights, strict=True) if o.trainable]
    return Byol(online, target, pairs=pairs, **options)


def pairs_by_path(target, online):
    """``[(target's parameter, online weight of the same path)]``.

    Raises:
        ValueError: the online network lacks one, or has it in another shape.
    """
    leaders = {weight.path: weight for weight in online.weights}
    for weight in target.trainable_variables:
        if weight.path not in leaders:
            raise ValueError(f"The online network lacks a weight of the target. Received: {weight.path}")
        if weight.shape != leaders[weight.path].shape:
            raise ValueError(
                "The target must have weights of the online network's shapes. Received: "
                f"{weight.path} {tuple(weight.shape)} for {tuple(leaders[weight.path].shape)}"
            )
    return [(weight, leaders[weight.path]) for weight in target.trainable_variables]


def _check_options(frames, momentum, ramp, triplet_every):
    if frames not in ("same", "next"):
        raise ValueError(f"frames must be 'same' or 'next'. Received: frames={frames!r}")
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum must be from 0 to 1. Received: momentum={momentum}")
    if ramp < 0:
        raise ValueError(f"ramp must be a number of steps, or 0. Received: ramp={ramp}")
    if triplet_every < 1:
        raise ValueError(f"triplet_every must be at least 1. Received: triplet_every={triplet_every}")


def _check_outputs(online, target, cosine, triplet):
    outputs = getattr(online, "output", None)  # which only a functional model has
    needed = ("prediction",) if triplet is None else ("prediction", "embeddings")
    if not isinstance(outputs, dict) or not all(name in outputs for name in needed):
        raise ValueError(
            f"The online network must be a functional model with the outputs {', '.join(needed)}. Received: "
            f"{type(online).__name__} with {', '.join(outputs) if isinstance(outputs, dict) else outputs!r}"
        )
    prediction, projection = outputs["prediction"].shape, target.output.shape
    if len(prediction) != 3 or prediction != projection:
        raise ValueError(
            "Prediction and target must be of one shape, (batch, parts, size). Received: "
            f"{prediction} and {projection}"
        )
    if cosine == "strips" and prediction[1] == 1:
        raise ValueError("A cosine along strips needs several. Received: cosine='strips' and one part")
