"""Learning from two views: what is learnt from, what follows, what stays, on one device and on two."""

import keras
import numpy as np
import pytest
from keras import ops
from two_views import regression, step, views

from keras_gait.layers import mlp_head
from keras_gait.losses import BatchAllTriplet
from keras_gait.models import SelfGait
from keras_gait.models.selfgait import target_of
from keras_gait.training import Byol
from keras_gait.training.checkpointing import restore_state, save_state, to_numpy
from keras_gait.training.coupled_decay import CoupledSGD
from keras_gait.training.devices import OverReplicas, distribute

pytestmark = [
    pytest.mark.backend,
    pytest.mark.usefixtures("step_by_step"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]

BACKEND = keras.backend.backend()
LABELS = {"labels": np.array([0, 0, 1, 1], "int32")}


def encode(clips):
    """``(batch, frames, 6) -> (batch, 4 parts, 2)``."""
    x = keras.layers.Dense(8, name="frames")(clips)
    x = keras.layers.GlobalMaxPooling1D(name="time", dtype="float32")(x)
    return keras.layers.Reshape((4, 2), name="parts", dtype="float32")(x)


def networks(parameters=3):
    """An online network, and a target of other weights."""
    clips = keras.Input((None, 6))
    embeddings = encode(clips)
    projection = mlp_head(embeddings, 4, parameters, "projector")
    outputs = {"embeddings": embeddings, "prediction": mlp_head(projection, 4, parameters, "predictor")}
    again = keras.Input((None, 6))
    target = keras.Model(again, mlp_head(encode(again), 4, parameters, "projector"))
    return keras.Model(clips, outputs), target


def learner(optimizer=None, compiled=False, **options):
    """Step by step, since compiling costs more than a few steps; once, on two devices, it is compiled."""
    byol = Byol(*networks(), **options)
    byol.compile(optimizer or CoupledSGD(0.1), run_eagerly=not compiled)
    return byol


def weights(model, *parts):
    """Values by path, of those that have one of ``parts`` in it."""
    return {w.path: to_numpy(w) for w in model.weights if not parts or any(part in w.path for part in parts)}


def statistics(model):
    return weights(model, "moving")


def parameters(model):
    moving = statistics(model)
    return {path: value for path, value in weights(model).items() if path not in moving}


def assert_same(first, second, **tolerance):
    assert first.keys() == second.keys()
    for path, value in first.items():
        np.testing.assert_allclose(second[path], value, err_msg=path, rtol=0, **tolerance)


def test_the_loss_falls():
    byol = learner()
    losses = [step(byol) for _ in range(6)]
    assert losses[-1] < 0.6 * losses[0]
    assert int(byol.steps) == 6


def test_the_target_starts_as_a_copy_with_statistics_of_its_own():
    online, target = networks()
    norm = target.get_layer("projector-net-1")
    norm.moving_mean.assign(np.full(4, 5.0, "float32"))
    Byol(online, target)
    ours = parameters(online)
    for path, value in parameters(target).items():
        np.testing.assert_array_equal(value, ours[path])
    np.testing.assert_array_equal(to_numpy(norm.moving_mean), 5.0)


def test_a_step_learns_from_both_views_and_then_the_target_follows():
    byol = learner(momentum=0.75)
    twin = Byol(*networks())
    for part, other in ((byol.online, twin.online), (byol.target, twin.target)):
        other.set_weights(part.get_weights())
    before = parameters(byol.target)
    loss = step(byol)
    assert loss == pytest.approx(regression(twin, views()), abs=1e-5)
    after, moved = parameters(byol.online), parameters(byol.target)
    assert moved.keys() == before.keys() < after.keys()
    for path, value in moved.items():
        np.testing.assert_allclose(
            value, np.float32(0.75) * before[path] + np.float32(0.25) * after[path], rtol=0, atol=1e-7
        )
    assert max(np.abs(after[path] - before[path]).max() for path in before) > 1e-3


def test_the_target_counts_the_statistics_of_both_views_in_turn():
    byol = learner()
    _, twin = networks()
    twin.set_weights(byol.target.get_weights())
    step(byol)
    for clips in views().values():
        twin(clips, training=True)
    assert_same(statistics(twin), statistics(byol.target), atol=1e-6)
    assert np.abs(to_numpy(twin.get_layer("projector-net-1").moving_mean)).max() > 0.01


@pytest.mark.parametrize(
    "optimizer",
    [lambda: CoupledSGD(0.1, decay=0.5), lambda: keras.optimizers.AdamW(0.1, weight_decay=0.5)],
    ids=["CoupledSGD", "AdamW"],
)
def test_the_target_gets_neither_gradient_nor_decay(optimizer):
    byol = learner(optimizer(), momentum=1.0)
    assert not byol.target.trainable_variables
    assert len(byol.trainable_variables) == len(byol.online.trainable_variables)
    before, online = parameters(byol.target), parameters(byol.online)
    step(byol)
    assert_same(before, parameters(byol.target))
    changed = [path for path, value in parameters(byol.online).items() if (value != online[path]).any()]
    assert len(changed) == len(online)


def test_the_momentum_rises_along_a_cosine():
    byol = learner(momentum=0.9, ramp=4)
    found = []
    for done in (0, 2, 4, 9):
        byol.steps.assign(done)
        found.append(float(byol.momentum_now()))
    assert found == pytest.approx([0.9, 0.95, 1.0, 1.0])


def test_the_momentum_of_a_step_is_that_of_the_steps_before_it():
    byol = learner(momentum=0.0, ramp=1)
    step(byol)  # by 0: the target is the online network
    copied = parameters(byol.target)
    ours = parameters(byol.online)
    assert_same(copied, {path: ours[path] for path in copied}, atol=1e-7)
    step(byol)  # by 1: it stays
    assert_same(copied, parameters(byol.target), atol=1e-7)


def test_the_next_frame_is_told_from_those_before():
    byol = learner(frames="next", triplet=BatchAllTriplet())
    found = byol(views())
    expected = {"embeddings": byol.online(views()["view_1"])["embeddings"]}
    for i, clips in enumerate(views().values(), 1):
        expected[f"prediction_{i}"] = byol.online(clips[:, :4])["prediction"]
        expected[f"projection_{i}"] = byol.target(clips[:, 4:])
    arrays = ({k: ops.convert_to_numpy(v) for k, v in each.items()} for each in (expected, found))
    assert_same(*arrays, atol=1e-6)
    assert np.isfinite(step(byol, views(), LABELS))


def test_one_frame_has_no_next():
    with pytest.raises(ValueError, match=r"at least 2 frames. Received: view_1 \(4, 1, 6\)"):
        learner(frames="next")(views(frames=1))


@pytest.mark.parametrize("names", [("view_1", "clips"), ("view_1",)])
def test_what_is_not_two_views_is_refused(names):
    batch = dict(zip(names, views().values(), strict=False))
    with pytest.raises(ValueError, match=f"Two views are learnt from.*Received: {', '.join(names)}"):
        learner()(batch)
    with pytest.raises(ValueError, match=r"Two views are learnt from.*Received: tuple"):
        learner()(tuple(batch.values()))


def test_another_loss_is_refused():
    with pytest.raises(ValueError, match=r"a loss of its own\. Received: loss='mse'"):
        learner().compile("sgd", loss="mse")


def test_every_so_many_steps_learn_from_triplets_instead():
    triplet = BatchAllTriplet(margin=1.0)
    byol = learner(CoupledSGD(0.0), triplet=triplet, triplet_every=2)
    embeddings = byol.online(views()["view_1"], training=True)["embeddings"]
    expected = float(triplet(LABELS["labels"], embeddings))
    both = regression(byol, views())
    assert abs(expected - both) > 0.01
    losses = [step(byol, views(), LABELS) for _ in range(4)]
    assert losses == pytest.approx([expected, both, expected, both], abs=1e-5)


def test_a_step_of_triplets_leaves_the_heads_to_the_decay():
    byol = learner(CoupledSGD(0.5, decay=0.5), triplet=BatchAllTriplet(margin=1.0))
    before = parameters(byol.online)
    step(byol, views(), LABELS)
    after = parameters(byol.online)
    heads = [path for path in before if path.startswith(("projector", "predictor"))]
    for path in heads:
        np.testing.assert_allclose(after[path], 0.75 * before[path], rtol=0, atol=1e-6)
    assert np.abs(after["frames/kernel"] - 0.75 * before["frames/kernel"]).max() > 1e-4


def test_a_training_goes_on_exactly_where_it_was_left(tmp_path):
    options = {"momentum": 0.5, "ramp": 5, "triplet": BatchAllTriplet(margin=1.0), "triplet_every": 2}
    first = learner(**options)
    for seed in range(2):
        step(first, views(seed), LABELS)
    save_state(first, tmp_path / "state.npz", 1)
    second = learner(**options)
    second.optimizer.build(second.trainable_variables)
    assert restore_state(second, tmp_path / "state.npz") == 1
    assert int(second.steps) == 2
    for seed in (2, 3):
        losses = [step(byol, views(seed), LABELS) for byol in (first, second)]
        assert losses[0] == losses[1]
    assert_same(weights(first), weights(second))


@pytest.mark.skipif(BACKEND == "torch", reason="one device only on PyTorch")
def test_two_devices_learn_what_one_learns_from_the_whole_batch():
    def trained(devices):
        keras.utils.set_random_seed(0)
        with distribute(devices):
            triplet = OverReplicas(BatchAllTriplet(margin=1.0))
            byol = learner(compiled=True, momentum=0.5, ramp=9, triplet=triplet, triplet_every=2)
            batches = {name: np.concatenate([clips] * 3) for name, clips in views().items()}
            labels = {"labels": np.concatenate([LABELS["labels"]] * 3)}
            history = byol.fit(batches, labels, batch_size=4, shuffle=False, verbose=0).history
        assert int(to_numpy(byol.steps)) == 3
        return history["loss"][0], weights(byol)

    one = trained(0)
    if BACKEND == "tensorflow":  # devices do not meet in a step that runs operation by operation
        import tensorflow as tf

        tf.config.run_functions_eagerly(False)
    two = trained(2)
    assert two[0] == pytest.approx(one[0], rel=1e-5)
    assert_same(one[1], two[1], atol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="once is enough")
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_leaves_what_follows_whole(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        byol = learner(momentum=0.75)
        start = parameters(byol.target)
        assert np.isfinite([step(byol)]).all()
    finally:
        keras.config.set_dtype_policy(before)
    assert byol.online.get_layer("frames").compute_dtype == policy.removeprefix("mixed_")
    assert {w.dtype for w in byol.weights} == {"float32", "int32"}
    after = parameters(byol.online)
    assert max(np.abs(after[path] - start[path]).max() for path in start) > 1e-3
    expected = {path: 0.75 * start[path] + 0.25 * after[path] for path in start}
    assert_same(expected, parameters(byol.target), atol=1e-6)


def test_a_selfgait_and_its_target_fit():
    sizes = {"channels": (2, 4, 4), "hidden_dim": 4, "bins": (1, 2), "div": 2}
    model = SelfGait(mlp_hidden_size=4, projection_size=3, frame_shape=(16, 8, 1), **sizes)
    byol = Byol(model, target_of(model), frames="next")
    paths = {(follower.path, leader.path) for follower, leader in byol.followers.pairs}
    assert all(follower == leader for follower, leader in paths)
    assert len(paths) == 6 + 1 + 6  # convolutions, strip maps, projector
    assert not byol.target.trainable_variables


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": "all"}, r"frames must be 'same' or 'next'. Received: frames='all'"),
        ({"momentum": 1.5}, r"momentum must be from 0 to 1. Received: momentum=1.5"),
        ({"ramp": -1}, r"ramp must be a number of steps, or 0. Received: ramp=-1"),
        ({"triplet_every": 0}, r"triplet_every must be at least 1. Received: triplet_every=0"),
        ({"cosine": "time"}, r"Received: axis='time'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Byol(*networks(), **options)


def test_networks_that_do_not_go_together_are_refused():
    (online, target), clips = networks(), keras.Input((None, 6))
    with pytest.raises(ValueError, match=r"with the outputs prediction. Received: Functional with "):
        Byol(target, target)
    plain = keras.Model(online.input, {"prediction": online.output["prediction"]})
    with pytest.raises(ValueError, match=r"outputs prediction, embeddings. Received: .* with 'prediction'"):
        Byol(plain, target, triplet=BatchAllTriplet())
    with pytest.raises(ValueError, match=r"of one shape.*\(None, 4, 3\) and \(None, 4, 5\)"):
        Byol(online, networks(5)[1])
    wider = keras.Model(clips, mlp_head(encode(clips), 9, 3, "projector"))
    with pytest.raises(ValueError, match=r"shapes. Received: projector-net-0/kernel \(2, 9\) for \(2, 4\)"):
        Byol(online, wider)
    renamed = keras.Model(clips, mlp_head(encode(clips), 4, 3, "head"))
    with pytest.raises(ValueError, match=r"lacks a weight of the target. Received: head-net-0/kernel"):
        Byol(online, renamed)
