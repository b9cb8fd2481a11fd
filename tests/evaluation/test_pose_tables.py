"""The published tables of poses: what the fixtures' notes say and their numbers do not show."""

from pathlib import Path

import numpy as np
from fixtures import reader
from parity_gaitgraph2.evaluation import evaluation_casia_b, evaluation_oumvlp, v1_evaluation_casia_b

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


def without(inputs, **fields):
    """The inputs without the sequences whose key has all of ``fields``, numbers by the field's place."""
    gone = np.all([inputs["keys"][:, int(place[1:])] == value for place, value in fields.items()], axis=0)
    return {name: values[~gone] for name, values in inputs.items()}


def test_an_empty_cell_of_casia_b_spreads_into_its_means_alone():
    meta, inputs = load("evaluation_casia_b")
    fewer = without(inputs, _1=2, _3=36)  # nobody in a coat from there
    whole, found = (evaluation_casia_b(meta, values, None) for values in (inputs, fewer))
    assert np.argwhere(np.isnan(found["table"])).tolist() == [[2, 2], [2, 11]]
    known = ~np.isnan(found["table"])
    np.testing.assert_array_equal(found["table"][known], whole["table"][known])
    assert found["acc_bg"] == whole["acc_bg"]
    assert np.isnan([found["acc_cl"], found["accuracy"]]).all()
    first = v1_evaluation_casia_b(meta, fewer, None)
    np.testing.assert_array_equal(np.isnan(first["table"]), ~known)
    assert np.isnan(first["accuracy_avg"])


def test_an_empty_condition_of_casia_b_keeps_its_row():
    meta, inputs = load("evaluation_casia_b")
    found = evaluation_casia_b(meta, without(inputs, _1=1), None)
    assert np.isnan(found["table"]).all(axis=1).tolist() == [False, True, False]


def test_a_view_of_oumvlp_without_probes_keeps_its_column():
    meta, inputs = load("evaluation_oumvlp")
    found = evaluation_oumvlp(meta, without(inputs, _1=30, _2=1), None)
    empty = np.isnan(found["table"])
    assert empty[:, 2].all()
    assert empty[:, -1].all()
    assert not np.delete(empty, (2, 14), axis=1).any()
    assert np.isnan(found["accuracy"])
