"""The published tables of poses: what the fixtures' notes say and their numbers do not show."""

from pathlib import Path

import numpy as np
from fixtures import reader
from parity_gaitgraph2.evaluation import evaluation_casia_b, evaluation_oumvlp

FIXTURES = Path(__file__).parents[1] / "fixtures" / "gaitgraph2"


def load(name):
    meta, inputs, _ = reader.load(FIXTURES / f"{name}.npz")
    return meta, inputs


def test_of_a_key_that_comes_twice_the_later_embedding_counts():
    meta, inputs = load("evaluation_casia_b")
    noise = np.random.default_rng(0).normal(size=(50, inputs["embedding"].shape[1])).astype("float32")
    twice = {
        "keys": np.concatenate([inputs["keys"][:50], inputs["keys"]]),
        "embedding": np.concatenate([noise, inputs["embedding"]]),
    }
    once, both = (evaluation_casia_b(meta, values, None) for values in (inputs, twice))
    for name, values in once.items():
        np.testing.assert_array_equal(both[name], values)


def test_a_probe_whom_the_gallery_does_not_have_counts_as_not_recognised():
    meta, inputs = load("evaluation_oumvlp")
    subject, _, number = inputs["keys"].T
    kept = (subject != subject[0]) | (number == 1)
    stranger = evaluation_oumvlp(meta, {name: values[kept] for name, values in inputs.items()}, None)
    alone = evaluation_oumvlp(
        meta, {name: values[subject != subject[0]] for name, values in inputs.items()}, None
    )
    subjects = len(np.unique(subject))
    np.testing.assert_allclose(stranger["accuracy"], alone["accuracy"] * (subjects - 1) / subjects)
