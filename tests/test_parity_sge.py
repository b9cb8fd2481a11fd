"""The runners of SGE's fixtures take every form that the fixtures' notes describe."""

import numpy as np
import pytest
from fixtures import reader
from parity_sge import FAMILIES
from test_parity import FOLDER

SIZES = ("rnn_size", "num_layers", "time_steps", "series_length", "inputs", "hidden", "classes")


def fixture(name, **changes):
    """A fixture whose sizes are those of its arrays and not told beside, with other settings."""
    meta, inputs, outputs = reader.load(FOLDER / "sge" / f"{name}.npz")
    config = {key: value for key, value in meta["config"].items() if key not in SIZES}
    return meta | {"config": config | changes}, inputs, outputs


def assert_matched(meta, found, expected):
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=reader.tolerance(meta, name, np.asarray(value))), name


@pytest.mark.parametrize("name", ["encoding_BA_f6_h8", "cage_batching", "recognition_sc"])
def test_sizes_are_those_of_the_arrays(name, step_by_step):
    meta, inputs, outputs = fixture(name)
    family = name if name.startswith("cage") else name.split("_")[0]
    assert_matched(meta, FAMILIES[family](meta, inputs, None), outputs)


def test_features_of_two_tasks_are_joined():
    meta, inputs, outputs = fixture("cage_plus_features")
    meta["parameters"] = [each for each in meta["parameters"] if not each[0].startswith("sorting/")]
    found = FAMILIES["cage_plus_features"](meta, inputs, None)
    blocks = np.split(outputs["features_plus"], 9, axis=1)
    two = np.concatenate([block for n, block in enumerate(blocks) if n % 3 != 2], axis=1)
    assert_matched(meta, found, {"features_plus": two, "features_prediction": outputs["features_prediction"]})
    assert "features_sorting" not in found


def test_steps_are_trained_where_they_are_told():
    meta, inputs, outputs = fixture("recognition_train")
    found = FAMILIES["recognition"](meta, inputs, None)
    assert_matched(meta, found, outputs)
    untrained, _, _ = fixture("recognition_train", steps=0)
    assert "losses" not in FAMILIES["recognition"](untrained, inputs, None)
