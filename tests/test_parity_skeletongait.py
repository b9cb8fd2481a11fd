"""The runners of OpenGait's fixtures take every form that the fixtures' notes describe."""

import numpy as np
import pytest
from fixtures import reader
from parity_skeletongait.models import deepgaitv2, packed
from test_parity import FOLDER


@pytest.fixture(scope="module")
def silhouettes():
    """The fixture's description of a network of silhouettes, mode 2d, and three frames for it."""
    meta, inputs, _ = reader.load(FOLDER / "skeletongait" / "deepgaitv2_2d_small.npz")
    return meta, inputs["maps"][:1]


def test_packed_sequences_of_one_batch_give_the_embeddings_of_each_alone(silhouettes):
    meta, maps = silhouettes
    together = deepgaitv2(meta, {"maps": maps, "seqL": np.array([[1, 2]])}, None)
    alone = [deepgaitv2(meta, {"maps": part}, None) for part in (maps[:, :1], maps[:, 1:])]
    for name in ("pooled", "parts", "embeddings", "logits"):
        expected = np.concatenate([outputs[name] for outputs in alone])
        np.testing.assert_allclose(together[name], expected, atol=1e-5 * np.abs(expected).max())


def test_sequences_of_silhouettes_need_no_axis_of_channels(silhouettes):
    meta, maps = silhouettes
    config = meta["config"] | {"sampler": {"sample_type": "all_ordered"}, "transform": "BaseSilTransform"}
    frames = np.round(maps[0] * 255).astype(np.uint8)
    without = packed(meta | {"config": config}, {"seq_0": frames}, None)
    with_axis = packed(meta | {"config": config}, {"seq_0": frames[:, None]}, None)
    for name, expected in with_axis.items():
        np.testing.assert_array_equal(without[name], expected)
