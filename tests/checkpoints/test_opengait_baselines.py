"""Published weights of the silhouette baselines: their names and shapes tell the model."""

from pathlib import Path

import pytest
from fixtures import reader

from keras_gait.checkpoints.by_name import model_from_state
from keras_gait.errors import GaitError
from keras_gait.models import GaitBase, GaitGL, GaitPart, GaitSet

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "skeletongait"


def published(name):
    return reader.state(reader.load(FIXTURES / f"{name}.npz")[0])


@pytest.mark.parametrize(
    ("name", "kind", "classes"),
    [("gaitset", GaitSet, 0), ("gaitpart", GaitPart, 0), ("gaitgl", GaitGL, 20), ("gaitbase", GaitBase, 20)],
)
def test_weights_tell_the_model_and_its_published_settings(name, kind, classes):
    model = model_from_state(published(name))
    assert type(model) is kind
    assert model.get_config() == kind(nclasses=classes, name=model.name).get_config()


def test_a_part_that_is_missing_in_the_middle_is_refused():
    state = published("gaitpart")
    gone = [name for name in state if name.startswith("TFA.pooling_func.conv1d3x1.7.")]
    for name in gone:
        del state[name]
    with pytest.raises(GaitError, match=r"TFA\.pooling_func\.conv1d3x1\.0\.conv\.weight are not one array"):
        model_from_state(state)


def test_a_part_that_is_missing_at_the_end_is_refused():
    state = published("gaitpart")
    for name in [name for name in state if name.startswith("TFA.pooling_func.conv1d3x3.15.")]:
        del state[name]
    with pytest.raises(
        GaitError, match=r"conv1d3x3\.0\.conv\.weight: \(15, 32, 128, 3\) for \(16, 32, 128, 3\)"
    ):
        model_from_state(state)


def test_weights_without_their_head_are_refused():
    state = published("gaitset")
    del state["Head.fc_bin"]
    with pytest.raises(GaitError, match=r"no whole weights of GaitSet: 'Head\.fc_bin'"):
        model_from_state(state)
