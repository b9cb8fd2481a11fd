"""Protocols: which types of walks are gallery and probe, and which protocol a data set has."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation.protocols import PROTOCOLS, fitting, protocol_for, with_cross_view_gallery


def walks(*names, **info):
    """A data set of walks named "subject type view"."""
    subject, types, view = np.array([name.split(" ") for name in names]).T
    return Labels(subject, types, view, info)


class Labels(SimpleNamespace):
    def __init__(self, subject, types, view, info):
        super().__init__(subject=subject, types=types, view=view, info=info, path=Path("set"), name="set")

    def __len__(self):
        return len(self.subject)


def test_the_protocol_follows_from_the_data():
    def dataset(condition, view, **info):
        return SimpleNamespace(condition=np.array([condition]), view=np.array([view]), info=info)

    assert protocol_for(dataset("bg", "090")).name == "casia-b"
    assert protocol_for(dataset("", "090")).name == "oumvlp"
    assert protocol_for(dataset("", "")).name == "grew"
    assert protocol_for(dataset("02", "v17", layout="grew")).name == "grew"
    assert protocol_for(dataset("bg", "090", layout="unheard of")).name == "casia-b"


@pytest.mark.parametrize(
    ("protocol", "gallery", "probe", "neither"),
    [
        ("casia-b", "nm-01 nm-04", "nm-05 nm-06 bg-01 cl-02", ""),
        ("oumvlp", "01", "00", "02"),
        ("oumvlp-pose", "00", "01", "02"),
        ("casia-e", "H-scene1-nm-1 L-scene1-nm-2", "H-scene2-bg-1 L-scene3_s-cl-2", "H-scene1-bg-1"),
        ("sustech1k", "00-nm", "01-nm 01-bg 03-oc-nt 04-nt 02", "00-ab 00-abg"),
        ("grew", "01", "02", "03 00"),
    ],
)
def test_one_data_set_is_divided_by_types(protocol, gallery, probe, neither):
    dataset = walks(*(f"1 {name} 000" for name in f"{gallery} {probe} {neither}".split()))
    known, asked = PROTOCOLS[protocol].divide(dataset)
    assert " ".join(dataset.types[known]) == gallery
    assert " ".join(dataset.types[asked]) == probe


def test_a_view_that_is_not_evaluated_is_neither():
    dataset = walks("1 H-scene1-nm-1 270", "1 H-scene1-nm-1 000", "1 H-scene2-nm-1 270")
    known, asked = PROTOCOLS["casia-e"].divide(dataset)
    assert known.tolist() == [False, True, False]
    assert not asked.any()


def test_sustech1k_goes_by_words_and_not_by_letters():
    rows = {setting.name: setting.probe for setting in PROTOCOLS["sustech1k"].settings}
    types = np.array(["01-bg", "01-bgx", "03-oc-nt", "101-nm", "012"])
    fits = {
        name: types[fitting(rows[name], types)].tolist() for name in ("Bag", "Occlusion", "Night", "Overall")
    }
    assert fits == {
        "Bag": ["01-bg"],
        "Occlusion": ["03-oc-nt"],
        "Night": ["03-oc-nt"],
        "Overall": ["01-bg", "01-bgx", "03-oc-nt"],
    }


def test_a_walk_may_be_gallery_in_one_setting_and_probe_in_another():
    dataset = walks("1 U3_D3 00_0", "1 U0_D0_BG 01_3", "1 U5_D5 00_0")
    known, asked = PROTOCOLS["ccpg"].divide(dataset)
    assert known.tolist() == [True, False, False]
    assert asked.tolist() == [True, True, False]
    assert PROTOCOLS["ccpg"].view_names(dataset).tolist() == ["00", "01", "00"]


def test_the_probes_of_gait3d_are_those_listed():
    listed = {"probe_set": ["0002-camid1_videoid2-seq0", "0009-camid1_videoid2-seq0"]}
    dataset = walks("0002 camid1_videoid2 seq0", "0002 camid1_videoid2 seq1", **listed)
    known, asked = PROTOCOLS["gait3d"].divide(dataset)
    assert asked.tolist() == [True, False]
    assert known.tolist() == [False, True]


@pytest.mark.parametrize("info", [{}, {"probe_set": []}])
def test_gait3d_without_its_list_of_probes_is_refused(info):
    with pytest.raises(GaitError, match=r"set does not list its probes.*PROBE_SET"):
        PROTOCOLS["gait3d"].divide(walks("0002 camid1_videoid2 seq0", **info))


def test_the_cross_view_gallery_is_a_variant_of_two_protocols():
    dataset = walks("1 nm-01 000", "1 nm-02 000", "1 cl-02 018", "1 nm-05 000")
    known, asked = with_cross_view_gallery(PROTOCOLS["casia-b"]).divide(dataset)
    assert known.tolist() == [False, True, True, False]
    assert asked.tolist() == [True, False, False, False]
    with pytest.raises(GaitError, match="gait3d has no cross-view gallery, only casia-b, oumvlp have"):
        with_cross_view_gallery(PROTOCOLS["gait3d"])
