"""The first GaitGraph: unit length, its own parts and branches."""

import keras
import numpy as np
import pytest

from keras_gait.models import GaitGraph
from keras_gait.models.gaitgraph import body_parts

TINY = {"network": "resgcn-n21-r8", "embedding_size": 6, "frames": 5}


def poses():
    return np.random.default_rng(0).uniform(0, 240, (2, 5, 17, 3)).astype("float32")


def test_embeddings_have_length_one():
    embeddings = GaitGraph(**TINY).encoder.predict_on_batch(poses())
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=-1), 1, atol=1e-5)


def test_branches_have_six_channels_and_come_back_from_the_file(tmp_path):
    model = GaitGraph(**TINY, inputs="branches")
    assert model.get_layer("input_branches-2-bn").gamma.shape == (6,)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again(poses())["embeddings"], model(poses())["embeddings"])


def test_shoulders_and_hips_are_of_the_head_too():
    assert body_parts("coco")[-1] == (0, 1, 2, 3, 4, 5, 6, 11, 12)
    assert sum(map(len, body_parts("oumvlp"))) == 18


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "ja-resgcn-n39-r8"}, r"\(ja\) needs each of the 17 joints in one part"),
        ({"inputs": "concat"}, "inputs must be plain or branches. Received: inputs='concat'"),
        ({"layout": "corrected"}, "has no argument 'layout'"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        GaitGraph(**TINY | options)
